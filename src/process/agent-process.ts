// SPDX-License-Identifier: Apache-2.0
import { spawn, type ChildProcess } from 'node:child_process';
import type { Writable } from 'node:stream';

export type AgentProcessOptions = {
  readonly command: readonly string[];
  readonly directory: string;
  readonly address: string;
  /** Another user than the sidecar's; needs root. */
  readonly identity: { readonly uid: number; readonly gid: number } | null;
  readonly restart: 'always' | 'never';
  /** Ends what is left of earlier processes of this agent; the next one starts after that. */
  readonly endRemains: () => Promise<void>;
  /** Told of every process that was started. */
  readonly started: (pid: number) => Promise<void>;
  /** A fresh token for every process: a new process is a new incarnation. */
  readonly mintToken: () => Promise<string>;
  readonly ended: (status: number | null) => void;
  readonly log: (line: string) => void;
};

const restartDelayMsMin = 50;
const restartDelayMsMax = 5_000;
/** A process that lived this long counts as healthy: the next restart is quick again. */
const healthyMs = 1_000;
const passedOn = ['PATH', 'HOME', 'LANG', 'TZ', 'TMPDIR'];

/**
 * Runs the agent beside its sidecar: token by an inherited descriptor, never in the environment or
 * on the command line, where any process of the same user could read it.
 */
export class AgentProcess {
  readonly #options: AgentProcessOptions;
  #child: ChildProcess | null = null;
  #delayMs = restartDelayMsMin;
  #stopped = false;

  constructor(options: AgentProcessOptions) {
    this.#options = options;
  }

  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  async start(): Promise<void> {
    if (this.#stopped) return;
    const { command, directory, address, identity } = this.#options;
    const [program = '', ...args] = command;
    await this.#options.endRemains();
    const token = await this.#options.mintToken();
    const startedAt = performance.now();
    const child = spawn(program, args, {
      cwd: directory,
      env: { ...inheritedEnvironment(), MASO_SIDECAR: address, MASO_TOKEN_FD: '3' },
      stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
      ...identity,
    });
    this.#child = child;
    if (child.pid !== undefined) {
      this.#options.started(child.pid).catch((failure: unknown) => {
        // Its environment and user still tell it apart at the next start.
        this.#options.log(`agent: ${failure instanceof Error ? failure.message : 'not noted'}`);
      });
    }
    const descriptor = child.stdio[3] as Writable | null;
    // An agent that ends before it read its token leaves a broken pipe, which is its own loss.
    descriptor?.on('error', () => descriptor.destroy());
    descriptor?.end(`${token}\n`);
    child.once('error', (failure) => this.#options.log(`agent: ${failure.message}`));
    child.once('exit', (status) => this.#exited(status, performance.now() - startedAt));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#child !== null) await stopChild(this.#child);
    // What it started itself does not outlive it either.
    await this.#options.endRemains();
  }

  #exited(status: number | null, livedMs: number): void {
    this.#child = null;
    this.#options.ended(status);
    if (this.#stopped || this.#options.restart === 'never') return;
    this.#delayMs =
      livedMs >= healthyMs || status === 0
        ? restartDelayMsMin
        : Math.min(this.#delayMs * 2, restartDelayMsMax);
    setTimeout(() => {
      this.start().catch((failure: unknown) =>
        this.#options.log(`agent: ${failure instanceof Error ? failure.message : 'not started'}`),
      );
    }, this.#delayMs);
  }
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 2_000);
  await exited;
  clearTimeout(timer);
}

function inheritedEnvironment(): NodeJS.ProcessEnv {
  const environment: NodeJS.ProcessEnv = {};
  for (const [name, value] of Object.entries(process.env)) {
    if (passedOn.includes(name) || name.startsWith('AGENT_')) environment[name] = value;
  }
  return environment;
}
