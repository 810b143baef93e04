// SPDX-License-Identifier: Apache-2.0
import type { Epistemic } from '../message/envelope.ts';
import type { ActionManifest } from '../mesh/mesh.ts';
import { finding, type Finding } from '../review/verdict.ts';
import type { PolicyCode } from './codes.ts';

/**
 * Whether what an action rests on is sure enough for it (EP-03, EP-06): `told` is what the requester's
 * sidecar stamped of all that its process was told in the task. An action that asks for a confidence
 * is refused where nobody said how sure anything is.
 */
export function assuranceFindings(
  { assurance }: ActionManifest,
  told: Epistemic | null,
): readonly Finding[] {
  if (assurance === undefined) return [];
  const { confidenceMin, unknownsMax } = assurance;
  const found: Finding[] = [];
  const refuse = (code: PolicyCode, path: string): void => {
    found.push(finding(code, 'assurance', path));
  };
  if (confidenceMin !== null && !((told?.confidence ?? Number.NaN) >= confidenceMin)) {
    refuse('POLICY_ASSURANCE_CONFIDENCE', '/epistemic/confidence');
  }
  if (unknownsMax !== null && !((told?.unknowns.length ?? Number.NaN) <= unknownsMax)) {
    refuse('POLICY_ASSURANCE_UNKNOWNS', '/epistemic/unknowns');
  }
  return found;
}
