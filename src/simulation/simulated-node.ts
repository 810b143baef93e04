// SPDX-License-Identifier: Apache-2.0
import { SqliteLedgerStore, SqliteLineageStore } from '../adapters/bounds-store-sqlite.ts';
import { steadyClock } from '../adapters/clock-steady.ts';
import { SqliteApprovalStore } from '../adapters/control-store-sqlite.ts';
import { SqlitePaceStore } from '../adapters/pace-store-sqlite.ts';
import { SqliteProgressStore } from '../adapters/progress-store-sqlite.ts';
import { SqliteMessageQueue } from '../adapters/queue-sqlite.ts';
import { SqliteRevocationStore } from '../adapters/revocation-store-sqlite.ts';
import { SqliteSidecarRuns } from '../adapters/sidecar-runs-sqlite.ts';
import type { BatchedDatabase } from '../adapters/sqlite-batch.ts';
import { BusConnection, type BusContext } from '../bus/connection.ts';
import type { Line } from '../bus/control-port.ts';
import { DeclaredRecorder } from '../bus/declared-entry.ts';
import { ScanShare } from '../bus/crossing.ts';
import { InOrder } from '../bus/in-order.ts';
import { LocalBackbone } from '../bus/local-backbone.ts';
import { recordWaiting } from '../bus/waiting.ts';
import { ContagionMonitor, defaultContagionLimits } from '../contagion/monitor.ts';
import { askAllotment, noteHandOver, settleAllotment, type AllotmentsContext } from '../control/allotments.ts';
import { PaceKeeper, type PaceAnswer } from '../control/pace.ts';
import { recordUnrecorded, revokeByNode, type RevocationsContext } from '../control/revocations.ts';
import { SignWatch } from '../control/sign-watch.ts';
import { noInjectionModel } from '../firewall/injection-model.ts';
import { noAttestor } from '../identity/attestor.ts';
import { signLease } from '../identity/lease-statement.ts';
import { createPeerVerifier, readTrustBundle, type PeerVerifier } from '../identity/peer.ts';
import { svidLifetimes } from '../mesh/credential-lifetime.ts';
import { mintUlid } from '../message/identifiers.ts';
import { decide, expire, hold, type Approval, type ApprovalsContext, type DecisionAnswer } from '../oversight/approvals.ts';
import { noApprover } from '../oversight/approver.ts';
import { OpenedCards } from '../oversight/opened-cards.ts';
import { Turns } from '../oversight/turns.ts';
import type { PaceStep } from '../pace/book.ts';
import { agentsIn, paceRulesOf } from '../pace/rules.ts';
import { decidedFrame } from '../process/node-approvals.ts';
import { nodeMandatesOf } from '../process/node-mandates.ts';
import { plaintextProtection } from '../protection/protection.ts';
import type { SignedCheckpoint } from '../recorder/checkpoint.ts';
import { RecorderError, type Recorder } from '../recorder/entry.ts';
import type { RecorderOptions } from '../recorder/recorder-options.ts';
import { openRecorder, type FlightRecorder } from '../recorder/recorder.ts';
import { ed25519Signer } from '../recorder/signed-note.ts';
import { PolicyStampingRecorder } from '../recorder/stamp-policy.ts';
import { TokenBuckets } from '../scanner/rate.ts';
import { simulatedScanner } from './simulated-scanner.ts';
import { newMood, SimulatedFile, SimulatedLog } from './disk.ts';
import type { Ground } from './ground.ts';
import type { Accepted, Acceptor } from './network.ts';
import { SkewedClock, type Life } from './world.ts';

const lookEveryMs = 250;
const buckets = { perSecond: 10_000, burst: 10_000 };

/** One run of the node: made at a start, gone with a crash. */
export type NodeRun = {
  readonly life: Life;
  readonly recorder: FlightRecorder;
  readonly keeper: PaceKeeper;
  readonly approvals: ApprovalsContext;
  readonly revocations: RevocationsContext;
  readonly context: BusContext;
};

/** Bus, control plane and recorder: real code over a simulated machine that crashes and comes back. */
export class SimulatedNode implements Acceptor {
  readonly file: SimulatedFile;
  readonly log: SimulatedLog;
  readonly clock: SkewedClock;
  readonly #ground: Ground;
  readonly #rules;
  #checkpoint: SignedCheckpoint | null = null;
  #run: NodeRun | null = null;
  #life: Life = { alive: false };
  /** Certificates that were shown here; kept by the authority, on its own disk. */
  readonly #chains = new Map<string, string>();
  #boots = 0;

  constructor(ground: Ground) {
    this.#ground = ground;
    this.file = new SimulatedFile(ground.world);
    this.log = new SimulatedLog(ground.world, this.file.mood, 'c2ltdWxhdGVkLWxvZw', ground.weaken.is('log'));
    this.clock = new SkewedClock(ground.world);
    this.#rules = paceRulesOf(ground.mesh);
  }

  get run(): NodeRun | null {
    return this.#run;
  }

  /** Never settles where the machine crashes before it is up. */
  async start(): Promise<void> {
    const life: Life = { alive: true };
    this.#life = life;
    this.#boots += 1;
    const { world } = this.#ground;
    const floorMs = lastTimeIn(this.log.lines);
    this.clock.started(floorMs);
    const database = this.file.open(life);
    const recorder = await openRecorder({ ...this.#recorderOptions(life), log: this.log.open(life) });
    const run = this.#wire(life, database, recorder);
    await run.keeper.begin();
    await recordWaiting(run.context);
    await recordUnrecorded(run.revocations);
    this.#run = run;
    world.every(lookEveryMs, life, () => this.#look(run));
  }

  /** Whether a recorder takes these lines for its log, with the checkpoint that was kept elsewhere. */
  async opens(lines: readonly string[]): Promise<boolean> {
    const life: Life = { alive: true };
    const copy = new SimulatedLog(this.#ground.world, newMood(), this.log.name, false);
    copy.lines.push(...lines);
    try {
      await openRecorder({ ...this.#recorderOptions(life), log: copy.open(life), writeCheckpoint: async () => undefined });
      return true;
    } catch (failure) {
      if (failure instanceof RecorderError) return false;
      throw failure;
    }
  }

  crash(): void {
    this.#life.alive = false;
    this.#run = null;
    this.log.crash();
  }

  accept(chainPem: string, line: Line): Accepted | null {
    const run = this.#run;
    if (run === null) return null;
    const verdict = this.#verifier().verifyPem(chainPem);
    if (!verdict.ok || run.revocations.list.isRevoked(verdict.peer)) {
      line.drop('IDENTITY_REVOKED');
      return { receive: () => undefined, closed: () => undefined };
    }
    this.#chains.set(verdict.peer.thumbprint, chainPem);
    const connection = new BusConnection(verdict.peer, line, run.context);
    return {
      receive: (frame) => (run.life.alive ? connection.receive(frame) : undefined),
      closed: () => (run.life.alive ? connection.closed() : undefined),
    };
  }

  order(signed: string): Promise<PaceAnswer> | null {
    return this.#run?.keeper.order(signed) ?? null;
  }

  decide(signed: string): Promise<DecisionAnswer> | null {
    return this.#run === null ? null : decide(signed, this.#run.approvals);
  }

  pending(): readonly Approval[] {
    return this.#run?.approvals.store.pending() ?? [];
  }

  #recorderOptions(life: Life): Omit<RecorderOptions, 'log'> {
    const { world, identities } = this.#ground;
    return {
      clock: this.clock,
      random: world.chance,
      timer: (delayMs, run) => world.after(delayMs, life, run),
      signer: ed25519Signer(identities.recorder),
      writeCheckpoint: async (checkpoint) => {
        await world.wait(this.file.mood.slowMs, life);
        this.#checkpoint = checkpoint;
      },
      lastCheckpoint: this.#checkpoint,
    };
  }

  #look(run: NodeRun): void {
    const failed = (failure: unknown): void => this.#ground.report('node', failure);
    run.keeper.look().catch(failed);
    expire(run.approvals).catch(failed);
  }

  #verifier(): PeerVerifier {
    const { identities, mesh } = this.#ground;
    const bundle = readTrustBundle(identities.bundlePem, mesh.trustDomain);
    return createPeerVerifier(bundle, this.clock, svidLifetimes(mesh));
  }

  #wire(life: Life, database: BatchedDatabase, flight: FlightRecorder): NodeRun {
    const { mesh, world, observed } = this.#ground;
    const { clock } = this;
    const mintId = (): string => mintUlid(clock, world.chance);
    const failed = (failure: unknown): void => this.#ground.report('node', failure);
    const noted = observed.recorder(this.#ground.weaken.recorder(new PolicyStampingRecorder(flight, () => 1)));
    const recorder: Recorder = new SignWatch(new DeclaredRecorder(noted, () => mesh), (id, agent) => {
      keeper.happened({ kind: 'sign', id, agent, at: clock.nowMs() }).catch(failed);
    });
    const connected = new Map<string, BusConnection>();
    const operators = mesh.operators;
    const store = new SqliteRevocationStore(database);
    const revocations: RevocationsContext = {
      mesh, store, recorder, clock, operators, mintId,
      list: store.load(clock.nowMs()),
      turns: new Turns(),
      applied: (change) => {
        for (const connection of connected.values()) connection.revocationApplied(change);
      },
    };
    const keeper: PaceKeeper = new PaceKeeper({
      rules: () => this.#rules,
      facts: { isRevoked: (agent) => revocations.list.isNameRevoked(agent) },
      store: new SqlitePaceStore(database),
      recorder, clock, operators, mintId,
      turns: new Turns(),
      changed: (steps) => {
        for (const connection of connected.values()) connection.paceChanged();
        this.#ended(steps, connected, revocations);
      },
    });
    const approvals: ApprovalsContext = {
      store: new SqliteApprovalStore(database),
      recorder, clock, operators, mintId,
      pendingMax: mesh.limits.pendingApprovalsMax,
      turns: new Turns(),
      approver: noApprover,
      approversOf: (action) => mesh.actions.get(action)?.approvers ?? [],
      opened: new OpenedCards(),
      settled: (approval) => {
        const frame = decidedFrame(approval);
        if (frame !== null) connected.get(approval.hold.executor)?.tell(frame);
      },
    };
    const context = this.#busContext(database, { recorder, connected, revocations, keeper, approvals });
    return { life, recorder: flight, keeper, approvals, revocations, context };
  }

  #busContext(
    database: BatchedDatabase,
    parts: Pick<NodeRun, 'keeper' | 'approvals' | 'revocations'> & {
      readonly recorder: Recorder;
      readonly connected: Map<string, BusConnection>;
    },
  ): BusContext {
    const { mesh, world } = this.#ground;
    const { recorder, connected, revocations, keeper } = parts;
    const { clock } = this;
    const verifier = this.#verifier();
    const mandates = nodeMandatesOf(
      { clock, database, live: { mesh }, operators: () => mesh.operators, connected, log: () => undefined },
      verifier,
      revocations,
      () => true,
    );
    const allotments = this.#allotments(database, parts, (mandate) => mandates.store.delegateOf(mandate));
    const queue = new SqliteMessageQueue(database, clock.nowMs(), world.chance);
    const scanner = simulatedScanner(this.#ground, world.chance.bytes(32));
    return {
      mesh, clock, recorder, connected, queue,
      policy: { version: 1, missing: (digest) => (digest === mesh.digest ? [] : null), after: () => [], switching: () => null },
      pace: {
        clamp: (agent) => keeper.clamp(agent),
        get version() {
          return keeper.version;
        },
        privileged: () => true,
        consent: () => null,
        orderWaits: () => false,
      },
      schemas: this.#ground.schemas,
      protection: plaintextProtection,
      keys: null,
      keyRates: new TokenBuckets(buckets),
      attestor: noAttestor,
      rates: new TokenBuckets(buckets),
      recordRates: new TokenBuckets(buckets),
      askRates: new TokenBuckets(buckets),
      order: new InOrder(),
      scanner: () => scanner,
      scanShare: new ScanShare(),
      secondReader: { model: noInjectionModel },
      contagion: new ContagionMonitor(defaultContagionLimits, world.chance.bytes(32), clock.nowMs()),
      patientRecorder: recorder,
      revocations: revocations.list,
      keyAhead: () => undefined,
      noteHandOver: (body) => noteHandOver(body, allotments),
      isRunAside: () => false,
      identityOf: (thumbprint) => {
        const chain = this.#chains.get(thumbprint);
        const verdict = chain === undefined ? null : verifier.verifyPem(chain);
        return verdict?.ok === true && !revocations.list.isRevoked(verdict.peer) ? verdict.peer : null;
      },
      lineageOf: () => null,
      mandates: mandates.registry,
      payloads: { keep: () => null, keepRead: () => null },
      backbone: new LocalBackbone(queue),
      control: this.#control(database, parts, mandates.port, allotments),
    };
  }

  #control(
    database: BatchedDatabase,
    { approvals, revocations }: Pick<NodeRun, 'approvals' | 'revocations'>,
    mandates: ReturnType<typeof nodeMandatesOf>['port'],
    allotments: AllotmentsContext,
  ): BusContext['control'] {
    const { mesh, weaken, identities } = this.#ground;
    const { clock } = this;
    const runs = new SqliteSidecarRuns(database);
    return {
      boot: `boot-${this.#boots}`,
      knowledge: async () => ({ ok: false, code: 'KNOWLEDGE_DENIED' }),
      operators: () => [...mesh.operators.values()].map(({ name, publicKey }) => ({ name, publicKey })),
      hold: async (held) => ({ approval: (await hold(held, approvals)).id }),
      decided: (message, executor, digest) => decidedFrame(approvals.store.byDigest(message, executor, digest)),
      allot: (executor, ask) => weaken.allot(() => askAllotment(executor, ask, allotments)),
      settle: (executor, report) => settleAllotment(executor, report, allotments),
      ...mandates,
      heardOfCalls: () => undefined,
      owedTo: () => [],
      putAside: () => [], runsAside: () => [],
      isPutAside: () => false,
      renew: async () => null,
      chainOf: (thumbprint) => this.#chains.get(thumbprint) ?? null,
      spawn: async () => ({ code: 'CONTROL_SPAWN_DENIED' }),
      changeWorkflow: async () => ({ code: 'CONTROL_WORKFLOW_DENIED' }),
      endChild: async () => 0,
      sessionEnded: () => undefined,
      lastRun: (spiffeId) => runs.last(spiffeId),
      noteRun: (spiffeId, run) => void runs.note(spiffeId, run, clock.nowMs()),
      forked: (peer) => {
        revokeByNode(peer.spiffeId, revocations).catch((failure: unknown) => this.#ground.report('node', failure));
      },
      signLease: (grant) => {
        const { node } = identities;
        return { signed: signLease(grant, node), thumbprint: node.thumbprint, chainPem: node.chainPem };
      },
      clamped: () => undefined,
    };
  }

  #allotments(
    database: BatchedDatabase,
    { recorder, approvals }: { readonly recorder: Recorder; readonly approvals: ApprovalsContext },
    delegateOf: AllotmentsContext['delegateOf'],
  ): AllotmentsContext {
    const ledger = new SqliteLedgerStore(database);
    const { clock } = this;
    return {
      mesh: this.#ground.mesh,
      ledger,
      lineage: new SqliteLineageStore(database),
      spawnedBy: () => [],
      approvals: approvals.store,
      // No workflow of the simulated mesh has criteria: nothing is ended for one.
      progress: {
        mesh: this.#ground.mesh, store: new SqliteProgressStore(database), recorder, clock,
        endTask: () => undefined, askJudges: async () => undefined,
      },
      delegateOf,
      recorder,
      clock: steadyClock(Math.max(clock.nowMs(), ledger.view.latestMs()), () => clock.monotonicMs()),
      mintId: () => mintUlid(clock, this.#ground.world.chance),
    };
  }

  /** Agents of a final kill lose their identities, a little later: their accounts are heard first. */
  #ended(
    steps: readonly PaceStep[],
    connected: ReadonlyMap<string, BusConnection>,
    revocations: RevocationsContext,
  ): void {
    for (const step of steps) {
      if (step.kind !== 'phase' || step.to !== 'EMERGENCY') continue;
      this.#ground.world.after(500, this.#life, () => {
        for (const agent of agentsIn(step.unit, this.#rules)) {
          const spiffeId = connected.get(agent)?.peer.spiffeId;
          if (spiffeId === undefined) continue;
          revokeByNode(spiffeId, revocations).catch((failure: unknown) => this.#ground.report('node', failure));
        }
      });
    }
  }
}

function lastTimeIn(lines: readonly string[]): number {
  const last: unknown = JSON.parse(lines.at(-1) ?? '{}');
  const known = typeof last === 'object' && last !== null && 'recordedAt' in last ? last.recordedAt : 0;
  return typeof known === 'number' ? known : 0;
}
