// SPDX-License-Identifier: Apache-2.0
import type { PaceClamp } from '../pace/pace-view.ts';
import type { StoppedCall } from '../pace/stopped-call.ts';
import type { AgentSidecar } from '../sidecar/agent-sidecar.ts';
import type { AgentProcess } from './agent-process.ts';

export type AgentUnderPaceOptions = {
  readonly sidecar: AgentSidecar;
  readonly clamp: () => PaceClamp;
  readonly paceVersion: () => number;
  /** Starts the agent's process; null where somebody else does. */
  readonly launch: () => Promise<AgentProcess | null>;
  /** Told when the agent may work again and somebody else starts it: it needs a token. */
  readonly back: () => Promise<void>;
  /** Tells the node what became of a change. */
  readonly tell: (paceVersion: number, busy: boolean, calls: readonly StoppedCall[]) => void;
  readonly report: (failure: unknown) => void;
};

/** How often a sidecar in a halt looks whether what was begun has ended. */
const drainLookMs = 200;

/**
 * The agent's process as far as PACE goes: none runs while nothing is allowed, and a fresh one, with
 * a clean label, starts when something is again.
 */
export class AgentUnderPace {
  readonly #options: AgentUnderPaceOptions;
  #process: AgentProcess | null = null;
  #turn: Promise<void> = Promise.resolve();
  #draining: NodeJS.Timeout | null = null;
  #stopped = false;
  #closed = false;

  constructor(options: AgentUnderPaceOptions) {
    this.#options = options;
  }

  /** Starts the agent, unless PACE allows it nothing just now. Rejects when it does not start. */
  async begin(): Promise<void> {
    this.#stopped = this.#options.clamp().allows === 'nothing';
    if (!this.#stopped) this.#process = await this.#options.launch();
    this.#watchDrain();
  }

  /** Another clamp holds. What runs at tools is stopped before this returns. */
  changed(): void {
    const { sidecar, clamp, paceVersion, tell, report } = this.#options;
    const version = paceVersion();
    const stops = clamp().allows === 'nothing';
    const stopped = sidecar.clampChanged(version);
    this.#turn = this.#turn.then(async () => {
      if (this.#closed) return;
      if (stops) await this.#endAgent();
      else await this.#startAgent();
      tell(version, sidecar.isBusy, await stopped);
    }).catch(report);
    // Also heeded when the turn fails before it comes to it.
    stopped.catch(report);
    this.#watchDrain();
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#draining !== null) clearInterval(this.#draining);
    await this.#turn;
    await this.#endAgent();
  }

  async #startAgent(): Promise<void> {
    if (!this.#stopped) return;
    this.#stopped = false;
    this.#process = await this.#options.launch();
    if (this.#process === null) await this.#options.back();
  }

  async #endAgent(): Promise<void> {
    this.#stopped = true;
    const running = this.#process;
    this.#process = null;
    await running?.stop();
  }

  /** While a halt drains, the node hears whether anything still runs here. */
  #watchDrain(): void {
    const { clamp, paceVersion, sidecar, tell } = this.#options;
    const drains = clamp().draining === true;
    if (drains && this.#draining === null) {
      this.#draining = setInterval(() => tell(paceVersion(), sidecar.isBusy, []), drainLookMs);
      this.#draining.unref();
    } else if (!drains && this.#draining !== null) {
      clearInterval(this.#draining);
      this.#draining = null;
    }
  }
}
