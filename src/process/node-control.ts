// SPDX-License-Identifier: Apache-2.0
import type { ControlApi } from '../adapters/control-http.ts';
import type { BusContext } from '../bus/connection.ts';
import { applyRevocation } from '../control/revocations.ts';
import type { Mesh } from '../mesh/mesh.ts';
import { defaultRetentionDays } from '../mesh/recorder-settings.ts';
import { isResident } from '../mesh/spawn.ts';
import type { JsonObject } from '../message/json.ts';
import { decide } from '../oversight/approvals.ts';
import { shownApproval } from '../oversight/probe.ts';
import { searchApprovals } from '../oversight/search.ts';
import { plantOne } from './node-approvals.ts';
import { listAgents, showAgent, type AgentsContext } from './node-agents.ts';
import { shownLineage } from './node-contagion.ts';
import type { PasskeyApi } from './node-console.ts';
import { listMandates } from './node-mandates.ts';
import type { Foundations, Parts } from './node-parts.ts';
import { workflowApi } from './node-workflows.ts';

/** The running node, as far as the control API asks of it. */
type ControlledNode = {
  readonly busPort: number;
  readonly enrolmentAddress: string;
  readonly joinToken: (agent: string) => Promise<string>;
};

/** What people on this machine may ask of a running node, and what becomes of it. */
export function controlApi(
  parts: Parts,
  foundations: Foundations,
  passkeys: PasskeyApi,
  node: () => ControlledNode | null,
): ControlApi {
  const { store } = parts.approvals;
  const { live } = foundations;
  const { revocations } = parts.busContext;
  const agents = agentsOf(parts, foundations);
  return {
    status: () => {
      return {
        connected: [...parts.busContext.connected.keys()],
        recorder: recorderOf(foundations),
        kms: { ...parts.keys.kms.standing },
        pendingApprovals: store.pending().length,
        ...loadOf(parts.busContext),
        policy: { version: live.version, digest: live.mesh.digest },
        busPort: node()?.busPort ?? null,
        enrolment: node()?.enrolmentAddress ?? null,
      };
    },
    approvals: (query) => {
      const { approvals, total } = searchApprovals(store, query);
      return { approvals: approvals.map(shownApproval), total };
    },
    approval: (id) => {
      const found = store.get(id);
      return found === null ? null : shownApproval(found);
    },
    decide: async (signed) => {
      const answer = await decide(signed, parts.approvals);
      return { ok: answer.ok, code: answer.ok ? null : answer.code };
    },
    plantProbe: async () => (await plantOne(parts.approvals, foundations)) ? null : 'OVERSIGHT_PROBE_NONE',
    passkeys,
    policy: () => parts.policies.show(),
    reload: (signed, bundle) => parts.policies.apply(signed, bundle),
    knowledge: parts.knowledge.api,
    workflows: workflowApi(parts.workflows, () => live.mesh),
    mandateChain: (id) => parts.mandates.store.chainOf(id),
    mandates: (task, limit) => listMandates(task, limit, parts.mandates, revocations),
    agents: () => listAgents(agents),
    contagion: (limit) => parts.busContext.contagion.lineages(limit).map(shownLineage),
    agent: (name) => showAgent(name, agents),
    revoke: async (signed) => {
      const answer = await applyRevocation(signed, parts.revocations);
      if (!answer.ok) return { ok: false, code: answer.code, version: null };
      return { ok: true, code: null, version: answer.change.version };
    },
    ...callsApi(parts),
    recorderOrder: (signed, attached) => parts.forensics.order(signed, attached),
    pace: () => parts.pace.show(),
    orderPace: (signed) => orderPace(signed, parts),
    observed: async (signed) => ({ code: await parts.pace.heardObserver(signed) }),
    spawn: async (signed) => {
      const answer = await parts.spawning.spawnSigned(signed);
      if (answer.state === 'refused') return { code: answer.code };
      if (answer.state === 'held') return { code: 'CONTROL_SPAWN_WAITS' };
      const { name, spiffeId, lineage } = answer.child;
      return { code: null, child: name, spiffeId, task: lineage.task, endsAt: lineage.endsAt };
    },
    joinToken: (agent) => joinTokenFor(agent, parts, live.mesh, node()),
  };
}

/** A join token, or why nobody can join by that name. */
async function joinTokenFor(
  agent: string,
  { busContext, pace }: Parts,
  mesh: Mesh,
  node: ControlledNode | null,
): ReturnType<ControlApi['joinToken']> {
  const manifest = mesh.agents.get(agent);
  if (manifest === undefined || !isResident(manifest)) return { code: 'CONTROL_AGENT_UNKNOWN' };
  if (busContext.revocations.isNameRevoked(agent) || pace.isEnded(agent)) return { code: 'IDENTITY_REVOKED' };
  return node === null ? { code: 'CONTROL_ENROLMENT_REFUSED' } : { token: await node.joinToken(agent) };
}

async function orderPace(signed: string, { pace }: Parts): Promise<JsonObject> {
  const answer = await pace.order(signed);
  if (!answer.ok) return { code: answer.code };
  const suspended = answer.steps.some((step) => step.kind === 'stop' && step.stop.stage === 'suspended');
  return { code: null, id: answer.id, changed: answer.steps.length, suspended };
}

function callsApi({ calls }: Parts): Pick<ControlApi, 'calls' | 'settleCall'> {
  return { calls: () => calls.list(), settleCall: (signed) => calls.settle(signed) };
}

/** How the recorder is, and its witnesses. */
function recorderOf({ recorder, cosigner, live }: Foundations): JsonObject {
  const { state, code, checkpointSize, checkpointAt } = recorder.status();
  return {
    state,
    code,
    log: recorder.logName,
    entries: recorder.size(),
    retentionDays: { ...(live.mesh.recorder?.retentionDays ?? defaultRetentionDays) },
    checkpointSize,
    checkpointAt,
    cosignedSize: cosigner.cosignedSize,
    cosignedAt: cosigner.cosignedAt,
    cosignedAgeMs: cosigner.ageMs(),
    witnessAlarms: [...cosigner.alarms()],
    witnesses: cosigner.statuses().map((one) => ({ ...one })),
  };
}

/** What waits and who may act, for the metrics: counts only. */
function loadOf({ mesh, queue, connected, clock }: BusContext): JsonObject {
  const waiting = [...mesh.agents.keys()].map((agent) => queue.pendingCount(agent));
  const nowMs = clock.nowMs();
  return {
    queued: waiting.reduce((sum, count) => sum + count, 0),
    queuedLongest: waiting.reduce((most, count) => Math.max(most, count), 0),
    leases: [...connected.values()].filter(({ leases }) => nowMs < leases.untilMs).length,
  };
}

/** What lists of agents are made of. */
export function agentsOf(parts: Parts, { live }: Foundations): AgentsContext {
  const { connected, revocations } = parts.busContext;
  return {
    get mesh() {
      return live.mesh;
    },
    connected,
    revocations,
    chains: parts.chains,
    children: parts.spawning.children,
    allotments: parts.allotments,
  };
}
