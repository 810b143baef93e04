// SPDX-License-Identifier: Apache-2.0
import { groupKey, meshMap, type MapAgent, type MapPlace } from '../console/mesh-map.ts';
import { breakerOfAgent } from '../control/allotments.ts';
import type { Agent } from '../mesh/mesh.ts';
import { rolesOf } from '../mesh/operator-roles.ts';
import type { StandingApproval } from '../mesh/oversight.ts';
import { isResident } from '../mesh/spawn.ts';
import type { JsonObject } from '../message/json.ts';
import { fatigueLimits, fatigueSignals } from '../oversight/fatigue.ts';
import { listAgents, showAgent } from './node-agents.ts';
import { agentsOf } from './node-control.ts';
import type { ViewsGround } from './console-views.ts';

const decidedLooked = 5_000;
const agentsShown = 100;
const namesShown = 8;

/** What a person who comes in the morning wants to know first. */
export async function overviewView({ parts, foundations }: ViewsGround): Promise<JsonObject> {
  const { recorder, cosigner, live, clock } = foundations;
  const { store } = parts.approvals;
  const { mesh } = live;
  const status = recorder.status();
  const agents = [...mesh.agents.values()].filter(isResident);
  const { connected, revocations } = parts.busContext;
  return {
    name: mesh.trustDomain,
    policy: { version: live.version, digest: mesh.digest },
    mode: mesh.mode,
    autonomyTier: mesh.autonomyTier,
    development: mesh.development === true,
    nowMs: clock.nowMs(),
    pending: store.pending().length,
    changes: (await parts.workflows.changes.waiting()).length,
    agents: agents.length,
    connected: [...connected.keys()].length,
    away: some(agents, (name) => !connected.has(name)),
    stopped: some(agents, (name) => revocations.isNameRevoked(name) ||
      parts.pace.clamp(name).allows === 'nothing' || breakerOfAgent(name, parts.allotments) === 'open'),
    isolationNone: [...connected].filter(([, line]) => line.isolation === 'none').length,
    recorder: {
      state: status.state, code: status.code, entries: recorder.size(),
      cosignedAgeMs: cosigner.ageMs(), witnesses: cosigner.statuses().length,
    },
    deselected: mesh.deselected.map((one) => ({ ...one })),
  };
}

/** How many, and the first few by name. */
function some(agents: readonly Pick<Agent, 'name'>[], has: (name: string) => boolean): JsonObject {
  const names = agents.map(({ name }) => name).filter(has);
  return { count: names.length, names: names.slice(0, namesShown) };
}

/** The mesh as boxes and ways between them, of all of it or of a part. */
export function meshView(place: MapPlace, ground: ViewsGround): JsonObject {
  const { mesh } = ground.foundations.live;
  const agents = mapAgents(ground);
  const { zones, places, links, members, ...counts } = meshMap(agents, mesh.edges, place);
  return {
    ...counts,
    zones: zones.map((zone) => ({ ...zone, clearance: mesh.zones.get(zone.zone)?.clearance ?? null })),
    places: places.map((one) => ({ ...one })),
    links: links.map((link) => ({ ...link, actions: [...link.actions] })),
    members: members.map((one) => ({ ...one, tools: [...one.tools] })),
  };
}

/** Box that an agent of the mesh stands in; null for a name that the mesh file does not have. */
export function groupOfAgent(name: string, { foundations }: ViewsGround): string | null {
  const agent = foundations.live.mesh.agents.get(name);
  return agent === undefined ? null : groupKey({ ...agent, template: agent.fromTemplate ?? null });
}

function mapAgents({ parts, foundations }: ViewsGround): readonly MapAgent[] {
  const { connected, revocations } = parts.busContext;
  const { children } = parts.spawning;
  return [...foundations.live.mesh.agents.values()]
    .filter((agent) => isResident(agent) || children.of(agent.name) !== null)
    .map((agent) => ({
      name: agent.name,
      role: agent.role,
      zone: agent.zone,
      template: agent.fromTemplate ?? null,
      originator: agent.originator,
      tools: [...agent.tools],
      state: isStopped(agent.name) ? 'stopped' : connected.has(agent.name) ? 'up' : 'away',
    }));

  /** Revoked, isolated or stopped by PACE, or broken off. */
  function isStopped(name: string): boolean {
    return revocations.isNameRevoked(name) || parts.pace.clamp(name).allows === 'nothing' ||
      breakerOfAgent(name, parts.allotments) === 'open';
  }
}

/** Every agent, or one with its certificates, bounds and revocations. */
export function agentViews(
  id: string | null,
  search: string,
  { parts, foundations }: ViewsGround,
): JsonObject | null {
  const context = agentsOf(parts, foundations);
  if (id === null) {
    const words = search.toLowerCase();
    const found = listAgents(context).filter(({ name, role, sponsor }) =>
      `${String(name)} ${String(role)} ${String(sponsor ?? '')}`.toLowerCase().includes(words));
    return {
      total: found.length,
      agents: found.slice(0, agentsShown).map((agent) => {
        const name = String(agent['name']);
        const { phase, allows, draining = false } = parts.pace.clamp(name);
        const breaker = breakerOfAgent(name, parts.allotments);
        return { ...agent, zone: foundations.live.mesh.agents.get(name)?.zone ?? null, phase, allows, draining, breaker };
      }),
    };
  }
  const shown = showAgent(id, context);
  const agent = foundations.live.mesh.agents.get(id);
  if (shown === null || agent === undefined) return null;
  const { oispec } = agent;
  return {
    ...shown,
    zone: agent.zone,
    clearance: agent.clearance,
    tools: [...agent.tools],
    originator: agent.originator,
    oispec: oispec === null ? null : { id: oispec.id, version: oispec.version, goal: oispec.goal },
  };
}

/** What of PACE is not as usual; who is in which phase stands with each agent. */
export function paceView({ parts }: ViewsGround): JsonObject {
  const { agents: _agents, ...shown } = parts.pace.show();
  return shown;
}

function shownStanding({ where, ...approval }: StandingApproval): JsonObject {
  return {
    ...approval,
    where: [...where].map(([name, within]) => ({
      name, within: 'atMost' in within ? `at most ${within.atMost}` : `one of ${within.oneOf.join(', ')}`,
    })),
  };
}

/** The people who decide, the signs that they are tired, and what they approved ahead. */
export function peopleView({ parts, foundations }: ViewsGround): JsonObject {
  const { approvals } = parts;
  const known = new Map(
    [...approvals.store.list(decidedLooked), ...approvals.store.pending()].map((one) => [one.id, one]),
  );
  return {
    operators: [...approvals.operators.values()].map((operator) =>
      ({ name: operator.name, roles: [...rolesOf(operator)] })),
    signals: fatigueSignals([...known.values()], foundations.clock.nowMs()).map((signal) => ({ ...signal })),
    limits: { ...fatigueLimits },
    probesPerDay: foundations.live.mesh.oversight?.probesPerDay ?? 0,
    standing: (foundations.live.mesh.oversight?.standing ?? []).map(shownStanding),
  };
}
