// SPDX-License-Identifier: Apache-2.0
import { SqliteMandateStore } from '../adapters/mandate-store-sqlite.ts';
import type { BatchedDatabase } from '../adapters/sqlite-batch.ts';
import type { BusConnection } from '../bus/connection.ts';
import type { ControlPort } from '../bus/control-port.ts';
import type { LateRefusal } from '../control/late-refusals.ts';
import { MandateRegistry, type RegisteredMandate } from '../control/mandate-registry.ts';
import { endTask, type RevocationsContext } from '../control/revocations.ts';
import type { PeerVerifier } from '../identity/peer.ts';
import type { RevocationView } from '../identity/revocation.ts';
import { rightKey } from '../mandate/mandate.ts';
import { readUnverified } from '../mandate/narrow.ts';
import { createMandateVerifier, type MandateVerifier } from '../mandate/verifier.ts';
import { peersOf } from '../mandate/verify.ts';
import type { Mesh, Operator } from '../mesh/mesh.ts';
import type { Clock } from '../message/clock.ts';
import type { JsonObject } from '../message/json.ts';
import { faultOf } from './fault.ts';

export type NodeMandates = {
  readonly store: SqliteMandateStore;
  readonly registry: MandateRegistry;
  readonly port: Pick<ControlPort, 'endTask' | 'refusedLate'>;
};

/** What the registry of a node stands on. */
type Ground = {
  readonly clock: Clock;
  readonly database: BatchedDatabase;
  readonly live: { readonly mesh: Mesh };
  readonly operators: () => ReadonlyMap<string, Operator>;
  readonly connected: ReadonlyMap<string, BusConnection>;
  readonly log: (line: string) => void;
};

/** The registry of a node, on its own authority, operators and revocations. */
export function nodeMandatesOf(
  ground: Ground,
  verifier: PeerVerifier,
  context: RevocationsContext,
  /** Whether it is new, and will be looked at. */
  late: (refusal: LateRefusal) => boolean,
): NodeMandates {
  const revocations = context.list;
  const store = new SqliteMandateStore(ground.database);
  const registry = new MandateRegistry({
    store,
    verify: liveVerifier(ground, verifier, revocations),
    revocations,
    clock: ground.clock,
    instanceOf: (agent) => ground.connected.get(agent)?.peer.spiffeId ?? '',
  });
  const port: NodeMandates['port'] = {
    endTask: (agent, task) => endTaskFor(agent, task, registry, context),
    refusedLate: (agent, task, message) => {
      // What it said before costs nothing more, nor does a task that is over.
      if (!late({ agent, task, message }) || revocations.isTaskEnded(task)) return;
      if (!takesPart(agent, task, store)) return;
      endTask(task, agent, context).catch((failure: unknown) => ground.log(faultOf(failure)));
    },
  };
  return { store, registry, port };
}

/** Each chain is judged by the version of the mesh that is in force when it comes. */
function liveVerifier(
  { live, clock, operators }: Ground,
  verifier: PeerVerifier,
  revocations: RevocationView,
): MandateVerifier {
  const bind = (mesh: Mesh): MandateVerifier =>
    createMandateVerifier({
      mesh,
      clock,
      peer: peersOf(verifier),
      operatorKey: (name) => operators().get(name)?.publicKey ?? null,
      revocations,
      // It is where revocations come from.
      isFresh: () => true,
    });
  let bound = { mesh: live.mesh, verify: bind(live.mesh) };
  return (chain, presented) => {
    if (bound.mesh !== live.mesh) bound = { mesh: live.mesh, verify: bind(live.mesh) };
    return bound.verify(chain, presented);
  };
}

const chainsRead = 256;

/** Whether a mandate of the task was given to this agent, or lets somebody ask it. */
function takesPart(agent: string, task: string, store: SqliteMandateStore): boolean {
  return store.ofTask(task, chainsRead).some(({ chain }) => {
    const read = readUnverified(chain);
    if (!read.ok) return false;
    const { path, rights } = read.mandate;
    return path.includes(`agent:${agent}`) || rights.some((right) => right.right === 'request' && right.executor === agent);
  });
}

/** Ends a task for the agent that started it; null when it is ended and on record, else a code. */
async function endTaskFor(
  agent: string,
  task: string,
  registry: MandateRegistry,
  revocations: RevocationsContext,
): Promise<string | null> {
  if (registry.originOf(task) !== `agent:${agent}`) return 'CONTROL_TASK_FOREIGN';
  const answer = await endTask(task, agent, revocations);
  return answer.ok ? null : answer.code;
}

/** Mandates that were registered, newest first, for operators; of one task where it is named. */
export function listMandates(
  task: string | null,
  limit: number,
  { store }: NodeMandates,
  revocations: RevocationView,
): readonly JsonObject[] {
  const found = task === null ? store.newest(limit) : store.ofTask(task, limit);
  return found.flatMap((registered) => summaryOf(registered, revocations));
}

function summaryOf(
  registered: RegisteredMandate,
  revocations: RevocationView,
): readonly JsonObject[] {
  const read = readUnverified(registered.chain);
  if (!read.ok) return [];
  const { id, task, path, depth, sponsor, rights, notBefore, expiresAt, lineage } = read.mandate;
  const revoked = lineage.some((one) => revocations.isMandateRevoked(one));
  return [{
    id, task, sponsor, depth, notBefore, expiresAt, revoked,
    path: [...path],
    rights: rights.map(rightKey),
    taskEnded: revocations.isTaskEnded(task),
    registeredAt: registered.at,
  }];
}
