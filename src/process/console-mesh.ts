// SPDX-License-Identifier: Apache-2.0
import { breakerOfAgent } from '../control/allotments.ts';
import { rolesOf } from '../mesh/operator-roles.ts';
import { isResident } from '../mesh/spawn.ts';
import type { JsonObject } from '../message/json.ts';
import { fatigueLimits, fatigueSignals } from '../oversight/fatigue.ts';
import { listAgents, showAgent } from './node-agents.ts';
import { agentsOf } from './node-control.ts';
import type { ViewsGround } from './console-views.ts';

const decidedLooked = 5_000;

/** What a person who comes in the morning wants to know first. */
export function overviewView({ parts, foundations }: ViewsGround): JsonObject {
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
    agents: agents.length,
    connected: [...connected.keys()].length,
    away: agents.map(({ name }) => name).filter((name) => !connected.has(name)),
    revoked: agents.map(({ name }) => name).filter((name) => revocations.isNameRevoked(name)),
    broken: agents.map(({ name }) => name)
      .filter((name) => breakerOfAgent(name, parts.allotments) === 'open'),
    isolationNone: [...connected].filter(([, line]) => line.isolation === 'none').map(([name]) => name),
    recorder: {
      state: status.state, code: status.code, entries: recorder.size(),
      cosignedAgeMs: cosigner.ageMs(), witnesses: cosigner.statuses().length,
    },
    deselected: mesh.deselected.map((one) => ({ ...one })),
  };
}

/** The mesh as a graph: who there is, who may speak to whom, and what may be asked. */
export function meshView({ parts, foundations }: ViewsGround): JsonObject {
  const { mesh } = foundations.live;
  const listed = new Map(listAgents(agentsOf(parts, foundations)).map((one) => [String(one['name']), one]));
  return {
    zones: [...mesh.zones.values()].map(({ name, clearance }) => ({ name, clearance })),
    agents: [...mesh.agents.values()].filter((agent) => listed.has(agent.name)).map((agent) => ({
      name: agent.name,
      role: agent.role,
      zone: agent.zone,
      originator: agent.originator,
      tools: [...agent.tools],
      template: agent.fromTemplate ?? null,
      connected: parts.busContext.connected.has(agent.name),
      revoked: parts.busContext.revocations.isNameRevoked(agent.name),
      isolation: parts.busContext.connected.get(agent.name)?.isolation ?? null,
      breaker: breakerOfAgent(agent.name, parts.allotments),
    })),
    edges: mesh.edges.filter(({ from, to }) => listed.has(from) && listed.has(to))
      .map(({ from, to, domain, schemas, mayRequest }) =>
        ({ from, to, domain, schemas: [...schemas], mayRequest: [...mayRequest] })),
    actions: [...mesh.actions.values()].map(({ name, risk, reversibility, tool, approval }) =>
      ({ name, risk, reversibility, tool, approval })),
  };
}

/** Every agent, or one with its certificates, bounds and revocations. */
export function agentViews(id: string | null, { parts, foundations }: ViewsGround): JsonObject | null {
  const context = agentsOf(parts, foundations);
  if (id === null) return { agents: listAgents(context) };
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

/** The people who decide, and the signs that they are tired. */
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
  };
}
