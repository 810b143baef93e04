// SPDX-License-Identifier: Apache-2.0
import type { Belief } from '../label/belief.ts';
import type { Epistemic, MessageType } from '../message/envelope.ts';
import { finding, type Finding } from '../review/verdict.ts';
import type { PolicyCode } from './codes.ts';

const constraintMark = 'constraint:';

/**
 * A `claim` or `data` message against what its sender was told in the task (EP-01 to EP-09): nothing
 * gets surer by being passed on. Numbers of agents mean nothing by themselves; what counts is that
 * they cannot rise without a read of one's own, or without a second source outside the fleet that a
 * model of another family has read, where families are declared, and that what was unknown, assumed
 * or constrained stays so. Instructions are not held to it.
 */
export function epistemicFindings(
  belief: Belief | null,
  type: MessageType,
  stated: Epistemic | null,
): readonly Finding[] {
  if (belief === null || type === 'instruction') return [];
  const found: Finding[] = [];
  const refuse = (code: PolicyCode, path = '/epistemic'): void => {
    found.push(finding(code, 'epistemic', path));
  };
  if (stated === null) {
    const said = belief.confidence !== null || belief.unknowns.length > 0 || belief.assumptions.length > 0;
    if (said) refuse('POLICY_CLAIM_AS_FACT');
    return found;
  }
  const { confidence } = stated;
  const isRaised = confidence !== null && belief.confidence !== null && !(confidence <= belief.confidence);
  if (isRaised && !(belief.evidence > 0)) {
    const agree = belief.told > 1;
    if (!agree) refuse('POLICY_CONFIDENCE_RAISED', '/epistemic/confidence');
    else if (!(belief.independent > 1)) refuse('POLICY_ONE_ROOT', '/epistemic/confidence');
    else if (isOneFamily(belief)) refuse('POLICY_ONE_FAMILY', '/epistemic/confidence');
  }
  const unknowns = new Set(stated.unknowns);
  if (!(belief.evidence > 0) && belief.unknowns.some((one) => !unknowns.has(one))) {
    refuse('POLICY_UNKNOWN_DROPPED', '/epistemic/unknowns');
  }
  const assumptions = new Set(stated.assumptions);
  const lost = belief.assumptions.filter((one) => !assumptions.has(one));
  if (lost.some((one) => one.startsWith(constraintMark))) refuse('POLICY_CONSTRAINT_LOST', '/epistemic/assumptions');
  if (lost.some((one) => !one.startsWith(constraintMark))) refuse('POLICY_ASSUMPTION_DROPPED', '/epistemic/assumptions');
  if (belief.local.some((one) => assumptions.has(one))) refuse('POLICY_ASSUMPTION_LEAKED', '/epistemic/assumptions');
  return found;
}

/** One agent whose family nobody declared may be of another: nothing is claimed of it. */
function isOneFamily({ families = [null] }: Belief): boolean {
  return families.length === 1 && families[0] !== null;
}
