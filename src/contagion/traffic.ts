// SPDX-License-Identifier: Apache-2.0

export type TrafficLimits = {
  readonly windowMs: number;
  /** Recipients of one agent within the window; more is a fan-out. */
  readonly fanOutMax: number;
};


export type TrafficSign = 'CONTAGION_NEW_EDGE' | 'CONTAGION_FAN_OUT';

/**
 * Who speaks to whom. An edge of the mesh file that is used for the first time once the mesh has
 * settled, and an agent that suddenly speaks to many, are signs: they refuse nothing by themselves.
 * Bounded by the edges of the mesh file.
 */
export class Traffic {
  readonly #limits: TrafficLimits;
  readonly #startedMs: number;
  readonly #edges = new Map<string, Map<string, number>>();
  readonly #fannedOut = new Map<string, number>();

  constructor(limits: TrafficLimits, nowMs: number) {
    this.#limits = limits;
    this.#startedMs = nowMs;
  }

  /** What it would mean for this agent to speak to that one now. */
  signs(from: string, to: string, nowMs: number): readonly TrafficSign[] {
    const { windowMs, fanOutMax } = this.#limits;
    const signs: TrafficSign[] = [];
    const edges = this.#edges.get(from) ?? new Map<string, number>();
    const isNew = !edges.has(to);
    if (isNew && nowMs - this.#startedMs > windowMs) signs.push('CONTAGION_NEW_EDGE');
    let recent = isNew ? 1 : 0;
    for (const lastMs of edges.values()) if (nowMs - lastMs <= windowMs) recent += 1;
    const toldMs = this.#fannedOut.get(from) ?? Number.NEGATIVE_INFINITY;
    const isTold = nowMs - toldMs <= windowMs;
    if (recent > fanOutMax && !isTold) signs.push('CONTAGION_FAN_OUT');
    return signs;
  }

  carried(from: string, to: string, nowMs: number): void {
    if (this.signs(from, to, nowMs).includes('CONTAGION_FAN_OUT')) this.#fannedOut.set(from, nowMs);
    this.#edges.set(from, (this.#edges.get(from) ?? new Map<string, number>()).set(to, nowMs));
  }
}
