// SPDX-License-Identifier: Apache-2.0
import { spawn, type ChildProcess } from 'node:child_process';
import { availableParallelism } from 'node:os';
import type { Agent } from '../mesh/mesh.ts';
import type { ChildEnvironment } from './child-environment.ts';

/** Users of one agent and of nobody else. */
export type AgentUsers = { readonly agent: number; readonly tools: number };

export type SidecarProgram = {
  /** Arguments that make this program run a sidecar: program, then its arguments. */
  readonly program: readonly string[];
  readonly meshFile: string;
  readonly stateDirectory: string;
  readonly environment: ChildEnvironment;
};

type Prepared = { readonly child: ChildProcess; readonly started: string };

/**
 * The processes of sidecars, from a supervisor's view. A sidecar does nothing before the first line of
 * its standard input, so some may be started while the node itself still starts: on a machine of two
 * cores loading the program is most of a start.
 */
export class SidecarProcesses {
  readonly #options: SidecarProgram;
  readonly #prepared = new Map<string, Prepared>();

  constructor(options: SidecarProgram) {
    this.#options = options;
  }

  /** Starts processes that wait, no more than the machine has cores. */
  prepare(agents: readonly Agent[]): void {
    for (const agent of agents.slice(0, availableParallelism())) {
      this.#prepared.set(agent.name, this.#spawned(agent, 'always'));
    }
  }

  /** Gives the process that waits for this agent where it was started alike, else a new one. */
  start(agent: Agent, restart: 'always' | 'never', token: string, users: AgentUsers | null): ChildProcess {
    const waiting = this.#prepared.get(agent.name);
    this.#prepared.delete(agent.name);
    const isAlike = waiting !== undefined && waiting.child.exitCode === null &&
      waiting.child.signalCode === null && waiting.started === this.#argumentsOf(agent, restart).join('\0');
    if (!isAlike) waiting?.child.kill();
    const { child } = isAlike ? waiting : this.#spawned(agent, restart);
    // Standard input stays open: when this process is gone, the sidecar sees its end and stops.
    child.stdin?.on('error', () => child.kill());
    child.stdin?.write(`${[token, ...(users === null ? [] : [users.agent, users.tools])].join(' ')}\n`);
    return child;
  }

  /** Ends the processes that wait still. */
  endPrepared(): void {
    for (const { child } of this.#prepared.values()) child.kill();
    this.#prepared.clear();
  }

  #spawned(agent: Agent, restart: 'always' | 'never'): Prepared {
    const [executable = process.execPath, ...args] = this.#options.program;
    const own = this.#argumentsOf(agent, restart);
    const child = spawn(executable, [...args, ...own], {
      env: this.#options.environment.variables(),
      stdio: ['pipe', 'inherit', 'inherit', 'ipc'],
    });
    return { child, started: own.join('\0') };
  }

  #argumentsOf({ name, command }: Agent, restart: 'always' | 'never'): readonly string[] {
    const { meshFile, stateDirectory } = this.#options;
    return [
      'sidecar', meshFile, '--agent', name, '--state', stateDirectory,
      '--join-token', '-', '--restart', restart, ...(command === null ? [] : ['--', ...command]),
    ];
  }
}
