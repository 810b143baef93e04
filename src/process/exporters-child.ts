// SPDX-License-Identifier: Apache-2.0
import { spawn, type ChildProcess } from 'node:child_process';
import type { ChildEnvironment } from './child-environment.ts';

export type ExportersChildOptions = {
  /** Arguments that make this program run: program, then its arguments. */
  readonly program: readonly string[];
  readonly meshFile: string;
  readonly stateDirectory: string;
  readonly environment: ChildEnvironment;
  readonly log: (line: string) => void;
};

const restartDelayMs = 1_000;
const killAfterMs = 5_000;

/**
 * Keeps one process with the mesh's exporters running beside the node. It ends with this process:
 * when the channel between them closes, it stops by itself.
 */
export class ExportersChild {
  readonly #options: ExportersChildOptions;
  #child: ChildProcess | null = null;
  #stopped = false;

  constructor(options: ExportersChildOptions) {
    this.#options = options;
  }

  /** Starts it now, or once a version of the mesh names exporters. */
  startWhen(wanted: () => boolean): void {
    if (wanted()) return this.start();
    const timer = setInterval(() => {
      if (!this.#stopped && !wanted()) return;
      clearInterval(timer);
      if (!this.#stopped) this.start();
    }, restartDelayMs);
    timer.unref();
  }

  start(): void {
    const { program, meshFile, stateDirectory, environment } = this.#options;
    const [executable = process.execPath, ...args] = program;
    const child = spawn(
      executable,
      [...args, 'exporters', 'run', meshFile, '--state', stateDirectory],
      { env: environment.variables(), stdio: ['ignore', 'ignore', 'inherit', 'ipc'] },
    );
    this.#child = child;
    child.once('error', () => this.#ended(child));
    child.once('exit', () => this.#ended(child));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    const child = this.#child;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), killAfterMs);
    await exited;
    clearTimeout(timer);
  }

  #ended(child: ChildProcess): void {
    if (this.#child !== child) return;
    this.#child = null;
    if (this.#stopped) return;
    this.#options.log('exporters: ended, starting them again');
    setTimeout(() => {
      if (!this.#stopped) this.start();
    }, restartDelayMs).unref();
  }
}
