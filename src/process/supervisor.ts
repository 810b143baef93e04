// SPDX-License-Identifier: Apache-2.0
import { spawn, type ChildProcess } from 'node:child_process';
import { isJsonObject } from '../message/json.ts';
import type { Agent } from '../mesh/mesh.ts';
import type { RunningNode } from './node.ts';

export type SupervisedSidecar = {
  readonly agent: string;
  readonly address: string | null;
  readonly isolation: string;
  readonly tokenFile: string | null;
  readonly pid: number | null;
};

export type SupervisorOptions = {
  readonly node: Pick<RunningNode, 'joinToken'>;
  /** Arguments that make this program run a sidecar: program, then its arguments. */
  readonly program: readonly string[];
  readonly meshFile: string;
  readonly stateDirectory: string;
  /** Uid for an agent's process, or null to run it as this user. */
  readonly uidOf: (agent: Agent) => number | null;
  readonly log: (line: string) => void;
};

const restartDelayMs = 200;
const readyTimeoutMs = 30_000;

/** Keeps one sidecar process per agent running; each start gets a join token of its own. */
export class SidecarSupervisor {
  readonly #options: SupervisorOptions;
  readonly #children = new Map<string, ChildProcess>();
  readonly #ready = new Map<string, SupervisedSidecar>();
  #stopped = false;

  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  sidecars(): readonly SupervisedSidecar[] {
    return [...this.#ready.values()];
  }

  /** Resolves when the sidecar serves its agent; rejects when it ends before that. */
  async start(agent: Agent): Promise<SupervisedSidecar> {
    const { node, program, meshFile, stateDirectory, uidOf } = this.#options;
    const token = await node.joinToken(agent.name);
    const uid = uidOf(agent);
    const [executable = process.execPath, ...args] = program;
    const child = spawn(
      executable,
      [
        ...args,
        'sidecar',
        meshFile,
        '--agent',
        agent.name,
        '--state',
        stateDirectory,
        '--join-token',
        '-',
        '--restart',
        'always',
        ...(uid === null ? [] : ['--agent-uid', String(uid)]),
        ...(agent.command === null ? [] : ['--', ...agent.command]),
      ],
      { stdio: ['pipe', 'inherit', 'inherit', 'ipc'] },
    );
    this.#children.set(agent.name, child);
    // Standard input stays open: when this process is gone, the sidecar sees its end and stops.
    child.stdin?.on('error', () => child.kill());
    child.stdin?.write(`${token}\n`);
    child.once('exit', () => this.#exited(agent, child));
    const ready = await readyOf(child, agent.name);
    this.#ready.set(agent.name, ready);
    return ready;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all([...this.#children.values()].map((child) => stopChild(child)));
  }

  #exited(agent: Agent, child: ChildProcess): void {
    if (this.#children.get(agent.name) !== child) return;
    this.#children.delete(agent.name);
    this.#ready.delete(agent.name);
    if (this.#stopped) return;
    this.#options.log(`sidecar ${agent.name}: ended, starting it again`);
    setTimeout(() => {
      if (this.#stopped) return;
      this.start(agent).catch((failure: unknown) =>
        this.#options.log(
          `sidecar ${agent.name}: ${failure instanceof Error ? failure.message : 'not started'}`,
        ),
      );
    }, restartDelayMs);
  }
}

function readyOf(child: ChildProcess, agent: string): Promise<SupervisedSidecar> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new Error(`The sidecar of ${agent} did not get ready in time.`));
    }, readyTimeoutMs);
    child.once('exit', (status) => {
      clearTimeout(timer);
      reject(new Error(`The sidecar of ${agent} ended with status ${status}.`));
    });
    child.on('message', (message: unknown) => {
      if (!isReady(message)) return;
      clearTimeout(timer);
      const { address, isolation, tokenFile } = message;
      resolve({ agent, address, isolation, tokenFile, pid: child.pid ?? null });
    });
  });
}

type ReadyMessage = Pick<SupervisedSidecar, 'address' | 'isolation' | 'tokenFile'>;

function isReady(message: unknown): message is ReadyMessage {
  return isJsonObject(message) && message['kind'] === 'ready';
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 5_000);
  await exited;
  clearTimeout(timer);
}
