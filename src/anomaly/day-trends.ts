// SPDX-License-Identifier: Apache-2.0

/** How far a value lies from one baseline, in its own spread. */
export type Deviation = { readonly z: number; readonly against: string };

const dayMs = 86_400_000;
/** How long the anchor learns before it stands: the framework asks for two weeks at least. */
export const anchorMs = 28 * dayMs;
/** Trends under test at once: one from the anchor on and for ever, and some that begin anew in turn. */
const trends = 4;
const perTrend = 5;
const trendTurnMs = 28 * dayMs;
/** One that began in this turn is not begun again in it. */
const trendDaysMin = 29;
const trendAt = 3;
/** Days are never taken to be more alike than this share of their mean. */
const daySpreadMin = 0.002;
/** Numbers that the days of one thing take, however many they are. */
export const numbersPerTrends = trendAt + trends * perTrend;

/**
 * A sequential test of daily means for a drift so slow that every rolling baseline follows it, in a fixed block
 * of numbers. Against a drift from its first day on, whose size nobody knows, nothing does better than the sum
 * of the days weighted by how far it would have come by then (Neyman and Pearson); four are begun in turn,
 * because nobody knows its first day either.
 */
export class DayTrends {
  readonly #numbers: Float64Array;
  readonly #from: number;
  readonly #against: string;

  constructor(numbers: Float64Array, from: number, against: string) {
    this.#numbers = numbers;
    this.#from = from;
    this.#against = against;
  }

  /** Takes in the mean of a whole day, so that what changes with the hour is the same in each. */
  close(mean: number, ageMs: number): void {
    if (ageMs >= anchorMs) this.#test(mean, ageMs);
    const learned = this.#get(0) + 1;
    const off = mean - this.#get(1);
    this.#set(0, learned);
    this.#set(1, this.#get(1) + off / learned);
    this.#set(2, this.#get(2) + off * (mean - this.#get(1)));
  }

  /**
   * How sure it is that the daily means rise or fall, in spreads. What days differ by anyway, and that the
   * mean before a trend is known from so many days only, is in the spread.
   */
  drift(): Deviation {
    let most: Deviation = { z: 0, against: this.#against };
    for (let trend = 0; trend < trends; trend += 1) {
      const at = trendAt + trend * perTrend;
      const [sum, days, learned] = [this.#get(at), this.#get(at + 1), this.#get(at + 3)];
      if (days < 14 || learned < 14) continue;
      const times = (days * (days + 1)) / 2;
      const squares = (days * (days + 1) * (2 * days + 1)) / 6;
      const spread = Math.max(this.#get(at + 4), Math.abs(this.#get(at + 2)) * daySpreadMin);
      const z = sum / (spread * Math.sqrt(squares + (times * times) / learned));
      if (Math.abs(z) > Math.abs(most.z)) most = { z, against: this.#against };
    }
    return most;
  }

  /** From one day to the next, over all days that were seen. */
  spread(): number {
    const learned = this.#get(0);
    return learned < 2 ? 0 : Math.sqrt(this.#get(2) / (learned - 1));
  }

  /** Every trend is held against all days before it; one in turn begins anew every four weeks. */
  #test(mean: number, ageMs: number): void {
    const turn = Math.floor((ageMs - anchorMs) / trendTurnMs);
    for (let trend = 0; trend < trends; trend += 1) {
      const at = trendAt + trend * perTrend;
      const isDue = trend > 0 && turn % (trends - 1) === trend - 1 && this.#get(at + 1) >= trendDaysMin;
      if (this.#get(at + 1) === 0 || isDue) this.#begin(at);
      const days = this.#get(at + 1) + 1;
      this.#set(at + 1, days);
      this.#set(at, this.#get(at) + days * (mean - this.#get(at + 2)));
    }
  }

  #begin(at: number): void {
    this.#set(at, 0);
    this.#set(at + 1, 0);
    this.#set(at + 2, this.#get(1));
    this.#set(at + 3, this.#get(0));
    this.#set(at + 4, this.spread());
  }

  #get(index: number): number {
    return this.#numbers[this.#from + index] ?? 0;
  }

  #set(index: number, value: number): void {
    this.#numbers[this.#from + index] = value;
  }
}
