// SPDX-License-Identifier: Apache-2.0
import { isHolder } from '../mandate/link.ts';
import { readUnverified } from '../mandate/narrow.ts';
import type { Mesh } from '../mesh/mesh.ts';
import { actionOutcomeSchema } from '../message/action-request.ts';
import type { EnvelopeBody, Principal } from '../message/envelope.ts';
import type { HeldMandate } from './ports.ts';

/** Chains of principals in one envelope, together, in characters; what is beyond is left out. */
const evidenceLengthMax = 49_152;

/** What an admitted message does to the authority of the process that it is handed to. */
export type Authority = {
  readonly principals: readonly string[];
  readonly mandates: readonly HeldMandate[];
};

const none: Authority = { principals: [], mandates: [] };

/**
 * Whoever instructs is a principal of all that follows, and so is everybody whose instruction led
 * to this one (G4). Data and claims wish for nothing: what they may introduce is a value, and
 * values need a source (G5). Where the mesh file says `messages`, their senders count all the same.
 */
export function authorityIn(
  body: EnvelopeBody,
  self: { readonly name: string; readonly spiffeId: string },
  mesh: Mesh,
): Authority {
  if (!bearsPrincipals(body, mesh)) return none;
  const { from, task, mandate } = body;
  const spoke = [{ agent: from, mandate: null }, ...body.principals];
  const shown = body.principals.flatMap((principal): readonly HeldMandate[] => {
    if (principal.mandate === null) return [];
    return [{ task, principal: principal.agent, isOwn: false, chain: principal.mandate }];
  });
  if (mandate !== null) {
    shown.push({ task, principal: from, isOwn: isGivenTo(mandate, self), chain: mandate });
  }
  const names = spoke.map(({ agent }) => agent).filter((name) => name !== self.name);
  return { principals: [...new Set(names)].sort(), mandates: shown };
}

/** Whether the message tells who led to it. The gate's own answers wish for nothing. */
export function bearsPrincipals(
  body: Pick<EnvelopeBody, 'type' | 'schema'>,
  mesh: Pick<Mesh, 'principals'>,
): boolean {
  if (body.type === 'instruction') return true;
  return mesh.principals === 'messages' && body.schema !== actionOutcomeSchema;
}

/**
 * Who led to a message that leaves, each with a mandate that shows its right where one is needed:
 * who is in the chain of `mandate` has passed on that very right.
 */
export function principalsOf(
  names: readonly string[],
  held: readonly HeldMandate[],
  mandate: string | null,
): readonly Principal[] {
  if (names.length === 0) return [];
  const read = mandate === null ? null : readUnverified(mandate);
  const path = new Set(read?.ok === true ? read.mandate.path : []);
  let left = evidenceLengthMax;
  return names.map((agent) => {
    if (path.has(`agent:${agent}`)) return { agent, mandate: null };
    const shown = held.findLast((one) => one.principal === agent)?.chain ?? null;
    if (shown === null || shown.length > left) return { agent, mandate: null };
    left -= shown.length;
    return { agent, mandate: shown };
  });
}

/** Whether the last delegate of a chain is this agent; nothing of the chain is proven here. */
export function isGivenTo(
  chain: string,
  agent: { readonly name: string; readonly spiffeId: string },
): boolean {
  const read = readUnverified(chain);
  return read.ok && isHolder(read.mandate.audience, agent);
}
