// SPDX-License-Identifier: Apache-2.0
import type { ClosedDay } from './baseline.ts';
import { DayTrends, numbersPerTrends, type Deviation } from './day-trends.ts';

export const driftAgainstPeers = 'its peers, over days';
export const driftOfRole = 'its role as a whole, over days';

/** Peers with a day of their own that a comparison needs. */
const peersMin = 3;
/** Shares of one day that are kept; of a larger role those that ended their day first. */
const sharesMax = 64;
/** The day that is open and the one before: number, how many, and the shares. */
const perDay = 2 + sharesMax;
const openAt = 0;
const lastAt = perDay;
const trendsAt = 2 * perDay;
/** Numbers that the days of one signal of one role take. */
export const numbersPerRoleDays = trendsAt + numbersPerTrends;
/** Numbers that one agent needs to be compared: its last day, its share of it, its trends. */
export const numbersPerPeerDays = 2 + numbersPerTrends;

/**
 * The days of all agents of one role, each as a share of its own anchor. What makes one day differ from the next
 * for everybody (demand, prices, a holiday) falls out where an agent is held against its peers, and what
 * chance does to each falls to a part where all of them drift together. A day is compared once the next one
 * has ended, so that everybody's is there.
 */
export class RoleDays {
  readonly numbers = new Float64Array(numbersPerRoleDays);
  readonly #trends = new DayTrends(this.numbers, trendsAt, driftOfRole);

  /** An agent's day ended; `own` is its block, and learns how it stands beside its peers. */
  closed({ day, share }: ClosedDay, own: PeerDays, ageMs: number): void {
    if (day > this.#get(openAt)) this.#turn(day, ageMs);
    const before = own.last;
    const peers = before.day > 0 && before.day === this.#get(lastAt) ? this.#besides(before.share) : null;
    if (peers !== null) own.compared(before.share / peers, ageMs);
    own.last = { day, share };
    const count = this.#get(openAt + 1);
    // Whoever is late counts for nothing: its day was compared without it.
    if (day !== this.#get(openAt) || count >= sharesMax) return;
    this.#set(openAt + 2 + count, share);
    this.#set(openAt + 1, count + 1);
  }

  drift(): Deviation {
    return this.#trends.drift();
  }

  #turn(day: number, ageMs: number): void {
    // The day before the one that ends now is complete.
    const shares = this.#shares(openAt);
    if (shares.length > peersMin) this.#trends.close(shares.reduce((sum, one) => sum + one, 0) / shares.length, ageMs);
    this.numbers.copyWithin(lastAt, openAt, openAt + perDay);
    this.#set(openAt, day);
    this.#set(openAt + 1, 0);
  }

  /** The middle of the others' shares of the last day: one of them that drifts does not move it. */
  #besides(share: number): number | null {
    const shares = this.#shares(lastAt);
    const own = shares.indexOf(share);
    if (own >= 0) shares.splice(own, 1);
    if (shares.length < peersMin) return null;
    shares.sort((a, b) => a - b);
    const middle = shares.length / 2;
    const median = ((shares[Math.ceil(middle) - 1] ?? 0) + (shares[Math.floor(middle)] ?? 0)) / 2;
    return median > 0 ? median : null;
  }

  #shares(at: number): number[] {
    return [...this.numbers.subarray(at + 2, at + 2 + this.#get(at + 1))];
  }

  #get(index: number): number {
    return this.numbers[index] ?? 0;
  }

  #set(index: number, value: number): void {
    this.numbers[index] = value;
  }
}

/** What one signal of one agent needs to be compared with its peers, in a block of numbers. */
export class PeerDays {
  readonly #numbers: Float64Array;
  readonly #from: number;
  readonly #trends: DayTrends;

  constructor(numbers: Float64Array, from: number) {
    this.#numbers = numbers;
    this.#from = from;
    this.#trends = new DayTrends(numbers, from + 2, driftAgainstPeers);
  }

  get last(): ClosedDay {
    return { day: this.#numbers[this.#from] ?? 0, share: this.#numbers[this.#from + 1] ?? 0 };
  }

  set last({ day, share }: ClosedDay) {
    this.#numbers[this.#from] = day;
    this.#numbers[this.#from + 1] = share;
  }

  compared(share: number, ageMs: number): void {
    this.#trends.close(share, ageMs);
  }

  drift(): Deviation {
    return this.#trends.drift();
  }
}
