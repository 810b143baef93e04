// SPDX-License-Identifier: Apache-2.0
import { isHolder } from '../mandate/link.ts';
import type { EffectiveMandate } from '../mandate/mandate.ts';
import { readUnverified } from '../mandate/narrow.ts';
import {
  chargesOf,
  intersectRequestRights,
  satisfies,
  satisfiesAll,
  type MandateCharge,
  type MandatedRequest,
} from '../mandate/satisfies.ts';
import type { RiskClass } from '../mesh/mesh.ts';
import type { ActionRequest } from '../message/action-request.ts';
import type { EnvelopeBody } from '../message/envelope.ts';
import type { JsonObject } from '../message/json.ts';
import { finding, type Finding, type Verdict } from '../review/verdict.ts';
import type { SidecarContext } from './context.ts';
import { namedFieldOf } from './named-fields.ts';

/** What the executor found of the mandate that a request was made under. */
export type MandateReview = {
  readonly verdict: Verdict;
  /** Null where no chain held. */
  readonly mandate: EffectiveMandate | null;
  /** What one use adds to every mandate with a limit; charged before the tool runs. */
  readonly charges: readonly MandateCharge[];
};

/**
 * Whether the request is within a mandate, and whether everybody who led to it may make it (G3, G4;
 * IA-2.2, EC-1.1). What is wrong with the mandate refuses. Where only a principal lacks the right, a
 * person is asked once: the requester has it, and somebody with less may have turned it (no confused
 * deputy). Looked at anew each time, because mandates are revoked while a request waits.
 */
export function reviewMandate(
  body: EnvelopeBody,
  request: ActionRequest,
  risk: RiskClass,
  context: SidecarContext,
): MandateReview {
  const staleSnapshot = risk === 'HIGH' || risk === 'CRITICAL' ? 'refuse' : 'accept';
  const presented = presentedMandate(body, staleSnapshot, context);
  if (!presented.ok) {
    const absent = finding(presented.code, 'mandate');
    return { verdict: verdictOf([absent], [], context), mandate: null, charges: [] };
  }
  const { mandate, holder } = presented;
  const asked: MandatedRequest = {
    requester: holder,
    executor: context.agent.name,
    action: request.action,
    parameters: request.parameters,
    trustedField: namedFieldOf(body),
    // Whether one use fits alone; the sums have an owner, which is asked before the tool runs.
    usage: { uses: () => 0, total: () => 0 },
    nowMs: context.clock.nowMs(),
  };
  const refusals = satisfies(mandate, asked);
  const others = principalsApart(body, mandate, staleSnapshot, context);
  if (others.length === 0) {
    const charges = chargesOf(mandate, asked);
    return { verdict: verdictOf(refusals, [], context), mandate, charges };
  }
  const shared = intersectRequestRights(others);
  const requester = { name: body.from, spiffeId: body.instance };
  const holds = satisfiesAll(shared, { ...asked, requester });
  const charges = [...chargesOf(mandate, asked), ...chargesOf(shared, { ...asked, requester })];
  const once = new Map(charges.map((charge) => [`${charge.mandate} ${charge.right}`, charge]));
  return { verdict: verdictOf(refusals, holds, context), mandate, charges: [...once.values()] };
}

/** As entries name it: which mandate, and who passed it on to whom. */
export function mandateDetail(chain: string | null): JsonObject {
  if (chain === null) return {};
  const read = readUnverified(chain);
  return read.ok ? { mandate: read.mandate.id, delegation: [...read.mandate.path] } : {};
}

type PresentedMandate =
  | { readonly ok: true; readonly mandate: EffectiveMandate; readonly holder: Holder }
  | { readonly ok: false; readonly code: string };

type Holder = { readonly name: string; readonly spiffeId: string };

/**
 * The requester presents its own mandate. An originator that asks by itself presents one that it
 * gave to this executor: the right to perform, straight from the root and from nobody else.
 */
function presentedMandate(
  body: EnvelopeBody,
  staleSnapshot: 'refuse' | 'accept',
  context: SidecarContext,
): PresentedMandate {
  const { mandate: chain, task } = body;
  if (chain === null) return { ok: false, code: 'SIDECAR_MANDATE_ABSENT' };
  const requester = { name: body.from, spiffeId: body.instance };
  const self = { name: context.agent.name, spiffeId: context.credential().spiffeId };
  const stated = readUnverified(chain);
  const toSelf = stated.ok && isHolder(stated.mandate.audience, self);
  const holder = toSelf ? self : requester;
  const verified = context.verifyMandate(chain, { task, audience: holder, staleSnapshot });
  if (!verified.ok) return verified;
  const { mandate } = verified;
  const fromRoot = mandate.depth === 1 && mandate.path[0] === `agent:${body.from}`;
  if (toSelf && !fromRoot) return { ok: false, code: 'MANDATE_AUDIENCE_MISMATCH' };
  return { ok: true, mandate, holder };
}

/**
 * The mandates of all principals that are not in the chain: whoever is has passed the right on.
 * Null for one that shows none, or none that holds.
 */
function principalsApart(
  body: EnvelopeBody,
  mandate: EffectiveMandate,
  staleSnapshot: 'refuse' | 'accept',
  context: SidecarContext,
): readonly (EffectiveMandate | null)[] {
  const path = new Set(mandate.path);
  const apart = body.principals.filter(({ agent }) => !path.has(`agent:${agent}`));
  return apart.map(({ agent, mandate: chain }) => {
    const stated = chain === null ? null : readUnverified(chain);
    if (chain === null || stated?.ok !== true) return null;
    const { audience } = stated.mandate;
    const holder = { name: audience, spiffeId: audience };
    const shown = context.verifyMandate(chain, { task: body.task, audience: holder, staleSnapshot });
    return shown.ok && shown.mandate.path.includes(`agent:${agent}`) ? shown.mandate : null;
  });
}

function verdictOf(
  refusals: readonly Finding[],
  holds: readonly Finding[],
  { mesh }: SidecarContext,
): Verdict {
  const outcome = refusals.length > 0 ? 'NO-GO' : holds.length > 0 ? 'ESCALATE' : 'GO';
  return {
    outcome,
    control: 'policy-compliance',
    version: mesh.digest.slice(0, 12),
    tookUs: 0,
    findings: [...refusals, ...holds],
  };
}
