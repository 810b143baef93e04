// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { systemClock, type SystemClock } from '../adapters/clock-system.ts';
import type { Clock } from '../message/clock.ts';
import { Chance } from './chance.ts';

/** Where every simulated clock begins, milliseconds since 1970. */
export const beginMs = 1_800_000_000_000;

/** One run of one process. What was to happen in a run that crashed never happens. */
export type Life = { alive: boolean };

type Event = {
  readonly atMs: number;
  readonly order: number;
  readonly life: Life | null;
  readonly run: () => void;
};

/** Lets go on whatever can go on without an event; the only real time that a simulation takes. */
export type Settle = () => Promise<void>;

/**
 * Time, chance and the order of events. Everything that waits waits here, for an event with a time; two
 * at the same time come in the order in which they were asked for. Nothing else decides what comes next.
 */
export class World {
  readonly chance: Chance;
  readonly #settle: Settle;
  readonly #told: (line: string) => void;
  readonly #trace = createHash('sha256');
  /** A heap: the next event first. */
  readonly #events: Event[] = [];
  #order = 0;
  #nowMs = beginMs;

  constructor(seed: number, settle: Settle, told: (line: string) => void = () => undefined) {
    this.#told = told;
    this.chance = new Chance(seed);
    this.#settle = settle;
  }

  /** True time, which no process sees. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** Runs something once, later, unless the life ended before. Gives what calls it off. */
  after(delayMs: number, life: Life | null, run: () => void): () => void {
    let isOff = false;
    const atMs = this.#nowMs + Math.max(0, Math.round(delayMs));
    this.#push({ atMs, order: (this.#order += 1), life, run: () => (isOff ? undefined : run()) });
    return () => {
      isOff = true;
    };
  }

  /** Never resolves in a life that ended. */
  wait(delayMs: number, life: Life | null): Promise<void> {
    return new Promise((resolve) => void this.after(delayMs, life, resolve));
  }

  every(periodMs: number, life: Life, run: () => void): void {
    this.after(periodMs, life, () => {
      run();
      this.every(periodMs, life, run);
    });
  }

  /** Does the next thing that happens, if it happens before this time. */
  async step(untilMs: number): Promise<boolean> {
    const [next] = this.#events;
    if (next === undefined || next.atMs > untilMs) return false;
    this.#pop();
    this.#nowMs = next.atMs;
    if (next.life?.alive !== false) next.run();
    await this.#settle();
    return true;
  }

  settled(): Promise<void> {
    return this.#settle();
  }

  /** Adds a line to what happened; two runs of a seed must have the same. */
  note(line: string): void {
    const timed = `${this.#nowMs - beginMs} ${line}`;
    this.#trace.update(`${timed}\n`);
    this.#told(timed);
  }

  /** Over everything noted so far. */
  digest(): string {
    return this.#trace.copy().digest('hex').slice(0, 16);
  }

  #push(event: Event): void {
    const events = this.#events;
    let at = events.push(event) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (!isBefore(events[at], events[above])) break;
      swap(events, at, above);
      at = above;
    }
  }

  #pop(): void {
    const events = this.#events;
    const last = events.pop();
    if (last === undefined || events.length === 0) return;
    events[0] = last;
    for (let at = 0; ; ) {
      const [left, right] = [2 * at + 1, 2 * at + 2];
      let least = at;
      if (isBefore(events[left], events[least])) least = left;
      if (isBefore(events[right], events[least])) least = right;
      if (least === at) return;
      swap(events, at, least);
      at = least;
    }
  }
}

function isBefore(one: Event | undefined, other: Event | undefined): boolean {
  if (one === undefined || other === undefined) return false;
  return one.atMs < other.atMs || (one.atMs === other.atMs && one.order < other.order);
}

function swap(events: Event[], one: number, other: number): void {
  const [a, b] = [events[one], events[other]];
  if (a !== undefined && b !== undefined) [events[one], events[other]] = [b, a];
}

/** The clocks of one machine: a wall clock that is off by some and set now and then, and a steady one. */
export class SkewedClock implements Clock {
  offMs = 0;
  readonly #world: World;
  #clock: SystemClock;

  constructor(world: World) {
    this.#world = world;
    this.#clock = this.#from(0);
  }

  /** A process begins here, and believes no time below the one that it is told of. */
  started(floorMs = 0): void {
    this.#clock = this.#from(floorMs);
  }

  nowMs(): number {
    return this.#clock.nowMs();
  }

  monotonicMs(): number {
    return this.#world.nowMs - beginMs;
  }

  jumpedMs(): number {
    return Math.abs(this.#clock.jumpedMs());
  }

  #from(floorMs: number): SystemClock {
    return systemClock({
      floorMs, wallMs: () => this.#world.nowMs + this.offMs, monotonicMs: () => this.monotonicMs(),
    });
  }
}
