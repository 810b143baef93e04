// SPDX-License-Identifier: Apache-2.0
import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { IdentityError } from '../identity/identity-error.ts';
import { isJsonObject } from '../message/json.ts';
import type { Agent, Mesh } from '../mesh/mesh.ts';
import { isResident } from '../mesh/spawn.ts';
import { agentProcessFile, endRemains } from './agent-remains.ts';
import { sidecarDirectories } from './directories.ts';
import type { RunningNode } from './node.ts';
import type { AgentUsers, SidecarProcesses } from './sidecar-processes.ts';

export type SupervisedSidecar = {
  readonly agent: string;
  readonly address: string | null;
  readonly isolation: string;
  readonly tokenFile: string | null;
  readonly pid: number | null;
};

export type SupervisorOptions = {
  readonly node: Pick<RunningNode, 'joinToken'>;
  readonly processes: SidecarProcesses;
  readonly stateDirectory: string;
  /** Uids for an agent's process and for its tools, or null to run them as this user. */
  readonly usersOf: (agent: Agent) => AgentUsers | null;
  /** The sidecar of a spawned agent ended by itself. */
  readonly childEnded: (name: string) => void;
  readonly log: (line: string) => void;
};

const restartDelayMs = 200;
/** How often a revoked agent is looked at again: it may have been reinstated. */
const revokedRetryMs = 1_000;
const readyTimeoutMs = 60_000;

/**
 * Keeps one sidecar process per agent running; each start gets a join token of its own. Sidecars of
 * spawned agents are started once, and end with their child.
 */
export class SidecarSupervisor {
  readonly #options: SupervisorOptions;
  readonly #children = new Map<string, ChildProcess>();
  readonly #ready = new Map<string, SupervisedSidecar>();
  /** Agents that were said to be revoked. */
  readonly #revoked = new Set<string>();
  /** Spawned agents whose sidecar runs or starts. */
  readonly #spawned = new Set<string>();
  #stopped = false;

  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  sidecars(): readonly SupervisedSidecar[] {
    return [...this.#ready.values()];
  }

  /**
   * Resolves when the sidecar serves its agent, or with null where the agent is revoked: then it is
   * started once the agent is reinstated. Rejects when the sidecar ends before it serves.
   */
  async start(agent: Agent): Promise<SupervisedSidecar | null> {
    const token = await this.#tokenFor(agent);
    return token === null ? null : this.#startWith(agent, token);
  }

  async #tokenFor(agent: Agent): Promise<string | null> {
    try {
      return await this.#options.node.joinToken(agent.name);
    } catch (failure) {
      if (!(failure instanceof IdentityError) || failure.code !== 'IDENTITY_REVOKED') throw failure;
      if (!this.#revoked.has(agent.name)) {
        this.#options.log(`sidecar ${agent.name}: not started (IDENTITY_REVOKED)`);
      }
      this.#revoked.add(agent.name);
      this.#startLater(agent, revokedRetryMs);
      return null;
    }
  }

  async #startWith(agent: Agent, token: string): Promise<SupervisedSidecar> {
    const { processes, usersOf } = this.#options;
    this.#revoked.delete(agent.name);
    const restart = this.#spawned.has(agent.name) ? 'never' : 'always';
    const child = processes.start(agent, restart, token, usersOf(agent));
    this.#children.set(agent.name, child);
    child.once('exit', () => this.#exited(agent, child));
    const ready = await readyOf(child, agent.name);
    this.#ready.set(agent.name, ready);
    return ready;
  }

  async stopAll(): Promise<void> {
    this.#stopped = true;
    await Promise.all([...this.#children.values()].map((child) => stopChild(child)));
  }

  /** Ends agent processes of children whose node and sidecar were both killed. */
  async endSpawned(mesh: Mesh): Promise<void> {
    const { stateDirectory } = this.#options;
    const left = [...mesh.agents.values()].filter((agent) =>
      (agent.fromTemplate ?? null) !== null &&
      existsSync(sidecarDirectories(stateDirectory, agent.name).state));
    for (const agent of left) await this.#endRemains(agent);
  }

  /** Starts the sidecar of a spawned agent on nothing that an earlier one of its name left. */
  async startChild(agent: Agent): Promise<void> {
    const { state, socket } = sidecarDirectories(this.#options.stateDirectory, agent.name);
    await this.#endRemains(agent);
    await rm(state, { recursive: true, force: true });
    await rm(dirname(socket), { recursive: true, force: true });
    const token = await this.#options.node.joinToken(agent.name);
    this.#spawned.add(agent.name);
    await this.#startWith(agent, token);
  }

  /** Resolves when sidecar and agent process are gone. */
  async stopChild(agent: Agent): Promise<void> {
    this.#spawned.delete(agent.name);
    const child = this.#children.get(agent.name);
    if (child !== undefined) await stopChild(child);
    await this.#endRemains(agent);
  }

  async #endRemains(agent: Agent): Promise<void> {
    const { state, socket } = sidecarDirectories(this.#options.stateDirectory, agent.name);
    await endRemains({
      file: join(state, agentProcessFile),
      address: socket,
      ownUid: this.#options.usersOf(agent)?.agent ?? null,
    });
  }

  #exited(agent: Agent, child: ChildProcess): void {
    if (this.#children.get(agent.name) !== child) return;
    this.#children.delete(agent.name);
    this.#ready.delete(agent.name);
    if (this.#stopped) return;
    if (this.#spawned.delete(agent.name)) return this.#options.childEnded(agent.name);
    if (!isResident(agent)) return;
    this.#options.log(`sidecar ${agent.name}: ended, starting it again`);
    this.#startLater(agent, restartDelayMs);
  }

  #startLater(agent: Agent, delayMs: number): void {
    setTimeout(() => {
      if (this.#stopped) return;
      this.start(agent).catch((failure: unknown) =>
        this.#options.log(
          `sidecar ${agent.name}: ${failure instanceof Error ? failure.message : 'not started'}`,
        ),
      );
    }, delayMs).unref();
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
