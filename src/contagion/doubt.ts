// SPDX-License-Identifier: Apache-2.0

/** What is left of a doubt when it passes through an agent into the next message. */
const carriedShare = 0.9;
/** Five doubts of 0.25 along one chain, each a little less than the one before, reach it. */
export const doubtMax = 1;

export type DoubtLimits = {
  /** Chains remembered; the oldest make room. */
  readonly chainsMax: number;
  readonly windowMs: number;
};

type Held = { readonly doubt: number; readonly atMs: number };

/**
 * Doubts carried along causal links: what was doubtful in a message stays doubtful in what its
 * recipient says afterwards in the same task, a little less each time, and adds up.
 */
export class Doubts {
  readonly #limits: DoubtLimits;
  /** Agent and task -> the doubt that the agent was handed there. */
  readonly #held = new Map<string, Held>();

  constructor(limits: DoubtLimits) {
    this.#limits = limits;
  }

  /** The doubt of a message: its own, and what its sender was handed in this task before. */
  of(from: string, task: string, own: number, nowMs: number): number {
    const held = this.#held.get(keyOf(from, task));
    const isFresh = held !== undefined && nowMs - held.atMs <= this.#limits.windowMs;
    return own + (isFresh ? held.doubt * carriedShare : 0);
  }

  /** The recipient was handed a message of this doubt. */
  handed(to: string, task: string, doubt: number, nowMs: number): void {
    if (!(doubt > 0)) return;
    const key = keyOf(to, task);
    const before = this.#held.get(key)?.doubt ?? 0;
    this.#held.delete(key);
    this.#held.set(key, { doubt: Math.max(before, doubt), atMs: nowMs });
    if (this.#held.size <= this.#limits.chainsMax) return;
    const [oldest] = this.#held.keys();
    if (oldest !== undefined) this.#held.delete(oldest);
  }
}

function keyOf(agent: string, task: string): string {
  return `${agent} ${task}`;
}
