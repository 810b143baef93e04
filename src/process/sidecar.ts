// SPDX-License-Identifier: Apache-2.0
import { createHmac } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { serveAgent, type AgentHttp } from '../adapters/agent-http.ts';
import { BusClient } from '../adapters/bus-client-ws.ts';
import { systemClock } from '../adapters/clock-system.ts';
import { newKey, saveCredential } from '../adapters/credential-keys.ts';
import { SqliteSidecarStore } from '../adapters/sidecar-store-sqlite.ts';
import { BatchedDatabase } from '../adapters/sqlite-batch.ts';
import { SqliteIntentStore } from '../adapters/tool-intents-sqlite.ts';
import type { Credential } from '../identity/credential.ts';
import { credentialFromPem } from '../identity/credential-pem.ts';
import { createPeerVerifier, readTrustBundle } from '../identity/peer.ts';
import type { Mesh, Operator } from '../mesh/mesh.ts';
import type { Isolation } from '../message/envelope.ts';
import { AgentSidecar } from '../sidecar/agent-sidecar.ts';
import { SidecarRecorder } from '../sidecar/recording.ts';
import { AgentProcess } from './agent-process.ts';
import { sidecarDirectories } from './directories.ts';
import { joinOrResume, type Membership } from './membership.ts';
import { buildSidecarContext, startTools, type SidecarFoundations } from './sidecar-parts.ts';

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
  readonly close: () => Promise<void>;
};

const pruneEveryMs = 60_000;

/** Starts the sidecar of one agent in this process, and the agent beside it when asked to. */
export async function startSidecar(options: SidecarOptions): Promise<RunningSidecar> {
  const { mesh, log } = options;
  const agent = mesh.agents.get(options.agent);
  if (agent === undefined) throw new Error(`The mesh file has no agent ${options.agent}.`);
  const directories = sidecarDirectories(options.stateDirectory, agent.name);
  await mkdir(directories.state, { recursive: true, mode: 0o700 });
  const clock = systemClock();
  const membership = await joinOrResume(directories.state, options.joinToken, clock);
  let credential: Credential = membership.credential;
  let operators: ReadonlyMap<string, Operator> = mesh.operators;
  const isolation = isolationOf(options);
  const database = new BatchedDatabase(join(directories.state, 'sidecar.sqlite'));
  const store = new SqliteSidecarStore(database);
  const verifier = createPeerVerifier(
    readTrustBundle(membership.bundlePem, mesh.trustDomain),
    clock,
  );
  const report = (failure: unknown): void => log(`sidecar ${agent.name}: ${faultOf(failure)}`);
  let sidecar: AgentSidecar | null = null;
  let recorder: SidecarRecorder | null = null;
  const firstWelcome = Promise.withResolvers<void>();
  const link = new BusClient({
    host: membership.busHost,
    port: membership.busPort,
    bundlePem: membership.bundlePem,
    nodeSpiffeId: membership.nodeSpiffeId,
    credential: () => credential,
    meshDigest: mesh.digest,
    isolation,
    clock,
    events: {
      welcome: (frame) => {
        operators = new Map(frame.operators.map((operator) => [operator.name, operator]));
        firstWelcome.resolve();
        recorder?.drain().catch(report);
        sidecar?.reconnected().catch(report);
      },
      deliver: (frame) =>
        sidecar?.deliver(frame.envelope, frame.chain, (entries) =>
          link.delivered(frame.number, entries),
        ),
      decided: (frame) => sidecar?.decided(frame),
      lost: (code, fatal) => {
        if (!fatal) return log(`sidecar ${agent.name}: bus connection lost (${code})`);
        firstWelcome.reject(new Error(`The node refused this sidecar: ${code}.`));
      },
    },
  });
  recorder = new SidecarRecorder(store, link);
  const foundations: SidecarFoundations = {
    mesh,
    agent,
    isolation,
    clock,
    store,
    link,
    recorder,
    verifier,
    report,
    intents: new SqliteIntentStore(database.database),
    credential: () => credential,
    // Operators of the mesh file bind this sidecar; only where it names none is the node believed.
    operators: () => (mesh.operators.size > 0 ? mesh.operators : operators),
    digestKey: digestKeyOf(membership),
  };
  const tools = await startTools(foundations, directories.state, options.toolIdentity);
  sidecar = new AgentSidecar(await buildSidecarContext(foundations, tools));
  link.start();
  await firstWelcome.promise;
  await sidecar.recover();
  const http = await serve(options, sidecar, directories.socket);
  const running = sidecar;
  const agentProcess = await launch(options, running, http, mesh.directory);
  const timers = [
    setInterval(() => {
      store.prune(clock.nowMs() - pruneAfterMs(mesh)).catch(report);
    }, pruneEveryMs),
    rotation(membership, directories.state, link, () => credential, (next) => {
      credential = next;
    }, report),
  ];
  for (const timer of timers) timer.unref();
  return {
    agent: agent.name,
    isolation,
    sidecar: running,
    address: http?.address ?? null,
    connected: () => link.connected,
    mintToken: () => running.mintToken(),
    close: async () => {
      for (const timer of timers) clearInterval(timer);
      await agentProcess?.stop();
      await http?.close();
      await recorder?.drain();
      link.close();
      await tools.close();
      database.close();
    },
  };
}

/** Asks for a new certificate at half-life; sending goes on under the old one until it is there. */
function rotation(
  membership: Membership,
  stateDirectory: string,
  link: BusClient,
  current: () => Credential,
  use: (credential: Credential) => void,
  report: (failure: unknown) => void,
): NodeJS.Timeout {
  const lifetimeMs = membership.credential.expiresAtMs - membership.credential.notBeforeMs;
  return setInterval(() => {
    renewCredential(link, current).then(async (renewed) => {
      if (renewed === null) return;
      await saveCredential(join(stateDirectory, 'credential.pem'), renewed);
      use(renewed);
      link.reconnect();
    }, report);
  }, Math.max(1_000, lifetimeMs / 2 - 30_000 / 2));
}

async function renewCredential(
  link: BusClient,
  current: () => Credential,
): Promise<Credential | null> {
  const key = await newKey();
  const chainPem = await link.renew(key.csrPem);
  if (chainPem === null) return null;
  const renewed = credentialFromPem(chainPem, key.privateKey);
  return renewed.spiffeId === current().spiffeId ? renewed : null;
}

function isolationOf(options: SidecarOptions): Isolation {
  if (options.listen === 'in-process') return 'none';
  if (options.agentIdentity !== null) return 'uid';
  const declared = options.mesh.agents.get(options.agent)?.isolation ?? 'none';
  // `uid` holds only where this sidecar gave the agent its uid; a container is declared by whoever
  // runs the agent elsewhere, and then the sidecar starts no agent of its own.
  return declared === 'container' && options.command === null ? 'container' : 'none';
}

async function serve(
  options: SidecarOptions,
  sidecar: AgentSidecar,
  socketPath: string,
): Promise<AgentHttp | null> {
  if (options.listen === 'in-process') return null;
  const { limits } = options.mesh;
  return serveAgent({
    sidecar,
    bodyBytesMax: limits.messageBytesMax,
    depthMax: limits.depthMax,
    listen:
      options.listen === 'socket'
        ? {
            socketPath,
            uid: options.agentIdentity?.uid ?? null,
            gid: options.agentIdentity?.gid ?? null,
          }
        : options.listen,
  });
}

async function launch(
  options: SidecarOptions,
  sidecar: AgentSidecar,
  http: AgentHttp | null,
  directory: string,
): Promise<AgentProcess | null> {
  if (options.command === null || http === null) return null;
  const agentProcess = new AgentProcess({
    command: options.command,
    directory,
    address: http.address,
    identity: options.agentIdentity,
    restart: options.restart,
    mintToken: () => sidecar.mintToken(),
    ended: (status) => {
      sidecar.endSession(`exit ${status ?? 'signal'}`).catch((failure: unknown) => {
        options.log(`sidecar ${options.agent}: ${faultOf(failure)}`);
      });
    },
    log: options.log,
  });
  await agentProcess.start();
  return agentProcess;
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

/** Names the fault without what it was about: messages of our own errors hold no payload. */
function faultOf(failure: unknown): string {
  if (failure instanceof Error) {
    return 'code' in failure && typeof failure.code === 'string' ? failure.code : failure.name;
  }
  return 'unknown fault';
}
