// SPDX-License-Identifier: Apache-2.0
import type { SensitiveParameter } from '../mesh/mesh.ts';
import type { Path } from '../mesh/yaml-source.ts';
import { allowing, type ExplainInput, type Rule } from './explain-rule.ts';
import { policyCodes, type PolicyCode } from './codes.ts';
import { peopleFindings } from './people.ts';

const hopsMaxDefault = 8;

/** What the action's manifest asks of every request: risk, schema, sources, caps, people. */
export function manifestRules(input: ExplainInput): readonly Rule[] {
  const { placed, action, mesh } = input;
  const path: Path = ['security_mesh', 'actions', action.name];
  const durable = action.risk === 'HIGH' || action.risk === 'CRITICAL'
    ? '; it waits for a durable record' : '';
  const hops = mesh.limits.requestHopsMax ?? hopsMaxDefault;
  return [
    allowing('manifest', placed.at([...path, 'risk']),
      `${action.name} is ${action.risk} and ${action.reversibility}${durable}`),
    depending('manifest', 'POLICY_PARAMETERS_INVALID', placed.at([...path, 'parameters']),
      'the parameters must match this schema'),
    ...sourceRules(input),
    depending('hops', 'POLICY_HOPS_EXCEEDED',
      placed.at(['security_mesh', 'limits', 'request_hops_max']),
      `the request may be at most ${hops} hand-offs from its originator`),
    ...peopleRules(input),
  ];
}

function sourceRules({ placed, action, agent, mesh }: ExplainInput): readonly Rule[] {
  const path: Path = ['security_mesh', 'actions', action.name, 'sensitive'];
  const rules = [...action.sensitive].map(([name, rule]): Rule => {
    const code: PolicyCode = rule.from.length > 0 ? 'POLICY_SOURCE_UNTRUSTED'
      : rule.atMost !== null ? 'POLICY_BOUND_EXCEEDED' : 'POLICY_VALUE_UNLISTED';
    const step = rule.from.length > 0 ? 'from' : rule.atMost !== null ? 'at_most' : 'one_of';
    const text = `${name} must be ${boundText(rule, action.reversibility === 'irreversible')}`;
    return depending('source', code, placed.at([...path, name, step]), text);
  });
  const stampsBelieved = agent.isolation !== 'none' || mesh.development === true;
  if (stampsBelieved || action.sensitive.size === 0) return rules;
  const place = placed.at(['security_mesh', 'agents', agent.name, 'isolation']);
  const text = `${agent.name} has isolation none: the sources that its sidecar stamps are not ` +
    'believed, and only what the executor\'s own tools vouch for counts';
  return [...rules, depending('source', 'POLICY_SOURCE_UNTRUSTED', place, text)];
}

function boundText(rule: SensitiveParameter, always: boolean): string {
  const when = always ? '' : ' where the context is not trusted';
  const own = rule.ownWords ?? null;
  const parts = [
    ...(rule.from.length === 0 ? [] : [`a whole value from ${rule.from.join(' or ')}${when}`]),
    ...(own === null ? [] : [
      `or from ${own.from.join(' or ')} while ${own.texts.join(', ')} is the person's own words`]),
    ...(rule.always === undefined ? [] : [`or one of ${rule.always.size} that need no source`]),
    ...(rule.endorsable === true ? ['else endorsed by a person'] : []),
    ...(rule.atMost === null ? [] : [`at most ${rule.atMost}`]),
    ...(rule.oneOf === null ? [] : [`one of the ${rule.oneOf.length} listed values`]),
  ];
  return parts.join(', ');
}

/** Asked of the check itself, so that the two cannot disagree. */
function peopleRules({ placed, action, mesh }: ExplainInput): readonly Rule[] {
  const findings = peopleFindings(action, {
    autonomyTier: mesh.autonomyTier, supervised: false, approvals: [], requestDigest: null,
  });
  const path: Path = ['security_mesh', 'actions', action.name];
  return findings.map(({ code }): Rule => {
    switch (code) {
      case 'POLICY_TWO_PEOPLE_REQUIRED':
        return held(code, placed.at([...path, 'risk']));
      case 'POLICY_APPROVAL_REQUIRED':
        return held(code, placed.at([...path, 'approval']));
      default:
        return held('POLICY_TIER_SUPERVISED',
          placed.at(['security_mesh', 'global', 'autonomy_tier']));
    }
  });
}

function held(code: PolicyCode, place: Rule['place']): Rule {
  return { control: 'people', effect: 'holds', code, text: policyCodes[code].means, place };
}

function depending(
  control: Rule['control'],
  code: PolicyCode,
  place: Rule['place'],
  text: string,
): Rule {
  return { control, effect: 'depends', code, text, place };
}
