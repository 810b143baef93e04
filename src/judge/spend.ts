// SPDX-License-Identifier: Apache-2.0
import type { JudgeModelSettings } from '../mesh/judge-settings.ts';
import type { Clock } from '../message/clock.ts';

/** What one call was charged; what is reserved and never settled stays charged. */
export type Charge = {
  readonly id: string;
  readonly task: string;
  readonly atMs: number;
  /** Millionths of the mesh's unit of money. */
  readonly micros: number;
  /** Of question and answer together. */
  readonly tokens: number;
};

/** What a call costs, or can cost at most. */
export type Cost = Pick<Charge, 'micros' | 'tokens'>;

/** Bounds in any hour and for each task; null or absent: not bounded in tokens. */
export type SpendBudget = {
  readonly moneyPerHour: number;
  readonly moneyPerTask: number;
  readonly callsPerHour: number;
  readonly tokensPerHour?: number | null;
  readonly tokensPerTask?: number | null;
};

/** Durable memory of charges; `save` replaces the charge of that id and survives `kill -9`. */
export interface SpendStore {
  since(atMs: number): readonly Charge[];
  save(charge: Charge): Promise<void>;
  drop(beforeMs: number): Promise<void>;
}

/**
 * What all judges of the mesh may spend together, as far as this sidecar was given a part of it.
 * `take` never rejects for want of money; false is no.
 */
export interface MeshBudget {
  take(micros: number): Promise<boolean>;
  /** Of what was taken and turned out not to be needed. */
  giveBack(micros: number): void;
}

const hourMs = 3_600_000;
/** How long a task is remembered; no task lives longer without a new instruction. */
const keptMs = 24 * hourMs;

/**
 * The budget of a model: calls, money and tokens in any hour, money and tokens for each task. The most that a
 * call can cost is durable before it is made, so a crash, or a thousand of them, overspends nothing.
 */
export class Spend {
  readonly #budget: SpendBudget;
  readonly #store: SpendStore;
  readonly #clock: Clock;
  readonly #charges: Map<string, Charge>;
  readonly #mesh: MeshBudget | null;
  #turnAtMs = 0;

  constructor(
    budget: SpendBudget,
    store: SpendStore,
    clock: Clock,
    mesh: MeshBudget | null = null,
  ) {
    this.#mesh = mesh;
    this.#budget = budget;
    this.#store = store;
    this.#clock = clock;
    const known = store.since(clock.nowMs() - keptMs);
    this.#charges = new Map(known.map((charge) => [charge.id, charge]));
  }

  /** How far the budget is used, and when it was drawn on last; 0 where nothing was ever charged. */
  use(task: string): { readonly share: number; readonly lastAtMs: number } {
    const nowMs = this.#clock.nowMs();
    const charges = [...this.#charges.values()];
    const hour = charges.filter(({ atMs }) => atMs > nowMs - hourMs);
    const used = this.#used(hour, charges.filter((one) => one.task === task));
    const share = Math.max(...used.map(([amount, most]) => (amount === 0 ? 0 : amount / most)));
    return { share, lastAtMs: hour.reduce((last, { atMs }) => Math.max(last, atMs), this.#turnAtMs) };
  }

  /** A call begins now: `use` knows of it before anything of it is durable, so that calls at once are spaced as well. */
  takeTurn(): void {
    this.#turnAtMs = this.#clock.nowMs();
  }

  /** False when it would go over the budget, and when it could not be made durable. */
  async reserve(id: string, task: string, { micros, tokens }: Cost): Promise<boolean> {
    const nowMs = this.#clock.nowMs();
    await this.#forget(nowMs);
    const charge: Charge = { id, task, atMs: nowMs, micros, tokens };
    const charges = [...this.#charges.values(), charge];
    const hour = charges.filter(({ atMs }) => atMs > nowMs - hourMs);
    const used = this.#used(hour, charges.filter((one) => one.task === task));
    // NaN fits nowhere.
    if (!used.every(([amount, most]) => amount <= most)) return false;
    this.#charges.set(id, charge);
    try {
      if (this.#mesh !== null && !(await this.#mesh.take(micros))) {
        this.#charges.delete(id);
        return false;
      }
      await this.#store.save(charge);
      return true;
    } catch {
      // Not durable: the call is not made, and the charge stands until the next start.
      return false;
    }
  }

  /** Charges what it really cost, also above what was reserved; what is no sum leaves that. Gives the money. */
  async settle(id: string, { micros, tokens }: Cost): Promise<number> {
    const reserved = this.#charges.get(id);
    if (reserved === undefined) return 0;
    const settled = isSum(micros) ? micros : reserved.micros;
    const charge = { ...reserved, micros: settled, tokens: isSum(tokens) ? tokens : reserved.tokens };
    this.#charges.set(id, charge);
    this.#mesh?.giveBack(reserved.micros - settled);
    try {
      await this.#store.save(charge);
    } catch {
      // What was reserved stays on disk.
      return settled;
    }
    return settled;
  }

  /** What is used of each bound, and the bound. */
  #used(hour: readonly Charge[], ofTask: readonly Charge[]): readonly (readonly [number, number])[] {
    const { callsPerHour, moneyPerHour, moneyPerTask, tokensPerHour, tokensPerTask } = this.#budget;
    return [
      [hour.length, callsPerHour],
      [sum(hour, 'micros'), moneyPerHour * 1e6],
      [sum(ofTask, 'micros'), moneyPerTask * 1e6],
      [sum(hour, 'tokens'), tokensPerHour ?? Infinity],
      [sum(ofTask, 'tokens'), tokensPerTask ?? Infinity],
    ];
  }

  async #forget(nowMs: number): Promise<void> {
    const [oldest] = this.#charges.values();
    if (oldest === undefined || oldest.atMs > nowMs - keptMs) return;
    for (const { id, atMs } of this.#charges.values()) {
      if (atMs <= nowMs - keptMs) this.#charges.delete(id);
    }
    await this.#store.drop(nowMs - keptMs).catch(() => {
      // Old rows stay and count for nothing.
      return undefined;
    });
  }
}

/** What so many tokens cost; NaN where a number is none. */
export function costOf(
  { price }: Pick<JudgeModelSettings, 'price'>,
  inputTokens: number,
  outputTokens: number,
): Cost {
  const micros = price.perCall * 1e6 +
    inputTokens * price.perMillionInput + outputTokens * price.perMillionOutput;
  return { micros: Math.ceil(micros), tokens: inputTokens + outputTokens };
}

function sum(charges: readonly Charge[], of: 'micros' | 'tokens'): number {
  return charges.reduce((total, charge) => total + charge[of], 0);
}

function isSum(value: number): boolean {
  return value >= 0 && Number.isFinite(value);
}
