// SPDX-License-Identifier: Apache-2.0
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ConsoleApi, Viewer } from '../console/console-api.ts';
import type { ConsoleCode } from '../console/codes.ts';
import type { Invites } from '../console/invites.ts';
import type { Session, Sessions } from '../console/sessions.ts';
import type { OperatorRight } from '../mesh/operator-roles.ts';

export type ConsoleServing = {
  readonly api: ConsoleApi;
  readonly sessions: Sessions;
  readonly invites: Invites;
  readonly bytes: (count: number) => Uint8Array;
  readonly nowMs: () => number;
  /** Folder of the built pages. */
  readonly folder: string;
  /** 0 is free to choose. */
  readonly port: number;
  readonly report: (failure: unknown) => void;
};

/** What every route of the console has at hand. */
export type ConsoleGround = ConsoleServing & {
  /** `http://localhost:PORT`. */
  readonly origin: () => string;
  readonly cookieName: () => string;
};

/** Who asks, when their session is open and their roles have the right. */
export function viewerOf(
  request: FastifyRequest,
  ground: ConsoleGround,
  right: OperatorRight,
): Viewer | null {
  const session = sessionOf(request, ground)?.session ?? null;
  if (session?.state !== 'open') return null;
  const viewer = ground.api.viewer(session.operator);
  return viewer?.may(right) === true ? viewer : null;
}

export function sessionOf(
  request: FastifyRequest,
  ground: ConsoleGround,
): { readonly secret: string; readonly session: Session } | null {
  const name = `${ground.cookieName()}=`;
  const cookies = (request.headers.cookie ?? '').split('; ');
  const secret = cookies.find((one) => one.startsWith(name))?.slice(name.length) ?? null;
  const session = ground.sessions.of(secret);
  return secret === null || session === null ? null : { secret, session };
}

/** Signed out, waiting for an endorsement, or without the right: each says so. */
export function refuseViewer(
  request: FastifyRequest,
  reply: FastifyReply,
  ground: ConsoleGround,
): FastifyReply {
  const session = sessionOf(request, ground)?.session ?? null;
  if (session === null || session.state === 'registering') {
    return refuse(reply, 401, 'CONSOLE_SESSION_MISSING');
  }
  if (session.state === 'waiting') return refuse(reply, 401, 'CONSOLE_PASSKEY_WAITS');
  return refuse(reply, 403, 'CONSOLE_RIGHT_MISSING');
}

export function refuse(reply: FastifyReply, status: number, code: ConsoleCode): FastifyReply {
  return reply.code(status).send({ code });
}
