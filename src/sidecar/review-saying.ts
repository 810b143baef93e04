// SPDX-License-Identifier: Apache-2.0
import type { AgentContext } from '../label/context.ts';
import type { Outgoing } from '../message/envelope.ts';
import { sayingFindings } from '../policy/tactical.ts';
import type { Verdict } from '../review/verdict.ts';
import type { SidecarContext } from './context.ts';

/** What the sender's own OISpec says about a message; null where it constrains none. */
export function reviewSaying(
  { type, payload, epistemic }: Outgoing,
  read: AgentContext,
  { agent }: SidecarContext,
): Verdict | null {
  const { oispec } = agent;
  if (oispec === null || oispec.output === null) return null;
  const { origins } = read.label;
  const findings = sayingFindings(oispec, { type, payload, epistemic, origins });
  return {
    outcome: findings.length === 0 ? 'GO' : 'NO-GO',
    control: 'policy-compliance',
    version: oispec.digest.slice(0, 12),
    tookUs: 0,
    findings,
  };
}
