// SPDX-License-Identifier: Apache-2.0
import type { AgentContext } from '../label/context.ts';
import type { Outgoing } from '../message/envelope.ts';
import { epistemicFindings } from '../policy/epistemic.ts';
import { sayingFindings } from '../policy/tactical.ts';
import type { Verdict } from '../review/verdict.ts';
import type { SidecarContext } from './context.ts';

/**
 * What the sender's own OISpec says about a message, and what it was told before; null where neither
 * says anything, which is the rule.
 */
export function reviewSaying(
  { type, payload, epistemic }: Outgoing,
  task: string,
  read: AgentContext,
  { agent }: SidecarContext,
): Verdict | null {
  const { oispec } = agent;
  const belief = read.beliefs?.find((one) => one.task === task) ?? null;
  if (belief === null && (oispec === null || oispec.output === null)) return null;
  const { origins } = read.label;
  const findings = [
    ...sayingFindings(oispec, { type, payload, epistemic, origins }),
    ...epistemicFindings(belief, type, epistemic),
  ];
  return {
    outcome: findings.length === 0 ? 'GO' : 'NO-GO',
    control: 'policy-compliance',
    version: oispec?.digest.slice(0, 12) ?? 'none',
    tookUs: 0,
    findings,
  };
}
