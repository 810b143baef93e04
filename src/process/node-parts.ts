// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import {
  openBuiltinAuthority, rewrapAuthority, type BuiltinAuthorityOptions,
} from '../adapters/authority-builtin.ts';
import { SqliteLedgerStore } from '../adapters/bounds-store-sqlite.ts';
import { steadyClock } from '../adapters/clock-steady.ts';
import type { PolicyStore } from '../control/policies.ts';
import { PutAside } from '../control/put-aside.ts';
import { CoalescingRecorder } from '../adapters/coalescing-recorder.ts';
import {
  SqliteIssuedChains,
  SqliteJoinTokenStore,
} from '../adapters/control-store-sqlite.ts';
import { sqlitePutAside } from '../adapters/put-aside-store-sqlite.ts';
import { SqliteMessageQueue } from '../adapters/queue-sqlite.ts';
import { systemRandom } from '../adapters/random-system.ts';
import { SqliteRevocationStore } from '../adapters/revocation-store-sqlite.ts';
import type { BatchedDatabase } from '../adapters/sqlite-batch.ts';
import type { BusConnection, BusContext } from '../bus/connection.ts';
import type { CallsPort } from '../bus/calls-port.ts';
import type { ControlPort } from '../bus/control-port.ts';
import { ScanShare } from '../bus/crossing.ts';
import type { LeasePort } from '../bus/line-leases.ts';
import type { PutAsidePort } from '../bus/put-aside.ts';
import type { RunPort } from '../bus/run.ts';
import type { SpawnPort } from '../bus/spawned.ts';
import type { ChangePort } from '../bus/workflow-frames.ts';
import { ContagionMonitor, defaultContagionLimits } from '../contagion/monitor.ts';
import { InOrder } from '../bus/in-order.ts';
import { LocalBackbone } from '../bus/local-backbone.ts';
import { firewallOf } from './firewall-parts.ts';
import { hold, type ApprovalsContext } from '../oversight/approvals.ts';
import { Turns } from '../oversight/turns.ts';
import {
  askAllotment,
  noteHandOver,
  settleAllotment,
  type AllotmentsContext,
} from '../control/allotments.ts';
import type { PhaseJudging } from '../control/phase-judging.ts';
import type { ProgressContext } from '../control/progress.ts';
import { doneKeptMs, DoneWrites, isServedWrite } from '../control/done-writes.ts';
import { renew, type EnrolmentContext } from '../control/enrolment.ts';
import type { RevocationsContext } from '../control/revocations.ts';
import { noAttestor } from '../identity/attestor.ts';
import type { Authority, PeerIdentity } from '../identity/credential.ts';
import type { PeerVerifier } from '../identity/peer.ts';
import type { RevocationList } from '../identity/revocation.ts';
import { parseSpiffeId } from '../identity/spiffe-id.ts';
import { svidLifetimes } from '../mesh/credential-lifetime.ts';
import type { Operator } from '../mesh/mesh.ts';
import { DeclaredRecorder } from '../bus/declared-entry.ts';
import type { Clock } from '../message/clock.ts';
import { mintUlid } from '../message/identifiers.ts';
import type { EnforcementKeys } from '../protection/enforcement-keys.ts';
import type { Cosigner } from '../recorder/cosigner.ts';
import type { Recorder } from '../recorder/entry.ts';
import type { FlightRecorder } from '../recorder/recorder.ts';
import { PolicyStampingRecorder } from '../recorder/stamp-policy.ts';
import { TokenBuckets } from '../scanner/rate.ts';
import { nodeDirectories } from './directories.ts';
import { faultOf } from './fault.ts';
import type { LivePolicy } from './live-policy.ts';
import { approvalsOf, decidedFrame } from './node-approvals.ts';
import { watchedRecorder } from './node-alignment.ts';
import { callsOf, callsPortOf, type NodeCalls } from './node-calls.ts';
import { NodeForensics } from './node-forensics.ts';
import { openNodeKeys, type NodeKeys } from './node-keys.ts';
import { NodeIdentity } from './node-identity.ts';
import { newestEntries } from './newest-entries.ts';
import { leasePortOf, NodePace } from './node-pace.ts';
import { buildChildren, type NodeChildren } from './node-children.ts';
import { grantOf } from './child-grant.ts';
import { runPortOf } from './node-runs.ts';
import { NodeKnowledge } from './node-knowledge.ts';
import { lateRefusals } from './node-late.ts';
import { nodeMandatesOf, type NodeMandates } from './node-mandates.ts';
import { progressOf } from './node-progress.ts';
import { NodePolicies, operatorsOf } from './node-policies.ts';
import { busScanner } from './node-scanner.ts';
import { nodeWorkflowsOf, type NodeWorkflows } from './node-workflows.ts';

/** What a node stands on; made first, closed last. */
export type Foundations = {
  readonly recorder: FlightRecorder;
  readonly cosigner: Cosigner;
  readonly clock: Clock;
  readonly database: BatchedDatabase;
  readonly log: (line: string) => void;
  readonly live: LivePolicy;
  readonly policies: PolicyStore;
  /** Where the console is served; null while it is not. */
  readonly console: { url: string | null };
};

/** The wired parts of a node, before any socket listens. */
export type Parts = {
  readonly authority: Authority;
  readonly identity: NodeIdentity;
  readonly busContext: BusContext;
  readonly allotments: AllotmentsContext;
  readonly phases: PhaseJudging;
  readonly approvals: ApprovalsContext;
  readonly enrolment: EnrolmentContext;
  readonly revocations: RevocationsContext;
  readonly mandates: NodeMandates;
  readonly chains: SqliteIssuedChains;
  readonly spawning: NodeChildren;
  readonly calls: NodeCalls;
  readonly policies: NodePolicies;
  readonly workflows: NodeWorkflows;
  readonly forensics: NodeForensics;
  readonly knowledge: NodeKnowledge;
  readonly pace: NodePace;
  readonly keys: NodeKeys;
  readonly localOperator: string | null;
};

/** Where a node keeps its state, its identity and its keys. */
export type NodePlace = {
  readonly stateDirectory: string;
  /** The bus's identity in files that another program replaces; absent: by the built-in authority. */
  readonly svidDirectory?: string | null;
  /** Names the KMS, see docs/guides/data-domains.md; absent: a key file of the state directory. */
  readonly kmsFile?: string | null;
};

/** Opens the stores and the authority of a node and wires bus and control plane on them. */
export async function buildParts(
  options: NodePlace,
  foundations: Foundations,
): Promise<Parts> {
  const { clock, database, live, log } = foundations;
  const stamping = new PolicyStampingRecorder(foundations.recorder, () => live.version);
  const declared = new DeclaredRecorder(stamping, () => live.mesh);
  const done = doneWritesOf(foundations);
  const recorder = watchedRecorder(declared, foundations, done, () => pace);
  const directories = nodeDirectories(options.stateDirectory);
  const keys = await openNodeKeys(options.kmsFile ?? null, directories.node, foundations);
  const authority = await openAuthority(live, directories.node, clock, keys, log);
  const identity = await NodeIdentity.open({
    mesh: () => live.mesh, authority, clock, log, svidDirectory: options.svidDirectory ?? null,
  });
  const atStart = await operatorsOf(live.mesh, directories.operators);
  // A version that names operators binds from then on; one that names none needs a new start.
  const operators = () => (live.mesh.operators.size > 0 ? live.mesh.operators : atStart);
  const localOperator = live.mesh.operators.size > 0 ? null : ([...atStart.keys()][0] ?? null);
  const chains = new SqliteIssuedChains(database, clock.nowMs());
  const connected = new Map<string, BusConnection>();
  const plane = { ...foundations, recorder, operators, connected };
  const approvals = approvalsOf(plane);
  const revocations = revocationsOf(plane, (change) => {
    for (const connection of connected.values()) connection.revocationApplied(change);
    spawning.children.revocationsChanged();
  });
  const pace = new NodePace({ ...plane, done, stopsDirectory: directories.stops }, revocations);
  const spawning = buildChildren(plane, approvals, revocations);
  const { list } = revocations;
  const enrolment = enrolmentOf(plane, { authority, identity, chains, revocations: list, spawning });
  const aside = new PutAside(sqlitePutAside(database), clock);
  const late = lateRefusals(plane, foundations.recorder, approvals.approver, aside);
  const mandates = nodeMandatesOf(plane, identity.verifier, revocations, late);
  const { progress, phases } = progressOf(plane, revocations, (ask) => askAllotment('node', ask, allotments));
  const allotments = allotmentsOf(plane, spawning, approvals.store, mandates, progress);
  const calls = callsOf(plane, allotments.ledger);
  const policies = new NodePolicies({ ...plane, store: foundations.policies });
  const workflows = nodeWorkflowsOf(plane, { policies, revocations, approver: approvals.approver, mandates });
  const knowledge = await NodeKnowledge.open(directories.node, {
    ...plane, kms: keys.kms, rewrap: keys.rewrap, flight: foundations.recorder, revocations: list, aside,
  });
  const queue = new SqliteMessageQueue(database, clock.nowMs(), systemRandom);
  const control = {
    ...controlPortOf(clock, approvals, enrolment, chains, allotments),
    ...leasePortOf(identity, () => pace),
    ...mandates.port,
    ...callsPortOf(calls, pace.rollback),
    ...spawning.port,
    ...runPortOf(foundations, revocations),
    ...workflows.port,
    ...knowledge.port,
  };
  const forensics = new NodeForensics(directories, { ...plane, pace, flight: foundations.recorder });
  const busContext = busContextOf(plane, {
    queue,
    keys: keys.dataKeys,
    payloads: forensics, control, pace,
    revocations: list,
    mandates: mandates.registry,
    lineageOf: (agent) => spawning.children.of(agent)?.lineage ?? null,
    noteHandOver: (body) => noteHandOver(body, allotments),
    isRunAside: (run) => aside.isRunAside(run),
    identityOf: (thumbprint) => issuedPeer(thumbprint, identity.verifier, chains, list),
  });
  return {
    authority, identity, busContext, allotments, phases, approvals, enrolment, revocations, mandates, chains,
    policies, workflows, spawning, calls, forensics, knowledge, pace, keys, localOperator,
  };
}

/** What an earlier run of the node saw stands in the log, before this run's first entry. */
function doneWritesOf({ recorder, clock, live }: Foundations): DoneWrites {
  const before = recorder.size();
  return new DoneWrites(() => newestEntries(recorder, clock.nowMs() - doneKeptMs, before), (done) => isServedWrite(done, live.mesh));
}

function enrolmentOf(
  { live, database, recorder, clock, connected }: Plane,
  { authority, identity, chains, revocations, spawning }: {
    readonly authority: Authority;
    readonly identity: NodeIdentity;
    readonly chains: SqliteIssuedChains;
    readonly revocations: RevocationList;
    readonly spawning: NodeChildren;
  },
): EnrolmentContext {
  return {
    get mesh() {
      return live.mesh;
    },
    authority: { issue: (asked) => authority.issue(asked), bundlePem: () => identity.bundlePem },
    tokens: new SqliteJoinTokenStore(database),
    revocations,
    recorder,
    clock,
    random: systemRandom,
    childOf: (agent) => grantOf(spawning.children.of(agent), connected),
    issued: async (thumbprint, chain, expiresAtMs) => {
      identity.verifier.verifyPem(chain);
      await chains.add(thumbprint, chain, expiresAtMs, clock.nowMs());
    },
  };
}

async function openAuthority(
  live: LivePolicy,
  directory: string,
  clock: Clock,
  { kms, rewrap }: NodeKeys,
  log: Foundations['log'],
): Promise<Authority> {
  const options = {
    directory: join(directory, 'authority'), trustDomain: live.mesh.trustDomain, kms, rewrap, clock,
    random: systemRandom, lifetimes: (id) => svidLifetimes(live.mesh)(id),
  } satisfies BuiltinAuthorityOptions;
  const authority = await openBuiltinAuthority(options);
  await kms.keep(() => rewrapAuthority(options, (failure) => log(`node: authority: ${faultOf(failure)}`)), false);
  return authority;
}

function allotmentsOf(
  plane: Plane,
  { children, lineage }: NodeChildren,
  approvals: ApprovalsContext['store'],
  mandates: NodeMandates,
  progress: ProgressContext,
): AllotmentsContext {
  const { live, recorder, clock, database } = plane;
  const ledger = new SqliteLedgerStore(database);
  return {
    get mesh() {
      return live.mesh;
    },
    ledger,
    lineage,
    spawnedBy: (agent) =>
      (children.of(agent)?.lineage.ancestors ?? []).flatMap((id) => parseSpiffeId(id)?.name ?? []),
    approvals,
    delegateOf: (mandate) => mandates.store.delegateOf(mandate),
    progress,
    recorder,
    clock: steadyClock(Math.max(clock.nowMs(), ledger.view.latestMs())),
    mintId: () => mintUlid(clock, systemRandom),
  };
}

export type Plane = {
  readonly clock: Clock;
  readonly database: BatchedDatabase;
  readonly live: LivePolicy;
  readonly recorder: Recorder;
  readonly operators: () => ReadonlyMap<string, Operator>;
  readonly connected: Map<string, BusConnection>;
  readonly log: (line: string) => void;
  readonly console: Foundations['console'];
};

/** What follows from the mesh file is asked for at each step: a step sees one version, and whole. */
function busContextOf(
  { live, clock, recorder, connected, log }: Plane,
  parts: Pick<
    BusContext,
    'control' | 'pace' | 'revocations' | 'mandates' | 'identityOf' | 'lineageOf' | 'noteHandOver' | 'payloads'
    | 'isRunAside'
  > & { queue: SqliteMessageQueue; keys: EnforcementKeys },
): BusContext {
  return {
    get mesh() {
      return live.mesh;
    },
    policy: live,
    clock,
    get schemas() {
      return live.schemas;
    },
    protection: parts.keys,
    keyRates: new TokenBuckets({ perSecond: 500, burst: 1_000 }),
    attestor: noAttestor,
    get rates() {
      return live.rates;
    },
    get recordRates() {
      return live.recordRates;
    },
    secondReader: firewallOf(live.mesh.firewall, (failure) =>
      log(`node: firewall: ${faultOf(failure)}`)),
    keyAhead: (recipient, key) => connected.get(recipient)?.tell({ kind: 'key-ahead', ...key }),
    order: new InOrder(),
    scanner: busScanner(live, clock),
    scanShare: new ScanShare(),
    contagion: new ContagionMonitor(
      live.mesh.limits.contagion ?? defaultContagionLimits,
      systemRandom.bytes(32),
      clock.nowMs(),
    ),
    askRates: new TokenBuckets({ perSecond: 10, burst: 50 }),
    recorder,
    patientRecorder: new CoalescingRecorder(recorder),
    backbone: new LocalBackbone(parts.queue),
    connected,
    ...parts,
  };
}

function revocationsOf(
  plane: Plane,
  applied: RevocationsContext['applied'],
): RevocationsContext {
  const { recorder, clock, database, live } = plane;
  const store = new SqliteRevocationStore(database);
  return {
    get mesh() {
      return live.mesh;
    },
    list: store.load(clock.nowMs()),
    store,
    recorder,
    clock,
    get operators() {
      return plane.operators();
    },
    turns: new Turns(),
    mintId: () => mintUlid(clock, systemRandom),
    applied,
  };
}

function controlPortOf(
  clock: Clock,
  approvals: ApprovalsContext,
  enrolment: EnrolmentContext,
  chains: SqliteIssuedChains,
  allotments: AllotmentsContext,
): Omit<
  ControlPort,
  'endTask' | 'refusedLate' | 'knowledge' | keyof LeasePort | keyof SpawnPort | keyof RunPort | keyof CallsPort |
  keyof ChangePort | keyof PutAsidePort
> {
  return {
    boot: mintUlid(clock, systemRandom),
    // Roles stand in the mesh file, which each sidecar reads itself.
    operators: () => [...approvals.operators.values()]
      .map(({ name, publicKey }) => ({ name, publicKey })),
    hold: async (held) => ({ approval: (await hold(held, approvals)).id }),
    decided: (message, executor, digest) =>
      decidedFrame(approvals.store.byDigest(message, executor, digest)),
    allot: (executor, ask) => askAllotment(executor, ask, allotments),
    settle: (executor, report) => settleAllotment(executor, report, allotments),
    renew: async (peer, csr) => {
      const renewed = await renew(peer, csr, enrolment);
      return renewed.ok ? renewed.chainPem : null;
    },
    chainOf: (thumbprint) => chains.chainOf(thumbprint),
  };
}

/** Who holds an identity that this node issued, also before a restart; null once it has ended. */
function issuedPeer(
  thumbprint: string,
  verifier: PeerVerifier,
  chains: SqliteIssuedChains,
  revocations: RevocationList,
): PeerIdentity | null {
  const chain = chains.chainOf(thumbprint);
  if (chain !== null && verifier.byThumbprint(thumbprint) === null) verifier.verifyPem(chain);
  const peer = verifier.byThumbprint(thumbprint);
  return peer === null || revocations.isRevoked(peer) ? null : peer;
}
