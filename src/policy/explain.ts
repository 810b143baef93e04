// SPDX-License-Identifier: Apache-2.0
import { positionInPolicy } from '../mesh/cedar-text.ts';
import { originatorsFor } from '../mesh/delegation.ts';
import type { ActionManifest, Agent, Mesh } from '../mesh/mesh.ts';
import type { Path } from '../mesh/yaml-source.ts';
import type { Outcome } from '../review/verdict.ts';
import { assignRules } from './explain-assign.ts';
import { boundRules } from './explain-bounds.ts';
import { manifestRules } from './explain-manifest.ts';
import { oispecRules } from './explain-oispec.ts';
import { allowing, refusing, type ExplainInput, type Route, type Rule } from './explain-rule.ts';

/** A request over one executor and domain. */
export type Way = {
  readonly executor: string;
  readonly domain: string;
  readonly outcome: Outcome;
  /** People who must release it. */
  readonly approvals: number;
  readonly rules: readonly Rule[];
};

export type Explanation = {
  readonly agent: string;
  readonly action: string;
  /** The best of the ways; NO-GO when there is none. */
  readonly outcome: Outcome;
  readonly ways: readonly Way[];
};

/**
 * Why an agent may or may not request an action: every rule of the policy compliance check that
 * can be told before the request exists, with its place. GO means that no rule refuses by itself;
 * rules that depend on parameters, label or time still may. What a mandate grants, and PACE, narrow
 * it at run time. Pure.
 */
export function explain(input: ExplainInput): Explanation {
  const ways = routesOf(input.mesh, input.agent, input.action)
    .map((route) => explainWay(input, route));
  const rank: readonly Outcome[] = ['GO', 'ESCALATE', 'NO-GO'];
  const outcome = rank.find((one) => ways.some((way) => way.outcome === one)) ?? 'NO-GO';
  return { agent: input.agent.name, action: input.action.name, outcome, ways };
}

/**
 * Executors and domains to look at: those of the agent's own edges, else of everybody's, else every
 * executor that holds the tool in the first domain of the mesh.
 */
export function routesOf(mesh: Mesh, agent: Agent, action: ActionManifest): readonly Route[] {
  const offering = mesh.edges.filter((edge) => edge.mayRequest.includes(action.name));
  const own = offering.filter((edge) => edge.from === agent.name);
  const routes = new Map<string, Route>();
  for (const { to, domain } of own.length > 0 ? own : offering) {
    const executor = mesh.agents.get(to);
    if (executor !== undefined) routes.set(`${to} ${domain}`, { executor, domain });
  }
  if (routes.size > 0) return [...routes.values()];
  const [domain] = mesh.domains.keys();
  return domain === undefined ? [] : [...mesh.agents.values()]
    .filter((one) => one.role === 'EXECUTOR' && one.tools.includes(action.tool))
    .map((executor) => ({ executor, domain }));
}

function explainWay(input: ExplainInput, route: Route): Way {
  const rules = [
    ...edgeRules(input, route),
    executorRule(input, route),
    ...domainRules(input, route),
    isolationRule(input, route),
    ...oispecRules(input, route),
    ...manifestRules(input),
    ...boundRules(input, route),
    ...cedarRules(input, route),
    mandateRule(input),
    ...assignRules(input),
  ];
  const outcome: Outcome = rules.some(({ effect }) => effect === 'refuses') ? 'NO-GO'
    : rules.some(({ effect }) => effect === 'holds') ? 'ESCALATE' : 'GO';
  const approvals = !rules.some(({ effect }) => effect === 'holds') ? 0
    : input.action.risk === 'CRITICAL' ? 2 : 1;
  const { executor, domain } = route;
  return { executor: executor.name, domain, outcome, approvals, rules };
}

/** The right to request; who else has it is told when this agent has not. */
function edgeRules({ mesh, placed, agent, action }: ExplainInput, route: Route): readonly Rule[] {
  const { executor, domain } = route;
  const rules: Rule[] = [];
  for (const [index, edge] of mesh.edges.entries()) {
    const position = edge.mayRequest.indexOf(action.name);
    if (position < 0 || edge.to !== executor.name || edge.domain !== domain) continue;
    const path: Path = [...(placed.edgePaths[index] ?? []), 'may_request', position];
    const text = `${edge.from} may request ${action.name} of ${executor.name} in ${domain}`;
    if (edge.from === agent.name && edge.open === false) {
      const closed = `${text}, once the workflow ${edge.workflow ?? ''} opens this edge: it is closed`;
      return [refusing('edge', 'POLICY_EDGE_DENIED', placed.at(path), closed)];
    }
    if (edge.from === agent.name) return [allowing('edge', placed.at(path), text)];
    rules.push(allowing('edge', placed.at(path), `${text}; ${agent.name} is not on this edge`));
  }
  const place = placed.atKey(['security_mesh', 'agents', agent.name]);
  const text = `no edge lets ${agent.name} request ${action.name} of ${executor.name} in ${domain}`;
  return [refusing('edge', 'POLICY_EDGE_DENIED', place, text), ...rules];
}

/** Hops after the first delegate that a mandate reaches by itself. */
const mandateHops = 1;

/** Who can give the agent the mandate without which an executor refuses. */
function mandateRule({ mesh, placed, agent }: ExplainInput): Rule {
  const place = placed.atKey(['security_mesh', 'agents', agent.name]);
  const from = originatorsFor(mesh, agent.name, mandateHops);
  if (from.length > 0) {
    return allowing('mandate', place, `tasks of ${from.join(', ')} give ${agent.name} a mandate`);
  }
  const text = `no originator's task reaches ${agent.name}: it needs a mandate of an operator`;
  return { control: 'mandate', effect: 'depends', code: 'SIDECAR_MANDATE_ABSENT', text, place };
}

function executorRule({ placed, action }: ExplainInput, { executor }: Route): Rule {
  const path: Path = ['security_mesh', 'agents', executor.name];
  const held = executor.tools.indexOf(action.tool);
  if (executor.role !== 'EXECUTOR') {
    return refusing('executor', 'POLICY_NOT_EXECUTOR', placed.at([...path, 'role']),
      `${executor.name} is a ${executor.role} and no EXECUTOR`);
  }
  return held < 0
    ? refusing('executor', 'POLICY_NOT_EXECUTOR', placed.atKey(path),
      `${executor.name} does not hold the tool ${action.tool}`)
    : allowing('executor', placed.at([...path, 'tools', held]),
      `${executor.name} is an EXECUTOR and holds ${action.tool}`);
}

function domainRules(input: ExplainInput, { executor, domain: name }: Route): readonly Rule[] {
  const { mesh, placed, agent } = input;
  const domain = mesh.domains.get(name);
  if (domain === undefined) {
    const at = placed.at(['security_mesh', 'domains']);
    return [refusing('domain', 'POLICY_DOMAIN_UNKNOWN', at, `${name} is not declared`)];
  }
  const place = placed.at([...placed.domainPath(name), 'allowed_roles']);
  const roles = [agent, executor].map((one) => domain.allowedRoles.includes(one.role)
    ? allowing('domain', place, `${name} allows the role ${one.role} of ${one.name}`)
    : refusing('domain', 'POLICY_ROLE_DENIED', place,
      `${name} does not allow the role ${one.role} of ${one.name}`));
  if (domain.tier === 'PLAINTEXT') return roles;
  const tier = placed.at([...placed.domainPath(name), 'tier']);
  const text = `${name} asks for ${domain.tier}, which this build cannot provide`;
  return [...roles, refusing('domain', 'PROTECTION_TIER_UNAVAILABLE', tier, text)];
}

function isolationRule({ mesh, placed }: ExplainInput, { executor }: Route): Rule {
  const place = placed.at(['security_mesh', 'agents', executor.name, 'isolation']);
  const { name, isolation } = executor;
  if (isolation === 'none' && mesh.development !== true) {
    return refusing('isolation', 'POLICY_ISOLATION_WEAK', place,
      `${name} is declared with isolation none`);
  }
  const lifted = mesh.development === true ? '; development: true lifts it' : '';
  return allowing('isolation', place, `${name} must run with isolation ${isolation}${lifted}`);
}

function cedarRules(input: ExplainInput, route: Route): readonly Rule[] {
  const { mesh, placed, policyPlaces } = input;
  if (mesh.policies.size === 0) return [];
  const section = placed.at(['security_mesh', 'policies']);
  const said = input.cedarSays(route.executor, route.domain);
  const speaking = said.filter(({ applies }) => applies !== 'never');
  const rules = speaking.map(({ policy, effect, applies }): Rule => {
    const known = policyPlaces.get(policy);
    const place = known === undefined ? section : positionInPolicy(known, 0);
    const verb = effect === 'permit' ? 'permits' : 'forbids';
    if (applies === 'depends') {
      const text = `the policy ${policy} ${verb} it depending on the parameters or the label`;
      return { control: 'cedar', effect: 'depends', code: 'POLICY_CEDAR_DENIED', text, place };
    }
    const text = `the policy ${policy} ${verb} it`;
    return effect === 'permit' ? allowing('cedar', place, text)
      : refusing('cedar', 'POLICY_CEDAR_DENIED', place, text);
  });
  if (speaking.some(({ effect }) => effect === 'permit')) return rules;
  const text = `none of the ${mesh.policies.size} Cedar policies permits it`;
  return [...rules, refusing('cedar', 'POLICY_CEDAR_DENIED', section, text)];
}
