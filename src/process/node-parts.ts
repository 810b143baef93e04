// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { openBuiltinAuthority } from '../adapters/authority-builtin.ts';
import { SqliteLedgerStore, SqliteLineageStore } from '../adapters/bounds-store-sqlite.ts';
import { steadyClock } from '../adapters/clock-steady.ts';
import type { ControlApi } from '../adapters/control-http.ts';
import { CoalescingRecorder } from '../adapters/coalescing-recorder.ts';
import {
  SqliteApprovalStore,
  SqliteIssuedChains,
  SqliteJoinTokenStore,
} from '../adapters/control-store-sqlite.ts';
import { newKey } from '../adapters/credential-keys.ts';
import { openKeyFileKms } from '../adapters/kms-encrypted-file.ts';
import { loadOrCreateOperatorKey } from '../adapters/operator-keys.ts';
import { SqliteMessageQueue } from '../adapters/queue-sqlite.ts';
import { systemRandom } from '../adapters/random-system.ts';
import { SqliteSidecarRuns } from '../adapters/sidecar-runs-sqlite.ts';
import { SqliteRevocationStore } from '../adapters/revocation-store-sqlite.ts';
import type { BatchedDatabase } from '../adapters/sqlite-batch.ts';
import type { BusConnection, BusContext, ControlPort } from '../bus/connection.ts';
import type { RunPort } from '../bus/run.ts';
import type { SpawnPort } from '../bus/spawned.ts';
import { ContagionMonitor, defaultContagionLimits } from '../contagion/monitor.ts';
import { shownLineage } from './node-contagion.ts';
import { LocalBackbone } from '../bus/local-backbone.ts';
import { noApprover } from '../oversight/approver.ts';
import { decide, hold, type Approval, type ApprovalsContext } from '../oversight/approvals.ts';
import { Turns } from '../oversight/turns.ts';
import {
  askAllotment,
  noteHandOver,
  settleAllotment,
  type AllotmentsContext,
} from '../control/allotments.ts';
import { parentOf, type Child } from '../control/child.ts';
import { renew, type ChildGrant, type EnrolmentContext } from '../control/enrolment.ts';
import { applyRevocation, revokeByNode, type RevocationsContext } from '../control/revocations.ts';
import { noAttestor } from '../identity/attestor.ts';
import type { Authority, Credential, PeerIdentity } from '../identity/credential.ts';
import { credentialFromPem } from '../identity/credential-pem.ts';
import { createPeerVerifier, readTrustBundle, type PeerVerifier } from '../identity/peer.ts';
import type { RevocationList } from '../identity/revocation.ts';
import { nodeSpiffeId, parseSpiffeId } from '../identity/spiffe-id.ts';
import { svidLifetimes } from '../mesh/credential-lifetime.ts';
import type { Mesh, Operator } from '../mesh/mesh.ts';
import { isResident } from '../mesh/spawn.ts';
import type { Clock } from '../message/clock.ts';
import { mintUlid } from '../message/identifiers.ts';
import { primaryPace } from '../pace/pace-view.ts';
import { plaintextProtection } from '../protection/protection.ts';
import type { Cosigner } from '../recorder/cosigner.ts';
import type { FlightRecorder } from '../recorder/recorder.ts';
import { TokenBuckets } from '../scanner/rate.ts';
import { createSchemaRegistry } from '../scanner/schema-registry.ts';
import type { NodeFrame } from '../wire/frame.ts';
import { nodeDirectories } from './directories.ts';
import { faultOf } from './fault.ts';
import { listAgents, showAgent } from './node-agents.ts';
import { buildChildren, type NodeChildren } from './node-children.ts';

export const nodeName = 'main';

/** What a node stands on; made first, closed last. */
export type Foundations = {
  readonly recorder: FlightRecorder;
  readonly cosigner: Cosigner;
  readonly clock: Clock;
  readonly database: BatchedDatabase;
  readonly log: (line: string) => void;
};

/** The wired parts of a node, before any socket listens. */
export type Parts = {
  readonly authority: Authority;
  readonly credential: Credential;
  readonly bundlePem: string;
  readonly verifier: PeerVerifier;
  readonly busContext: BusContext;
  readonly allotments: AllotmentsContext;
  readonly approvals: ApprovalsContext;
  readonly enrolment: EnrolmentContext;
  readonly revocations: RevocationsContext;
  readonly chains: SqliteIssuedChains;
  readonly spawning: NodeChildren;
  readonly localOperator: string | null;
};

/** Opens the stores and the authority of a node and wires bus and control plane on them. */
export async function buildParts(
  options: { readonly mesh: Mesh; readonly stateDirectory: string },
  foundations: Foundations,
): Promise<Parts> {
  const { mesh, stateDirectory } = options;
  const { recorder, clock, database } = foundations;
  const directories = nodeDirectories(stateDirectory);
  const authority = await openAuthority(mesh, directories.node, clock);
  const bundlePem = authority.bundlePem();
  const credential = await issueNodeCredential(authority, mesh);
  const verifier = createPeerVerifier(
    readTrustBundle(bundlePem, mesh.trustDomain), clock, svidLifetimes(mesh),
  );
  const { operators, localOperator } = await operatorsOf(mesh, directories.operators);
  const chains = new SqliteIssuedChains(database, clock.nowMs());
  const connected = new Map<string, BusConnection>();
  const approvals = approvalsOf(mesh, foundations, operators, connected);
  const revocations = revocationsOf(mesh, foundations, operators, (change) => {
    for (const connection of connected.values()) connection.revocationApplied(change);
    spawning.children.revocationsChanged();
  });
  const spawning = buildChildren(mesh, foundations, approvals, revocations, connected);
  const { list } = revocations;
  const enrolment: EnrolmentContext = {
    mesh,
    authority,
    tokens: new SqliteJoinTokenStore(database),
    revocations: list,
    recorder,
    clock,
    random: systemRandom,
    childOf: (agent) => grantOf(spawning.children.of(agent), connected),
    issued: async (thumbprint, chain, expiresAtMs) => {
      verifier.verifyPem(chain);
      await chains.add(thumbprint, chain, expiresAtMs, clock.nowMs());
    },
  };
  const allotments = allotmentsOf(mesh, foundations, spawning);
  const queue = new SqliteMessageQueue(database, clock.nowMs(), systemRandom);
  const control = {
    ...controlPortOf(foundations, approvals, enrolment, chains, allotments),
    ...spawning.port,
    ...runPortOf(foundations, revocations),
  };
  const busContext: BusContext = {
    mesh,
    clock,
    pace: primaryPace,
    schemas: createSchemaRegistry(mesh.schemas.values()),
    protection: plaintextProtection,
    attestor: noAttestor,
    ...ratesOf(mesh.limits),
    contagion: new ContagionMonitor(
      mesh.limits.contagion ?? defaultContagionLimits,
      systemRandom.bytes(32),
      clock.nowMs(),
    ),
    queue,
    recorder,
    patientRecorder: new CoalescingRecorder(recorder),
    revocations: list,
    lineageOf: (agent) => spawning.children.of(agent)?.lineage ?? null,
    noteHandOver: (body) => noteHandOver(body, allotments),
    identityOf: (thumbprint) => issuedPeer(thumbprint, verifier, chains, list),
    backbone: new LocalBackbone(queue),
    control,
    connected,
  };
  const plane = { allotments, approvals, enrolment, revocations, chains, spawning, localOperator };
  return { authority, credential, bundlePem, verifier, busContext, ...plane };
}

function ratesOf({ messagesPerSecond, messageBurst }: Mesh['limits']) {
  return {
    rates: new TokenBuckets({ perSecond: messagesPerSecond, burst: messageBurst }),
    askRates: new TokenBuckets({ perSecond: 10, burst: 50 }),
    // A tool call takes a few records of its own.
    recordRates: new TokenBuckets({ perSecond: messagesPerSecond * 4, burst: messageBurst * 4 }),
  };
}

async function openAuthority(mesh: Mesh, directory: string, clock: Clock): Promise<Authority> {
  return openBuiltinAuthority({
    directory: join(directory, 'authority'),
    trustDomain: mesh.trustDomain,
    kms: await openKeyFileKms(join(directory, 'kms.key'), systemRandom),
    clock,
    random: systemRandom,
    lifetimes: svidLifetimes(mesh),
  });
}

function allotmentsOf(
  mesh: Mesh,
  { recorder, clock, database }: Foundations,
  { children }: NodeChildren,
): AllotmentsContext {
  const ledger = new SqliteLedgerStore(database);
  return {
    mesh,
    ledger,
    lineage: new SqliteLineageStore(database),
    spawnedBy: (agent) =>
      (children.of(agent)?.lineage.ancestors ?? []).flatMap((id) => parseSpiffeId(id)?.name ?? []),
    recorder,
    clock: steadyClock(Math.max(clock.nowMs(), ledger.view.latestMs())),
    mintId: () => mintUlid(clock, systemRandom),
  };
}

function approvalsOf(
  mesh: Mesh,
  { recorder, clock, database }: Foundations,
  operators: ReadonlyMap<string, Operator>,
  connected: ReadonlyMap<string, BusConnection>,
): ApprovalsContext {
  return {
    store: new SqliteApprovalStore(database),
    recorder,
    clock,
    operators,
    pendingMax: mesh.limits.pendingApprovalsMax,
    turns: new Turns(),
    approver: noApprover,
    mintId: () => mintUlid(clock, systemRandom),
    settled: (approval) => {
      const frame = decidedFrame(approval);
      if (frame !== null) connected.get(approval.hold.executor)?.decided(frame);
    },
  };
}

function revocationsOf(
  mesh: Mesh,
  { recorder, clock, database }: Foundations,
  operators: ReadonlyMap<string, Operator>,
  applied: RevocationsContext['applied'],
): RevocationsContext {
  const store = new SqliteRevocationStore(database);
  return {
    mesh,
    list: store.load(clock.nowMs()),
    store,
    recorder,
    clock,
    operators,
    turns: new Turns(),
    mintId: () => mintUlid(clock, systemRandom),
    applied,
  };
}

function grantOf(
  child: Child | null,
  connected: ReadonlyMap<string, BusConnection>,
): ChildGrant | null {
  if (child === null) return null;
  const parent = parentOf(child);
  const peer = connected.get(parseSpiffeId(parent)?.name ?? '')?.peer;
  // A parent that is away just now: its line may come back, and nothing is issued until then.
  const parentExpiresAt = peer?.spiffeId === parent ? peer.expiresAtMs : 0;
  const { instance, spiffeId, lineage } = child;
  return { instance, spiffeId, lineage, parentExpiresAt };
}

function runPortOf(
  { database, clock, log }: Foundations,
  revocations: RevocationsContext,
): RunPort {
  const runs = new SqliteSidecarRuns(database);
  const failed = (failure: unknown): void => log(`node: runs: ${faultOf(failure)}`);
  return {
    lastRun: (spiffeId) => runs.last(spiffeId),
    noteRun: (spiffeId, run) => void runs.note(spiffeId, run, clock.nowMs()).catch(failed),
    forked: (peer) => void revokeByNode(peer.spiffeId, revocations).catch(failed),
  };
}

function controlPortOf(
  { clock }: Foundations,
  approvals: ApprovalsContext,
  enrolment: EnrolmentContext,
  chains: SqliteIssuedChains,
  allotments: AllotmentsContext,
): Omit<ControlPort, keyof SpawnPort | keyof RunPort> {
  return {
    boot: mintUlid(clock, systemRandom),
    operators: () => [...approvals.operators.values()],
    hold: async (held) => ({ approval: (await hold(held, approvals)).id }),
    decided: (message, executor) => decidedFrame(approvals.store.byMessage(message, executor)),
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

/** Operators of the mesh file; where it names none, one of this machine, said at start. */
async function operatorsOf(
  mesh: Mesh,
  directory: string,
): Promise<{ readonly operators: ReadonlyMap<string, Operator>; readonly localOperator: string | null }> {
  if (mesh.operators.size > 0) return { operators: mesh.operators, localOperator: null };
  const key = await loadOrCreateOperatorKey(join(directory, 'local.jwk'));
  const local: Operator = { name: 'local', publicKey: key.publicJwk };
  return { operators: new Map([['local', local]]), localOperator: 'local' };
}

export async function issueNodeCredential(authority: Authority, mesh: Mesh): Promise<Credential> {
  const key = await newKey();
  const svid = await authority.issue({
    csrPem: key.csrPem,
    spiffeId: nodeSpiffeId(mesh.trustDomain, nodeName),
    lifetimeMs: mesh.credentialRotationIntervalMs,
  });
  return credentialFromPem(svid.chainPem, key.privateKey);
}

function decidedFrame(approval: Approval | null): Extract<NodeFrame, { kind: 'decided' }> | null {
  if (approval === null || approval.state === 'pending') return null;
  return {
    kind: 'decided',
    message: approval.hold.message,
    approval: approval.id,
    outcome: approval.state,
    decisions: approval.decisions.map((made) => made.signed),
  };
}

/** The running node, as far as the control API asks of it. */
type ControlledNode = {
  readonly busPort: number;
  readonly enrolmentAddress: string;
  readonly joinToken: (agent: string) => Promise<string>;
};

export function controlApi(
  parts: Parts,
  foundations: Foundations,
  node: () => ControlledNode | null,
): ControlApi {
  const { store } = parts.approvals;
  const { mesh, connected, revocations } = parts.busContext;
  const { allotments, chains } = parts;
  const { children } = parts.spawning;
  const agents = { mesh, connected, revocations, chains, children, allotments };
  return {
    status: () => {
      const { state, code, checkpointSize, checkpointAt } = foundations.recorder.status();
      return {
        connected: [...parts.busContext.connected.keys()],
        recorder: {
          state,
          code,
          entries: foundations.recorder.size(),
          checkpointSize,
          checkpointAt,
          cosignedSize: foundations.cosigner.cosignedSize,
          cosignedAt: foundations.cosigner.cosignedAt,
          cosignedAgeMs: foundations.cosigner.ageMs(),
          witnesses: foundations.cosigner.statuses().map((one) => ({ ...one })),
        },
        pendingApprovals: store.pending().length,
        busPort: node()?.busPort ?? null,
        enrolment: node()?.enrolmentAddress ?? null,
      };
    },
    approvals: (limit) => store.list(limit),
    approval: (id) => store.get(id),
    decide: async (signed) => {
      const answer = await decide(signed, parts.approvals);
      return { ok: answer.ok, code: answer.ok ? null : answer.code };
    },
    agents: () => listAgents(agents),
    contagion: (limit) => parts.busContext.contagion.lineages(limit).map(shownLineage),
    agent: (name) => showAgent(name, agents),
    revoke: async (signed) => {
      const answer = await applyRevocation(signed, parts.revocations);
      if (!answer.ok) return { ok: false, code: answer.code, version: null };
      return { ok: true, code: null, version: answer.change.version };
    },
    spawn: async (signed) => {
      const answer = await parts.spawning.spawnSigned(signed);
      if (answer.state === 'refused') return { code: answer.code };
      if (answer.state === 'held') return { code: 'CONTROL_SPAWN_WAITS' };
      const { name, spiffeId, lineage } = answer.child;
      return { code: null, child: name, spiffeId, task: lineage.task, endsAt: lineage.endsAt };
    },
    joinToken: async (agent) => {
      const manifest = mesh.agents.get(agent);
      const joins = manifest !== undefined && isResident(manifest);
      return joins && !revocations.isNameRevoked(agent) ? ((await node()?.joinToken(agent)) ?? null) : null;
    },
  };
}
