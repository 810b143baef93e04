// SPDX-License-Identifier: Apache-2.0
import type { ActionManifest, Agent, RiskClass } from '../mesh/mesh.ts';
import { finding, type Finding } from '../review/verdict.ts';
import type { PolicyCode } from './codes.ts';

const riskRank: { readonly [risk in RiskClass]: number } = {
  LOW: 0,
  MEDIUM: 1,
  HIGH: 2,
  CRITICAL: 3,
};

/**
 * What the executor's own OISpec says about an action (seed 000 section 3, OI-1.1): nothing is
 * permitted that it does not name, and a prohibition wins over a permission.
 */
export function oispecFindings(
  executor: Agent,
  action: ActionManifest,
  domain: string,
): readonly Finding[] {
  const { oispec } = executor;
  if (oispec === null || oispec.agent !== executor.name) {
    return [finding('POLICY_OISPEC_MISSING' satisfies PolicyCode, 'oispec/none')];
  }
  const found: Finding[] = [];
  const refuse = (code: PolicyCode): void => {
    found.push(finding(code, `oispec/${oispec.id}@${oispec.version}`));
  };
  const tools = oispec.permittedTools;
  if (!tools.includes(action.tool) && !tools.includes(`${action.tool}.${action.operation}`)) {
    refuse('POLICY_OISPEC_TOOL');
  }
  const isPermitted = oispec.permittedActions.includes(action.name) &&
    !oispec.prohibitedActions.includes(action.name);
  if (!isPermitted) refuse('POLICY_OISPEC_ACTION');
  if (!oispec.dataScope.includes(domain)) refuse('POLICY_OISPEC_SCOPE');
  if (!(riskRank[action.risk] <= riskRank[oispec.riskClassification])) refuse('POLICY_OISPEC_RISK');
  return found;
}
