// SPDX-License-Identifier: Apache-2.0
import type { AgentContext } from '../label/context.ts';
import type { Outgoing } from '../message/envelope.ts';
import { epistemicFindings } from '../policy/epistemic.ts';
import { sayingFindings } from '../policy/tactical.ts';
import type { Verdict } from '../review/verdict.ts';
import { fitFindings } from './answered.ts';
import type { SidecarContext } from './context.ts';

/**
 * What the sender's own OISpec says about a message, what it was told before, and what it was asked;
 * null where none of them says anything, which is the rule.
 */
export function reviewSaying(
  outgoing: Outgoing,
  task: string,
  { read, inputs }: { readonly read: AgentContext; readonly inputs: readonly string[] },
  { agent, mesh, store }: SidecarContext,
): Verdict | null {
  const { type, payload, epistemic } = outgoing;
  const { oispec } = agent;
  const belief = read.beliefs?.find((one) => one.task === task) ?? null;
  const unfit = fitFindings(outgoing, inputs, mesh, store);
  if (belief === null && unfit.length === 0 && (oispec === null || oispec.output === null)) return null;
  const { origins } = read.label;
  const findings = [
    ...sayingFindings(oispec, { type, payload, epistemic, origins }),
    ...epistemicFindings(belief, type, epistemic),
    ...unfit,
  ];
  return {
    outcome: findings.length === 0 ? 'GO' : 'NO-GO',
    control: 'policy-compliance',
    version: oispec?.digest.slice(0, 12) ?? 'none',
    tookUs: 0,
    findings,
  };
}
