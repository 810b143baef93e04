// SPDX-License-Identifier: Apache-2.0
import { createHmac } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { AgentHttp } from '../adapters/agent-http.ts';
import { BusClient } from '../adapters/bus-client-ws.ts';
import { systemClock, type SystemClock } from '../adapters/clock-system.ts';
import { newKey, saveCredential } from '../adapters/credential-keys.ts';
import { systemRandom } from '../adapters/random-system.ts';
import { SqliteSidecarStore } from '../adapters/sidecar-store-sqlite.ts';
import { BatchedDatabase } from '../adapters/sqlite-batch.ts';
import { SqliteIntentStore } from '../adapters/tool-intents-sqlite.ts';
import { ControlError } from '../control/control-error.ts';
import type { Credential } from '../identity/credential.ts';
import { credentialFromPem } from '../identity/credential-pem.ts';
import { IdentityError } from '../identity/identity-error.ts';
import { createPeerVerifier, readTrustBundle } from '../identity/peer.ts';
import { narrowedTo } from '../mesh/child-scope.ts';
import { credentialLifetimeMs, svidLifetimes } from '../mesh/credential-lifetime.ts';
import type { Agent, Mesh, Operator } from '../mesh/mesh.ts';
import type { Isolation } from '../message/envelope.ts';
import { mintUlid } from '../message/identifiers.ts';
import { AgentSidecar, type OfferedToken } from '../sidecar/agent-sidecar.ts';
import { SidecarRecorder } from '../sidecar/recording.ts';
import { isolationOf, launchAgent, serveEndpoint } from './agent-endpoint.ts';
import type { AgentProcess } from './agent-process.ts';
import { leaseMsDefault } from '../identity/lease.ts';
import { sidecarDirectories } from './directories.ts';
import { faultOf } from './fault.ts';
import { beginRun } from './sidecar-runs.ts';
import { credentialFile, joinOrResume, type Membership } from './membership.ts';
import { buildSidecarContext, startTools } from './sidecar-parts.ts';
import type { SidecarFoundations, Tools } from './sidecar-parts.ts';
import { SidecarStanding } from './sidecar-standing.ts';

export type SidecarOptions = {
  readonly mesh: Mesh;
  readonly agent: string;
  readonly stateDirectory: string;
  /** Needed for the first start and after the identity ran out. */
  readonly joinToken: string | null;
  /** Runs this program as the agent; null when the agent is started elsewhere or in this process. */
  readonly command: readonly string[] | null;
  readonly restart: 'always' | 'never';
  /** The user the agent runs as; needs root, and makes the isolation `uid`. */
  readonly agentIdentity: { readonly uid: number; readonly gid: number } | null;
  /** True when nobody else runs as that user: what is left of the agent under it may be ended. */
  readonly agentUidIsOwn: boolean;
  /** The user the tools run as. */
  readonly toolIdentity: { readonly uid: number; readonly gid: number } | null;
  readonly listen: 'socket' | { readonly port: number } | 'in-process';
  readonly log: (line: string) => void;
};

export type RunningSidecar = {
  readonly agent: string;
  readonly isolation: Isolation;
  readonly sidecar: AgentSidecar;
  /** Where the agent reaches it; null in-process. */
  readonly address: string | null;
  readonly connected: () => boolean;
  /** Ends the present session and gives the token for the next agent process. */
  readonly mintToken: () => Promise<string>;
  /** A token for a process started elsewhere; a session that survived a crash lives until then. */
  readonly offerToken: () => Promise<OfferedToken>;
  /** Resolves with a code when this sidecar can do nothing more and has to be started again. */
  readonly ended: Promise<string>;
  readonly close: () => Promise<void>;
};

const pruneEveryMs = 60_000;
const drainEveryMs = 1_000;
/** Half of half the shortest lifetime; a renewal that failed is tried again as soon. */
const rotateCheckMs = 250;

/** Starts the sidecar of one agent in this process, and the agent beside it when asked to. */
export async function startSidecar(options: SidecarOptions): Promise<RunningSidecar> {
  const { mesh } = options;
  const agent = mesh.agents.get(options.agent);
  if (agent === undefined) {
    throw new ControlError('CONTROL_AGENT_UNKNOWN', `The mesh file has no agent ${options.agent}.`);
  }
  const directories = sidecarDirectories(options.stateDirectory, agent.name);
  await mkdir(directories.state, { recursive: true, mode: 0o700 });
  const clock = systemClock();
  try {
    return await startOnce(options, agent, directories, clock);
  } catch (failure) {
    const revoked = failure instanceof IdentityError && failure.code === 'IDENTITY_REVOKED';
    if (!revoked || options.joinToken === null) throw failure;
    // The identity of the last start is no more; what this one was given is a new one's.
    return startOnce(options, agent, directories, clock);
  }
}

async function startOnce(
  options: SidecarOptions,
  agent: Agent,
  directories: ReturnType<typeof sidecarDirectories>,
  clock: SystemClock,
): Promise<SidecarProcess> {
  const lifetimeMs = credentialLifetimeMs(options.mesh, agent);
  const membership = await joinOrResume(directories.state, options.joinToken, clock, lifetimeMs);
  const runs = await beginRun(directories.state, mintUlid(clock, systemRandom));
  const given = narrowedTo(agent, membership.credential.lineage);
  const running = new SidecarProcess(options, given, clock, membership, directories.state, runs);
  try {
    await running.start(directories.socket);
    return running;
  } catch (failure) {
    await running.close();
    throw failure;
  }
}

/** One agent's sidecar with its line to the node; the agent's own process hangs on it. */
class SidecarProcess implements RunningSidecar {
  readonly agent: string;
  readonly isolation: Isolation;
  readonly #options: SidecarOptions;
  readonly #manifest: Agent;
  readonly #clock: SystemClock;
  readonly #membership: Membership;
  readonly #stateDirectory: string;
  readonly #database: BatchedDatabase;
  readonly #store: SqliteSidecarStore;
  readonly #recorder: SidecarRecorder;
  readonly #standing: SidecarStanding;
  readonly #link: BusClient;
  readonly #welcomed = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<string>();
  #credential: Credential;
  #operators: ReadonlyMap<string, Operator>;
  #sidecar: AgentSidecar | null = null;
  #tools: Tools | null = null;
  #http: AgentHttp | null = null;
  #agentProcess: AgentProcess | null = null;
  #timers: readonly NodeJS.Timeout[] = [];
  #rotating = false;
  #sidecarServes = false;

  constructor(
    options: SidecarOptions,
    manifest: Agent,
    clock: SystemClock,
    membership: Membership,
    stateDirectory: string,
    runs: readonly string[],
  ) {
    this.agent = manifest.name;
    this.isolation = isolationOf(options);
    this.#options = options;
    this.#manifest = manifest;
    this.#clock = clock;
    this.#membership = membership;
    this.#stateDirectory = stateDirectory;
    this.#credential = membership.credential;
    this.#operators = options.mesh.operators;
    this.#database = new BatchedDatabase(join(stateDirectory, 'sidecar.sqlite'));
    this.#store = new SqliteSidecarStore(this.#database);
    this.#standing = new SidecarStanding({
      database: this.#database,
      clock,
      meshDigest: options.mesh.digest,
      operators: options.mesh.operators,
      changed: () => this.#sidecar?.revocationsChanged(),
      log: (line) => options.log(`sidecar ${this.agent}: ${line}`),
    });
    this.#link = this.#connectBus(runs);
    this.#recorder = new SidecarRecorder(this.#store, this.#link);
  }

  async start(socketPath: string): Promise<void> {
    const foundations = this.#foundations();
    const { toolIdentity } = this.#options;
    this.#tools = await startTools(foundations, this.#stateDirectory, toolIdentity);
    const sidecar = new AgentSidecar(await buildSidecarContext(foundations, this.#tools));
    this.#sidecar = sidecar;
    this.#link.start();
    await this.#welcomed.promise;
    this.#sidecarServes = true;
    await sidecar.recover();
    this.#http = await serveEndpoint(this.#options, sidecar, socketPath);
    this.#agentProcess = await launchAgent(this.#options, sidecar, this.#http);
    this.#timers = this.#startTimers();
  }

  get sidecar(): AgentSidecar {
    if (this.#sidecar === null) throw new Error('The sidecar has not started.');
    return this.#sidecar;
  }

  get ended(): Promise<string> {
    return this.#ended.promise;
  }

  get address(): string | null {
    return this.#http?.address ?? null;
  }

  connected(): boolean {
    return this.#link.connected;
  }

  mintToken(): Promise<string> {
    return this.sidecar.mintToken();
  }

  offerToken(): Promise<OfferedToken> {
    return this.sidecar.offerToken();
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    await this.#agentProcess?.stop();
    await this.#http?.close();
    await this.#sidecar?.endSession('stopped');
    await this.#recorder.drain();
    this.#link.close();
    await this.#tools?.close();
    this.#database.close();
  }

  #foundations(): SidecarFoundations {
    const { mesh } = this.#options;
    const bundle = readTrustBundle(this.#membership.bundlePem, mesh.trustDomain);
    return {
      mesh,
      agent: this.#manifest,
      isolation: this.isolation,
      clock: this.#clock,
      clockJumpedMs: () => Math.abs(this.#clock.jumpedMs()),
      store: this.#store,
      link: this.#link,
      recorder: this.#recorder,
      verifier: createPeerVerifier(bundle, this.#clock, svidLifetimes(mesh)),
      report: (failure) => this.#report(failure),
      intents: new SqliteIntentStore(this.#database.database),
      credential: () => this.#credential,
      operators: () => this.#knownOperators(),
      revocations: this.#standing.revocations,
      lease: this.#standing,
      digestKey: digestKeyOf(this.#membership),
    };
  }

  /** Operators of the mesh file bind this sidecar; only where it names none is the node believed. */
  #knownOperators(): ReadonlyMap<string, Operator> {
    const named = this.#options.mesh.operators;
    return named.size > 0 ? named : this.#operators;
  }

  #connectBus(runs: readonly string[]): BusClient {
    const { busHost, busPort, bundlePem, nodeSpiffeId } = this.#membership;
    const link = new BusClient({
      host: busHost,
      port: busPort,
      bundlePem,
      nodeSpiffeId,
      credential: () => this.#credential,
      meshDigest: this.#options.mesh.digest,
      isolation: this.isolation,
      runs,
      clock: this.#clock,
      now: () => this.#standing.now(),
      events: {
        revocations: (update) => this.#standing.update(update),
        lease: (grant, asked) => {
          this.#standing.granted(grant, asked);
          // What the node answered too late, or not at all, is offered again.
          if (link.connected) this.#recorder.drain().catch((failure: unknown) => this.#report(failure));
        },
        welcome: ({ boot, operators }) => {
          this.#standing.welcomed(boot);
          this.#operators = new Map(operators.map((operator) => [operator.name, operator]));
          this.#welcomed.resolve();
          this.#recorder.drain().catch((failure: unknown) => this.#report(failure));
          this.#sidecar?.reconnected();
        },
        deliver: ({ envelope, chain, number }) =>
          this.#sidecar?.deliver(envelope, chain, (entries) => link.delivered(number, entries)),
        decided: (frame) => this.#sidecar?.decided(frame),
        lost: (code, fatal) => this.#lost(code, fatal),
      },
    });
    return link;
  }

  #lost(code: string, fatal: boolean): void {
    this.#options.log(`sidecar ${this.agent}: bus connection lost (${code})`);
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
    if (this.#sidecarServes) return;
    rm(join(this.#stateDirectory, credentialFile), { force: true })
      .catch((failure: unknown) => this.#report(failure))
      .finally(() => {
        this.#welcomed.reject(new IdentityError('IDENTITY_REVOKED', 'This identity is revoked.'));
      });
  }

  #startTimers(): readonly NodeJS.Timeout[] {
    const { mesh } = this.#options;
    const report = (failure: unknown): void => this.#report(failure);
    const timers = [
      setInterval(() => {
        const nowMs = this.#clock.nowMs();
        this.#store.prune(nowMs - pruneAfterMs(mesh)).catch(report);
      }, pruneEveryMs),
      // What the node could not record is offered again, also when nothing new is to be recorded.
      setInterval(() => {
        this.#recorder.drain().catch(report);
        this.#sidecar?.context.allotments.drain().catch(report);
        this.#sidecar?.repeatAnswers();
      }, drainEveryMs),
      setInterval(() => this.#link.askLease(), leaseMsDefault / 3),
      // An identity that ran out cannot be renewed; only a new start, with a token, can go on.
      setInterval(() => {
        const { expiresAtMs } = this.#credential;
        if (this.#clock.nowMs() >= expiresAtMs) this.#ended.resolve('IDENTITY_CERTIFICATE_EXPIRED');
      }, rotateCheckMs),
      setInterval(() => {
        if (this.#rotating || !this.#isHalfSpent()) return;
        this.#rotating = true;
        this.#rotate().catch(report).finally(() => {
          this.#rotating = false;
        });
      }, rotateCheckMs),
    ];
    for (const timer of timers) timer.unref();
    return timers;
  }

  /** Looked at often: an identity that was resumed, or not renewed at once, has less time left. */
  #isHalfSpent(): boolean {
    const { notBeforeMs, expiresAtMs, lineage } = this.#credential;
    // A spawned agent's last certificate ends with it: there is no longer one to ask for.
    if (lineage !== null && expiresAtMs + 1_000 >= lineage.endsAt) return false;
    return this.#clock.nowMs() >= notBeforeMs + (expiresAtMs - notBeforeMs) / 2;
  }

  /** Asks for a new certificate at half-life; sending goes on under the old one until it is there. */
  async #rotate(): Promise<void> {
    const key = await newKey();
    const chainPem = await this.#link.renew(key.csrPem);
    if (chainPem === null) return;
    const renewed = credentialFromPem(chainPem, key.privateKey);
    if (renewed.spiffeId !== this.#credential.spiffeId) return;
    await saveCredential(join(this.#stateDirectory, credentialFile), renewed);
    this.#credential = renewed;
    this.#link.reconnect();
  }

  #report(failure: unknown): void {
    this.#options.log(`sidecar ${this.agent}: ${faultOf(failure)}`);
  }
}

/** Messages are remembered for longer than any copy of them could still be accepted. */
function pruneAfterMs(mesh: Mesh): number {
  const { messageLifetimeMs, clockSkewMs, approvalTimeoutMs } = mesh.limits;
  return Math.max(2 * (messageLifetimeMs + clockSkewMs) + approvalTimeoutMs, 3_600_000 * 2);
}

function digestKeyOf(membership: Membership): Uint8Array {
  const secret = membership.credential.privateKey.export({ format: 'der', type: 'pkcs8' });
  return createHmac('sha256', secret).update('maso keyed digest').digest();
}
