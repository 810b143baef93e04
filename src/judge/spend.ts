// SPDX-License-Identifier: Apache-2.0
import type { JudgeModelSettings, JudgeSettings } from '../mesh/judge-settings.ts';
import type { Clock } from '../message/clock.ts';

/** What one call was charged; what is reserved and never settled stays charged. */
export type Charge = {
  readonly id: string;
  readonly task: string;
  readonly atMs: number;
  /** Millionths of the mesh's unit of money. */
  readonly micros: number;
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
 * The judge's budget: calls and money in any hour, and money for each task. The most that a call can
 * cost is durable before it is made, so a crash, or a thousand of them, overspends nothing.
 */
export class Spend {
  readonly #budget: JudgeSettings['budget'];
  readonly #store: SpendStore;
  readonly #clock: Clock;
  readonly #charges: Map<string, Charge>;
  readonly #mesh: MeshBudget | null;
  #turnAtMs = 0;

  constructor(
    budget: JudgeSettings['budget'],
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
    const { callsPerHour, moneyPerHour, moneyPerTask } = this.#budget;
    const ofTask = sum(charges.filter((one) => one.task === task));
    const shareOf = (used: number, most: number): number => (used === 0 ? 0 : used / most);
    const share = Math.max(
      shareOf(hour.length, callsPerHour), shareOf(sum(hour), moneyPerHour * 1e6), shareOf(ofTask, moneyPerTask * 1e6),
    );
    return { share, lastAtMs: hour.reduce((last, { atMs }) => Math.max(last, atMs), this.#turnAtMs) };
  }

  /** A call begins now: `use` knows of it before anything of it is durable, so that calls at once are spaced as well. */
  takeTurn(): void {
    this.#turnAtMs = this.#clock.nowMs();
  }

  /** False when it would go over the budget, and when it could not be made durable. */
  async reserve(id: string, task: string, micros: number): Promise<boolean> {
    const nowMs = this.#clock.nowMs();
    await this.#forget(nowMs);
    const hour = [...this.#charges.values()].filter(({ atMs }) => atMs > nowMs - hourMs);
    const total = sum(hour) + micros;
    const ofTask = sum([...this.#charges.values()].filter((one) => one.task === task)) + micros;
    const { callsPerHour, moneyPerHour, moneyPerTask } = this.#budget;
    const fits = hour.length + 1 <= callsPerHour && total <= moneyPerHour * 1e6 &&
      ofTask <= moneyPerTask * 1e6;
    if (!fits) return false;
    const charge = { id, task, atMs: nowMs, micros };
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

  /** Charges what it really cost, also above what was reserved; what is no sum leaves that. */
  async settle(id: string, micros: number): Promise<number> {
    const reserved = this.#charges.get(id);
    if (reserved === undefined) return 0;
    const settled = micros >= 0 && Number.isFinite(micros) ? micros : reserved.micros;
    this.#charges.set(id, { ...reserved, micros: settled });
    this.#mesh?.giveBack(reserved.micros - settled);
    try {
      await this.#store.save({ ...reserved, micros: settled });
    } catch {
      // What was reserved stays on disk.
      return settled;
    }
    return settled;
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

/** Micros for so many tokens; NaN where a number is none. */
export function priceOf(
  { price }: Pick<JudgeModelSettings, 'price'>,
  inputTokens: number,
  outputTokens: number,
): number {
  const micros = price.perCall * 1e6 +
    inputTokens * price.perMillionInput + outputTokens * price.perMillionOutput;
  return Math.ceil(micros);
}

function sum(charges: readonly Charge[]): number {
  return charges.reduce((total, { micros }) => total + micros, 0);
}
