// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import type { AgentHttp } from '../adapters/agent-http.ts';
import { BusClient } from '../adapters/bus-client-ws.ts';
import { systemClock, type SystemClock } from '../adapters/clock-system.ts';
import { makeFolders } from '../adapters/folders.ts';
import { SqliteJudgeMemory } from '../adapters/judge-memory-sqlite.ts';
import { SqlitePolicyStore } from '../adapters/policy-store-sqlite.ts';
import { snapshotFiles } from '../adapters/snapshot-files.ts';
import { SqliteSidecarStore } from '../adapters/sidecar-store-sqlite.ts';
import { BatchedDatabase } from '../adapters/sqlite-batch.ts';
import { SqliteEndorsementStore } from '../adapters/endorsement-store-sqlite.ts';
import { SqliteIntentStore } from '../adapters/tool-intents-sqlite.ts';
import { ControlError } from '../control/control-error.ts';
import { effectiveEntry } from '../control/policies.ts';
import { authorityHash } from '../identity/certificate.ts';
import { IdentityError } from '../identity/identity-error.ts';
import { narrowedTo } from '../mesh/child-scope.ts';
import type { Agent, Mesh, Operator } from '../mesh/mesh.ts';
import type { Isolation } from '../message/envelope.ts';
import { isName, mintNonce } from '../message/identifiers.ts';
import type { EntryDraft } from '../recorder/entry.ts';
import { AgentSidecar, type OfferedToken } from '../sidecar/agent-sidecar.ts';
import type { PolicyView, SidecarContext } from '../sidecar/context.ts';
import { SidecarRecorder } from '../sidecar/recording.ts';
import { isolationOf, launchAgent, serveEndpoint } from './agent-endpoint.ts';
import { AgentUnderPace } from './agent-under-pace.ts';
import { watchIdentity } from './identity-watch.ts';
import { leaseVerifierOf } from './lease-verifier.ts';
import { systemRandom } from '../adapters/random-system.ts';
import { sidecarDirectories } from './directories.ts';
import { faultOf } from './fault.ts';
import { SidecarIdentity } from './sidecar-identity.ts';
import { answerCalls, buildSidecarContext, createLasting, startTools } from './sidecar-parts.ts';
import type { SidecarFoundations, Tools } from './sidecar-parts.ts';
import type { RunningSidecar, SidecarOptions } from './sidecar-options.ts';
import { SidecarPolicy } from './sidecar-policy.ts';
import { startSidecarTimers } from './sidecar-timers.ts';
import { SidecarStanding } from './sidecar-standing.ts';

/** Starts the sidecar of one agent in this process, and the agent beside it when asked to. */
export async function startSidecar(options: SidecarOptions): Promise<RunningSidecar> {
  if (!isName(options.agent)) {
    throw new ControlError('CONTROL_AGENT_UNKNOWN', 'That is no name of an agent.');
  }
  const directories = sidecarDirectories(options.stateDirectory, options.agent);
  makeFolders(directories.state, 0o700);
  const clock = systemClock();
  try {
    return await startOnce(options, directories, clock);
  } catch (failure) {
    const revoked = failure instanceof IdentityError && failure.code === 'IDENTITY_REVOKED';
    if (!revoked || options.joinToken === null) throw failure;
    // The identity of the last start is no more; what this one was given is a new one's.
    return startOnce(options, directories, clock);
  }
}

async function startOnce(
  options: SidecarOptions,
  directories: ReturnType<typeof sidecarDirectories>,
  clock: SystemClock,
): Promise<SidecarProcess> {
  const running = new SidecarProcess(options, clock, directories.state);
  try {
    await running.start(directories.socket);
    return running;
  } catch (failure) {
    await running.close();
    throw failure;
  }
}

/** A sidecar's standing in its mesh and its line to the node, which last while versions change. */
type Line = {
  readonly identity: SidecarIdentity;
  readonly link: BusClient;
  readonly recorder: SidecarRecorder;
};

/** One agent's sidecar with its line to the node; the agent's own process hangs on it. */
class SidecarProcess implements RunningSidecar {
  readonly agent: string;
  readonly isolation: Isolation;
  readonly #options: SidecarOptions;
  readonly #clock: SystemClock;
  readonly #stateDirectory: string;
  readonly #database: BatchedDatabase;
  readonly #store: SqliteSidecarStore;
  readonly #intents: SqliteIntentStore;
  readonly #judgeMemory: SqliteJudgeMemory;
  readonly #standing: SidecarStanding;
  readonly #policy: SidecarPolicy;
  readonly #lasting = createLasting();
  readonly #welcomed = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<string>();
  /** What the node delivers before the sidecar is there to take it. */
  readonly #early: ((sidecar: AgentSidecar) => void)[] = [];
  #line: Line | null = null;
  #operators: ReadonlyMap<string, Operator> = new Map();
  #sidecar: AgentSidecar | null = null;
  #tools: Tools | null = null;
  #http: AgentHttp | null = null;
  #underPace: AgentUnderPace | null = null;
  #back: () => Promise<void> = async () => undefined;
  #timers: readonly NodeJS.Timeout[] = [];
  #sidecarServes = false;

  constructor(options: SidecarOptions, clock: SystemClock, stateDirectory: string) {
    this.agent = options.agent;
    this.#options = options;
    this.#clock = clock;
    this.#stateDirectory = stateDirectory;
    this.#database = new BatchedDatabase(join(stateDirectory, 'sidecar.sqlite'));
    this.#store = new SqliteSidecarStore(this.#database);
    this.#intents = new SqliteIntentStore(this.#database.database);
    this.#judgeMemory = new SqliteJudgeMemory(this.#database);
    this.#policy = this.#openPolicy();
    this.isolation = isolationOf(options, this.#policy.agent);
    this.#standing = new SidecarStanding({
      database: this.#database,
      clock,
      policy: () => ({ digest: this.#policy.mesh.digest, version: this.#policy.version }),
      operators: () => this.#policy.mesh.operators,
      agent: options.agent,
      changed: () => this.#sidecar?.revocationsChanged(),
      verify: leaseVerifierOf(() => this.#line?.identity ?? null),
      paceChanged: () => this.#paceChanged(),
      observer: () => this.#policy.mesh.pace?.observer ?? null,
      log: (line) => this.#log(line),
    });
  }

  /**
   * Joins, agrees with the node on the version of the policy, and only then starts what follows from
   * it: tools, context and agent.
   */
  async start(socketPath: string): Promise<void> {
    const { joinToken, toolIdentity, svid = null } = this.#options;
    const identity = await SidecarIdentity.open({
      mesh: () => this.#policy.mesh,
      agent: this.#policy.agent,
      clock: this.#clock,
      stateDirectory: this.#stateDirectory,
      joinToken,
      given: svid,
    });
    await this.#policy.joined(authorityHash(identity.bundlePem));
    const link = this.#connectBus(identity);
    const recorder = new SidecarRecorder(this.#store, link, identity.runs.at(-1) ?? '');
    const line: Line = { identity, link, recorder };
    const report = (failure: unknown): void => this.#report(failure);
    const log = (text: string): void => this.#log(text);
    watchIdentity({ ...line, version: () => this.#policy.version, log, report });
    this.#line = line;
    link.start();
    await this.#welcomed.promise;
    // Tools may take longer to start than a lease lasts.
    this.#timers = startSidecarTimers({
      ...line,
      sidecar: () => this.#sidecar,
      store: this.#store, policy: this.#policy, clock: this.#clock,
      ended: (code) => this.#ended.resolve(code),
      report,
    });
    const { tools: files } = sidecarDirectories(this.#options.stateDirectory, this.agent);
    const places = { secrets: join(this.#stateDirectory, 'secrets'), files, owner: toolIdentity };
    this.#tools = await startTools(this.#foundations(line), places);
    const tools = this.#tools;
    const sidecar = new AgentSidecar(await this.#policy.serve((policy, mesh, agent) =>
      buildSidecarContext(this.#foundations(line, policy, mesh, agent), tools)));
    this.#sidecar = sidecar;
    for (const work of this.#early.splice(0)) work(sidecar);
    this.#sidecarServes = true;
    await sidecar.recover();
    this.#http = await serveEndpoint(this.#options, sidecar, socketPath);
    this.#underPace = this.#putUnderPace(sidecar, link);
    await this.#underPace.begin();
  }

  get sidecar(): AgentSidecar {
    if (this.#sidecar === null) throw new Error('The sidecar has not started.');
    return this.#sidecar;
  }

  get ended(): Promise<string> { return this.#ended.promise; }
  get address(): string | null {
    return this.#http?.address ?? null;
  }

  connected(): boolean { return this.#line?.link.connected ?? false; }
  mintToken(): Promise<string> { return this.sidecar.mintToken(); }
  whenBack(offer: () => Promise<void>): void { this.#back = offer; }
  offerToken(): Promise<OfferedToken> { return this.sidecar.offerToken(); }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    await this.#underPace?.close();
    await this.#http?.close();
    await this.#sidecar?.endSession('stopped');
    await this.#line?.recorder.drain();
    this.#line?.link.close();
    this.#line?.identity.close();
    await this.#tools?.close();
    this.#database.close();
  }

  #putUnderPace(sidecar: AgentSidecar, link: BusClient): AgentUnderPace {
    const { pace } = this.#standing;
    return new AgentUnderPace({
      sidecar,
      clamp: () => pace.clamp(this.agent),
      paceVersion: () => pace.version,
      launch: () => launchAgent(this.#options, sidecar, this.#http),
      back: () => this.#back(),
      tell: (version, busy, calls) => link.clamped(version, busy, calls),
      report: (failure) => this.#report(failure),
    });
  }

  #paceChanged(): void {
    // Whoever may work again needs a lease for it; the next regular question is seconds away.
    this.#line?.link.askLease(this.#policy.version);
    this.#underPace?.changed();
  }

  #openPolicy(): SidecarPolicy {
    const { mesh, directory } = this.#options;
    return new SidecarPolicy({
      agent: this.agent,
      store: new SqlitePolicyStore(this.#database),
      disk: mesh,
      directory: directory ?? mesh?.directory ?? '',
      operators: () => this.#knownOperators(),
      lease: (policy) => {
        const link = this.#line?.link;
        if (link?.connected !== true) return Promise.resolve();
        return this.#standing.prepare(policy, () => link.askLease(policy.version));
      },
      restart: () => this.#ended.resolve('CONTROL_POLICY_RESTART'),
      log: (text) => this.#log(text),
    });
  }

  #foundations(
    { identity, link, recorder }: Line,
    policy: PolicyView = this.#policy.view(),
    mesh: Mesh = this.#policy.mesh,
    agent: Agent = this.#policy.agent,
  ): SidecarFoundations {
    return {
      policy,
      mesh,
      agent: narrowedTo(agent, identity.credential.lineage),
      lasting: this.#lasting,
      isolation: this.isolation,
      clock: this.#clock,
      clockJumpedMs: () => Math.abs(this.#clock.jumpedMs()),
      store: this.#store,
      endorsed: new SqliteEndorsementStore(this.#database),
      snapshots: snapshotFiles(join(this.#stateDirectory, 'snapshots')), judgeMemory: this.#judgeMemory,
      link,
      recorder: recorder.under(policy.version),
      numbers: recorder.numbers,
      verifier: identity.verifier,
      report: (failure) => this.#report(failure),
      intents: this.#intents,
      credential: () => identity.credential,
      operators: () => this.#knownOperators(),
      revocations: this.#standing.revocations,
      lease: this.#standing,
      pace: this.#standing.pace,
      digestKey: identity.digestKey,
    };
  }

  /** Operators of the mesh file bind this sidecar; only where it names none is the node believed. */
  #knownOperators(): ReadonlyMap<string, Operator> {
    const named = this.#policy.mesh.operators;
    return named.size > 0 ? named : this.#operators;
  }

  #connectBus(identity: SidecarIdentity): BusClient {
    const { busHost, busPort, nodeSpiffeId, runs } = identity;
    const drain = (): void => {
      this.#line?.recorder.drain().catch((failure: unknown) => this.#report(failure));
    };
    const link = new BusClient({
      host: busHost,
      port: busPort,
      nodeSpiffeId,
      bundlePem: () => identity.bundlePem,
      credential: () => identity.credential,
      policy: () => ({ digest: this.#policy.mesh.digest, version: this.#policy.version }),
      isolation: this.isolation,
      runs,
      clock: this.#clock,
      now: () => this.#standing.now(),
      mintNonce: () => mintNonce(systemRandom),
      events: {
        revocations: (update) => this.#standing.update(update),
        lease: (answer, accounts) => {
          this.#standing.heard(answer);
          this.#line?.recorder.numbers.heard(accounts);
          // What the node answered too late, or not at all, is offered again.
          if (link.connected) drain();
        },
        announced: (version) => this.#policy.announced(version),
        policy: (policy, answer) => {
          this.#policy.take(policy, (context) => this.#switched(context)).then(answer, answer);
        },
        welcome: (frame) => {
          this.#standing.welcomed(frame.boot);
          this.#operators = new Map(frame.operators.map((operator) => [operator.name, operator]));
          this.#welcome(frame);
          drain();
          this.#sidecar?.reconnected();
        },
        deliver: ({ envelope, chain, number }) => {
          const settle = (entries: readonly EntryDraft[]) =>
            this.#line?.recorder.delivered(number, entries);
          this.#serve((sidecar) => sidecar.deliver(envelope, chain, settle));
        },
        decided: (frame) => this.#sidecar?.decided(frame),
        quarantine: (...put) => this.#serve((sidecar) => sidecar.quarantine(...put)),
        calls: (frame, send) => void this.#welcomed.promise
          .then(() => (this.#line === null
            ? null : answerCalls(frame, this.#foundations(this.#line), this.#sidecar, send)))
          .catch((failure: unknown) => this.#report(failure)),
        lost: (code, fatal) => this.#lost(code, fatal),
      },
    });
    return link;
  }

  /** What the node says before the sidecar is there waits for it, in order. */
  #serve(work: (sidecar: AgentSidecar) => void): void {
    if (this.#sidecar === null) this.#early.push(work);
    else work(this.#sidecar);
  }

  #welcome({ policyVersion, meshDigest }: { policyVersion: number; meshDigest: string }): void {
    this.#policy.welcomed(policyVersion, meshDigest).then(
      (agrees) => {
        if (agrees) this.#welcomed.resolve();
        // A node that says another version than it sent is not the one this sidecar can work with.
        else this.#lost('BUS_MESH_MISMATCH', true);
      },
      (failure: unknown) => this.#welcomed.reject(failure),
    );
  }

  /** One step, without a wait in it: the next thing that happens here sees the new version whole. */
  #switched(context: SidecarContext): void {
    this.#standing.switched();
    this.#sidecar?.switchTo(context);
    const actor = `sidecar:${this.agent}`;
    const { version } = context.policy;
    const { digest } = context.mesh;
    context.recorder
      .record([effectiveEntry({ version, digest }, null, actor, this.#clock.nowMs())])
      .catch((failure: unknown) => this.#report(failure));
  }

  #log(line: string): void {
    this.#options.log(`sidecar ${this.agent}: ${line}`);
  }

  #lost(code: string, fatal: boolean): void {
    this.#options.log(`sidecar ${this.agent}: bus connection lost (${code})`);
    this.#line?.recorder.numbers.lineLost();
    if (code === 'IDENTITY_REVOKED') this.#revoked();
    const isCopy = code === 'BUS_IDENTITY_CLONED' && !this.#sidecarServes;
    if (fatal || isCopy) {
      this.#ended.resolve(code);
      this.#welcomed.reject(new ControlError('CONTROL_SIDECAR_REFUSED', `The node said ${code}.`));
    }
  }

  /**
   * The node no longer knows this identity. It goes on asking, because an agent can be reinstated;
   * a sidecar that starts gives the identity up, so that its next start may join anew.
   */
  #revoked(): void {
    this.#standing.ended();
    // Ended by a kill, it is another instance that comes back one day.
    if (this.#standing.pace.clamp(this.agent).phase === 'EMERGENCY') this.#ended.resolve('PACE_KILLED');
    if (this.#sidecarServes) return;
    const givenUp = this.#line?.identity.giveUp() ?? Promise.resolve();
    givenUp
      .catch((failure: unknown) => this.#report(failure))
      .finally(() => {
        this.#welcomed.reject(new IdentityError('IDENTITY_REVOKED', 'This identity is revoked.'));
      });
  }

  #report(failure: unknown): void {
    this.#options.log(`sidecar ${this.agent}: ${faultOf(failure)}`);
  }
}
