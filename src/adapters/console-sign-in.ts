// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { z } from 'zod';
import { refuse, sessionOf, type ConsoleGround } from './console-ground.ts';
import {
  passkeySite, readRegistration, readSignIn, registrationOptions, signInOptions,
} from './webauthn.ts';

const linkBody = z.strictObject({ token: z.string().min(16).max(128) });
const answerBody = z.strictObject({
  answer: z.looseObject({ id: z.string().min(1).max(1024) }),
  challenge: z.string().length(43),
});
const challengeLifetimeMs = 5 * 60_000;
const challengesMax = 1_000;
const failuresMax = 20;
const failuresWindowMs = 60_000;

/** Challenges that were given out and not used; each is good once. */
class Challenges {
  readonly #given = new Map<string, { readonly for: string; readonly until: number }>();
  readonly #ground: ConsoleGround;

  constructor(ground: ConsoleGround) {
    this.#ground = ground;
  }

  give(purpose: string): Uint8Array {
    const bytes = this.#ground.bytes(32);
    const [oldest] = this.#given.keys();
    if (this.#given.size >= challengesMax && oldest !== undefined) this.#given.delete(oldest);
    const until = this.#ground.nowMs() + challengeLifetimeMs;
    this.#given.set(Buffer.from(bytes).toString('base64url'), { for: purpose, until });
    return bytes;
  }

  take(challenge: string, purpose: string): boolean {
    const given = this.#given.get(challenge);
    this.#given.delete(challenge);
    return given?.for === purpose && this.#ground.nowMs() < given.until;
  }
}

/** Failed tries in the last minute, of everybody together: this is one machine. */
class Failures {
  #at: readonly number[] = [];
  readonly #nowMs: () => number;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  note(): void {
    this.#at = [...this.#at, this.#nowMs()].slice(-failuresMax);
  }

  tooMany(): boolean {
    const since = this.#nowMs() - failuresWindowMs;
    return this.#at.filter((at) => at > since).length >= failuresMax;
  }
}

/** Signing in and out, and registering a passkey by a one-time link. */
export function signInRoutes(server: FastifyInstance, ground: ConsoleGround): void {
  const challenges = new Challenges(ground);
  const failures = new Failures(ground.nowMs);
  const refused = (reply: FastifyReply, code: 'CONSOLE_LINK_REFUSED' | 'CONSOLE_PASSKEY_REFUSED') => {
    failures.note();
    ground.api.note('identity.refused', null, code);
    return refuse(reply, 403, code);
  };
  server.get('/api/session', async (request) => sessionShown(sessionOf(request, ground)?.session ?? null, ground));
  server.post('/api/session/link', async (request, reply) => {
    if (failures.tooMany()) return refuse(reply, 429, 'CONSOLE_TRIED_TOO_OFTEN');
    const body = linkBody.safeParse(request.body);
    const operator = body.success ? ground.invites.spend(body.data.token) : null;
    if (operator === null || ground.api.viewer(operator) === null) return refused(reply, 'CONSOLE_LINK_REFUSED');
    setCookie(reply, ground.sessions.open(operator, 'registering', null), ground);
    return { operator, state: 'registering' };
  });
  server.post('/api/session/end', async (request, reply) => {
    const found = sessionOf(request, ground);
    if (found !== null) {
      ground.sessions.end(found.secret);
      ground.api.note('session.ended', found.session.operator, null);
    }
    setCookie(reply, '', ground);
    return { state: 'none' };
  });
  registrationRoutes(server, ground, challenges, refused);
  server.post('/api/session/options', async (_request, reply) => {
    if (failures.tooMany()) return refuse(reply, 429, 'CONSOLE_TRIED_TOO_OFTEN');
    const known = ground.api.passkeys.all().filter(({ endorsement }) => endorsement !== null);
    return signInOptions(challenges.give('sign-in'), known);
  });
  server.post('/api/session', async (request, reply) => {
    if (failures.tooMany()) return refuse(reply, 429, 'CONSOLE_TRIED_TOO_OFTEN');
    const body = answerBody.safeParse(request.body);
    if (!body.success || !challenges.take(body.data.challenge, 'sign-in')) {
      return refused(reply, 'CONSOLE_PASSKEY_REFUSED');
    }
    const { answer, challenge } = body.data;
    const passkey = ground.api.passkeys.get(answer.id);
    if (passkey === null || passkey.endorsement === null || ground.api.viewer(passkey.operator) === null) {
      return refused(reply, 'CONSOLE_PASSKEY_REFUSED');
    }
    const counter = await readSignIn(answer, passkey, { challenge, origin: ground.origin() });
    if (counter === null) return refused(reply, 'CONSOLE_PASSKEY_REFUSED');
    await ground.api.passkeys.save({ ...passkey, counter });
    setCookie(reply, ground.sessions.open(passkey.operator, 'open', passkey.credential), ground);
    ground.api.note('session.opened', passkey.operator, null);
    return { operator: passkey.operator, state: 'open' };
  });
}

type Refused = (
  reply: FastifyReply, code: 'CONSOLE_LINK_REFUSED' | 'CONSOLE_PASSKEY_REFUSED',
) => FastifyReply;

function registrationRoutes(
  server: FastifyInstance,
  ground: ConsoleGround,
  challenges: Challenges,
  refused: Refused,
): void {
  const { api, sessions } = ground;
  server.post('/api/passkeys/options', async (request, reply) => {
    const found = sessionOf(request, ground);
    if (found?.session.state !== 'registering') return refuse(reply, 401, 'CONSOLE_SESSION_MISSING');
    const { operator } = found.session;
    const known = api.passkeys.all().filter((passkey) => passkey.operator === operator);
    return registrationOptions(operator, challenges.give(`register ${operator}`), known);
  });
  server.post('/api/passkeys', async (request, reply) => {
    const found = sessionOf(request, ground);
    if (found?.session.state !== 'registering') return refuse(reply, 401, 'CONSOLE_SESSION_MISSING');
    const { operator } = found.session;
    const body = answerBody.safeParse(request.body);
    if (!body.success || !challenges.take(body.data.challenge, `register ${operator}`)) {
      return refused(reply, 'CONSOLE_PASSKEY_REFUSED');
    }
    const { answer, challenge } = body.data;
    const made = await readRegistration(answer, { challenge, origin: ground.origin() });
    if (made === null || api.passkeys.get(made.credential) !== null) {
      return refused(reply, 'CONSOLE_PASSKEY_REFUSED');
    }
    const endorsement = api.endorse(found.session, made.publicKey, made.credential);
    await api.passkeys.save({ ...made, operator, createdAt: ground.nowMs(), endorsement });
    // The session that came by a link is another one from here on.
    sessions.end(found.secret);
    const state = endorsement === null ? 'waiting' : 'open';
    setCookie(reply, sessions.open(operator, state, made.credential), ground);
    if (state === 'open') api.note('session.opened', operator, null);
    return { operator, state };
  });
}

function sessionShown(
  session: { readonly operator: string; readonly state: string; readonly credential: string | null } | null,
  { api, nowMs }: ConsoleGround,
): object {
  const viewer = session === null ? null : api.viewer(session.operator);
  if (session === null || viewer === null) return { state: 'none', serverNowMs: nowMs() };
  const { operator, state, credential } = session;
  const passkey = credential === null ? null : api.passkeys.get(credential);
  const rights = ['look', 'decide', 'operate', 'stop', 'recover', 'open', 'policy'] as const;
  return {
    operator, state, credential,
    roles: viewer.roles,
    rights: rights.filter((right) => viewer.may(right)),
    endorsement: passkey?.endorsement ?? null,
    site: passkeySite,
    serverNowMs: nowMs(),
  };
}

/** For this machine's name alone, unseen by scripts, and sent by no other site. */
function setCookie(reply: FastifyReply, secret: string, ground: ConsoleGround): void {
  const age = secret === '' ? '; Max-Age=0' : '';
  reply.header('set-cookie', `${ground.cookieName()}=${secret}; Path=/; HttpOnly; SameSite=Strict${age}`);
}
