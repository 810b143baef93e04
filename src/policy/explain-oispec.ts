// SPDX-License-Identifier: Apache-2.0
import type { Path } from '../mesh/yaml-source.ts';
import { allowing, refusing, type ExplainInput, type Route, type Rule } from './explain-rule.ts';
import type { PolicyCode } from './codes.ts';
import { oispecFindings } from './oispec.ts';

type Part = { readonly code: PolicyCode; readonly path: Path; readonly text: string };

/** What the executor's OISpec says, each part at its place in the OISpec's own file. */
export function oispecRules(input: ExplainInput, { executor, domain }: Route): readonly Rule[] {
  const { placed, action } = input;
  const { oispec } = executor;
  if (oispec === null) {
    const place = placed.atKey(['security_mesh', 'agents', executor.name]);
    const text = `${executor.name} has no OISpec, so nothing is permitted`;
    return [refusing('oispec', 'POLICY_OISPEC_MISSING', place, text)];
  }
  const findings = oispecFindings(executor, action, domain);
  const named = `the OISpec ${oispec.id} ${oispec.version}`;
  const own = placed.at(['security_mesh', 'agents', executor.name, 'oispec']);
  if (findings.some(({ code }) => code === 'POLICY_OISPEC_MISSING')) {
    const text = `${named} is written for ${oispec.agent}, not for ${executor.name}`;
    return [refusing('oispec', 'POLICY_OISPEC_MISSING', own, text)];
  }
  return partsOf(input, { executor, domain }).map(({ code, path, text }) => {
    const place = placed.inOISpec(executor.name, path) ?? own;
    return findings.some((finding) => finding.code === code)
      ? refusing('oispec', code, place, `${named} does not permit ${text}`)
      : allowing('oispec', place, `${named} permits ${text}`);
  });
}

function partsOf({ action }: ExplainInput, { executor, domain }: Route): readonly Part[] {
  const parameters: Path = ['parameters'];
  const { oispec } = executor;
  const prohibited = oispec?.prohibitedActions.indexOf(action.name) ?? -1;
  const permitted = oispec?.permittedActions.indexOf(action.name) ?? -1;
  const operation = `${action.tool}.${action.operation}`;
  const tool = oispec?.permittedTools
    .findIndex((name) => name === action.tool || name === operation) ?? -1;
  return [
    {
      code: 'POLICY_OISPEC_TOOL',
      path: item([...parameters, 'permitted_tools'], tool),
      text: `the tool ${operation}`,
    },
    {
      code: 'POLICY_OISPEC_ACTION',
      path: prohibited >= 0 ? item([...parameters, 'prohibited_actions'], prohibited)
        : item([...parameters, 'permitted_actions'], permitted),
      text: `the action ${action.name}`,
    },
    {
      code: 'POLICY_OISPEC_SCOPE',
      path: [...parameters, 'data_scope'],
      text: `data of the domain ${domain}`,
    },
    {
      code: 'POLICY_OISPEC_RISK',
      path: ['risk_classification'],
      text: `the risk class ${action.risk}`,
    },
  ];
}

function item(path: Path, index: number): Path {
  return index < 0 ? path : [...path, index];
}
