// SPDX-License-Identifier: Apache-2.0
import type { EnvelopeBody } from '../message/envelope.ts';
import { combine, finding, type Verdict } from '../review/verdict.ts';
import type { Allotted } from './allotments.ts';
import type { SidecarContext } from './context.ts';
import { boundChargesOf } from './mandate-charges.ts';
import type { Reviewed } from './people.ts';

/**
 * Asked last, so that only what nothing else speaks against is charged; null where it is not asked.
 * What then waits for people or is refused gives it back.
 */
export async function allot(
  body: EnvelopeBody,
  { request, manifest, verdict, mandate }: Reviewed,
  released: boolean,
  context: SidecarContext,
): Promise<Allotted | null> {
  if (manifest === null || verdict.outcome === 'NO-GO') return null;
  const charges = boundChargesOf(mandate.charges, context.clock.nowMs());
  return context.allotments.forAction(body, request, manifest, charges, released);
}

/**
 * The review with what the owner of the bounds said. Nobody is asked twice about one request: what
 * people released for another reason, before a sum was half used, is refused.
 */
export function withBounds(
  reviewed: Reviewed,
  allotted: Allotted | null,
  isApproved: boolean,
  context: SidecarContext,
): Reviewed {
  if (allotted === null || allotted.outcome === 'granted') return reviewed;
  const verdict: Verdict = {
    outcome: allotted.outcome === 'escalate' && !isApproved ? 'ESCALATE' : 'NO-GO',
    control: 'policy-compliance',
    version: context.mesh.digest.slice(0, 12),
    tookUs: 0,
    findings: [allotted.code, ...(allotted.also ?? [])].map((code) => finding(code, `bounds/${allotted.bound}`)),
  };
  return { ...reviewed, verdict: combine([...reviewed.verdict.verdicts, verdict]) };
}

/** Also what an earlier run of this request was allotted before a crash: it did not run. */
export async function giveBack(
  body: EnvelopeBody,
  { request, manifest, mandate }: Reviewed,
  allotted: Allotted | null,
  context: SidecarContext,
): Promise<void> {
  if (allotted?.outcome === 'granted') return allotted.ended(null);
  if (manifest === null) return;
  const charges = boundChargesOf(mandate.charges, context.clock.nowMs());
  await context.allotments.abandon(body, request, manifest, charges);
}
