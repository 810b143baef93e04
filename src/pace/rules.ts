// SPDX-License-Identifier: Apache-2.0
import type { AutonomyTier, Mesh } from '../mesh/mesh.ts';
import {
  defaultPaceSettings, paceAuthorities, type PaceAuthority, type PaceSettings, type WorkflowSettings,
} from '../mesh/pace-settings.ts';
import { isResident } from '../mesh/spawn.ts';
import { covers, parseUnit, type AgentPlace, type PaceUnit } from './unit.ts';

/** What the mesh file says that PACE goes by; the same for everybody who computes a clamp. */
export type PaceRules = {
  readonly autonomyTier: AutonomyTier;
  readonly settings: PaceSettings;
  readonly places: ReadonlyMap<string, AgentPlace>;
  /** Whom each agent can reach along declared edges, itself left out. */
  readonly reach: ReadonlyMap<string, ReadonlySet<string>>;
};

export function paceRulesOf(mesh: Mesh): PaceRules {
  const settings = mesh.pace ?? defaultPaceSettings;
  const workflows = [...settings.workflows.values()];
  const places = new Map<string, AgentPlace>();
  for (const agent of mesh.agents.values()) {
    const { name, zone, role, fromTemplate = null } = agent;
    places.set(name, {
      name,
      zone,
      types: fromTemplate === null ? [role] : [role, fromTemplate],
      workflows: workflows.filter((one) => isOf(one, name, fromTemplate)).map((one) => one.name),
      standbyFor: standbyFor(workflows, name),
    });
  }
  return { autonomyTier: mesh.autonomyTier, settings, places, reach: reachOf(mesh) };
}

/** True when the unit is one of this mesh. */
export function isKnownUnit(unit: PaceUnit, rules: PaceRules): boolean {
  if (unit.kind === 'mesh') return true;
  if (unit.kind === 'workflow') return rules.settings.workflows.has(unit.value);
  return [...rules.places.values()].some((place) => covers(unit, place));
}

export function agentsIn(unit: PaceUnit, rules: PaceRules): readonly string[] {
  return [...rules.places.values()].filter((place) => covers(unit, place)).map(({ name }) => name);
}

/** Who belongs to a unit, by the mesh file in force when it is asked; to the whole mesh also who was in it once. */
export function membersBy(mesh: () => Mesh): (unit: string) => (agent: string) => boolean {
  return (text) => {
    const unit = parseUnit(text);
    if (unit?.kind === 'mesh') return () => true;
    const names = new Set(unit === null ? [] : agentsIn(unit, paceRulesOf(mesh())));
    return (agent) => names.has(agent);
  };
}

/** What an operator may do; where the mesh file divides nothing, everything. */
export function authoritiesOf(operator: string, { settings }: PaceRules): ReadonlySet<PaceAuthority> {
  const { authorities } = settings;
  if (authorities === null) return new Set(paceAuthorities);
  return new Set(paceAuthorities.filter((one) => authorities.get(one)?.has(operator) === true));
}

/** A standby belongs to its workflow: what stops the workflow stops it as well. */
function isOf(workflow: WorkflowSettings, agent: string, template: string | null): boolean {
  if (workflow.agents.includes(agent)) return true;
  if (template !== null && workflow.agents.includes(template)) return true;
  return [...workflow.standbys.values()].includes(agent);
}

function standbyFor(workflows: readonly WorkflowSettings[], agent: string): string | null {
  for (const { standbys } of workflows) {
    for (const [replaced, standby] of standbys) if (standby === agent) return replaced;
  }
  return null;
}

function reachOf(mesh: Mesh): ReadonlyMap<string, ReadonlySet<string>> {
  const next = new Map<string, string[]>();
  for (const { from, to } of mesh.edges) next.set(from, [...(next.get(from) ?? []), to]);
  const reach = new Map<string, ReadonlySet<string>>();
  for (const agent of mesh.agents.values()) {
    if (!isResident(agent) && (agent.fromTemplate ?? null) === null) continue;
    const found = new Set<string>();
    const open = [...(next.get(agent.name) ?? [])];
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      if (found.has(at)) continue;
      found.add(at);
      open.push(...(next.get(at) ?? []));
    }
    found.delete(agent.name);
    reach.set(agent.name, found);
  }
  return reach;
}
