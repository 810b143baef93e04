// SPDX-License-Identifier: Apache-2.0
import type { ClosedDay } from './baseline.ts';
import { numbersPerDrift, SlowDrift, type Bad, type Drift } from './slow-drift.ts';

export const driftAgainst = 'its own weeks';
const driftAgainstPeers = 'its peers, over weeks';
const driftOfRole = 'its role as a whole, over weeks';

/** A drift that people are told of now, with what it was found against. */
export type ToldDrift = Drift & { readonly against: string };

/** Peers with a day of their own that a comparison needs. */
const peersMin = 3;
/** Shares of one day that are kept; of a larger role those that ended their day first. */
const sharesMax = 64;
/** The day that is open and the one before: number, how many, and the shares. */
const perDay = 2 + sharesMax;
const openAt = 0;
const lastAt = perDay;
const driftAt = 2 * perDay;
/** Numbers that the days of one signal of one role take. */
export const numbersPerRoleDays = driftAt + numbersPerDrift;
/** Numbers that the days of one signal of one agent take: the last one, its share, its own drift and that beside its peers. */
export const numbersPerAgentDays = 2 + 2 * numbersPerDrift;

/**
 * The days of all agents of one role, each as a share of its own anchor. What makes one day differ from the next
 * for everybody (demand, prices, a holiday) falls out where an agent is held against its peers, and what
 * chance does to each falls to a part where all of them drift together: with peers these two say all that there is to
 * say, and an agent is held against its own weeks where it has none. A day is compared once the next one
 * has ended, so that everybody's is there.
 */
export class RoleDays {
  readonly numbers = new Float64Array(numbersPerRoleDays);
  readonly #drift: SlowDrift;

  constructor(bad: Bad) {
    this.#drift = new SlowDrift(this.numbers, driftAt, bad);
  }

  /** An agent's day ended; `own` is its block. Of a drift of the whole role one agent is named: whose day showed it. */
  closed({ day, mean, share }: ClosedDay, own: AgentDays): readonly ToldDrift[] {
    const alone = told(own.alone.close(day, mean), driftAgainst);
    if (share === null) return alone;
    const asRole = day > this.#get(openAt) ? told(this.#turn(day), driftOfRole) : [];
    const before = own.last;
    const peers = before.day > 0 && before.day === this.#get(lastAt) ? this.#besides(before.share) : null;
    const beside = peers === null ? [] : told(own.beside.close(before.day, before.share / peers), driftAgainstPeers);
    own.last = { day, share };
    const count = this.#get(openAt + 1);
    // Whoever is late counts for nothing: its day was compared without it.
    if (day === this.#get(openAt) && count < sharesMax) {
      this.#set(openAt + 2 + count, share);
      this.#set(openAt + 1, count + 1);
    }
    return [...(own.beside.isKnownOn(day) ? beside : alone), ...asRole];
  }

  get standing(): Drift | null {
    return this.#drift.standing;
  }

  #turn(day: number): Drift | null {
    // The day before the one that ends now is complete.
    const shares = this.#shares(openAt);
    const ended = this.#get(openAt);
    this.numbers.copyWithin(lastAt, openAt, openAt + perDay);
    this.#set(openAt, day);
    this.#set(openAt + 1, 0);
    if (shares.length <= peersMin) return null;
    return this.#drift.close(ended, innerMean(shares));
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

/** The days of one signal of one agent, by themselves and beside those of its peers, in a block of numbers. */
export class AgentDays {
  readonly alone: SlowDrift;
  readonly beside: SlowDrift;
  readonly #numbers: Float64Array;
  readonly #from: number;

  constructor(numbers: Float64Array, from: number, bad: Bad) {
    this.#numbers = numbers;
    this.#from = from;
    this.alone = new SlowDrift(numbers, from + 2, bad);
    this.beside = new SlowDrift(numbers, from + 2 + numbersPerDrift, bad);
  }

  /** The drift that counts: beside its peers where it has some, since what all share is no news of one. */
  standingOn(day: number): Drift | null {
    return this.beside.isKnownOn(day) ? this.beside.standing : this.alone.standing;
  }

  get last(): { readonly day: number; readonly share: number } {
    return { day: this.#numbers[this.#from] ?? 0, share: this.#numbers[this.#from + 1] ?? 0 };
  }

  set last({ day, share }: { readonly day: number; readonly share: number }) {
    this.#numbers[this.#from] = day;
    this.#numbers[this.#from + 1] = share;
  }
}

/**
 * The mean without the most and the least: what an agent costs is its sidecar's word, and one of a role that lies,
 * or of eight of a larger one, moves this no further than honest agents lie apart.
 */
function innerMean(shares: readonly number[]): number {
  const cut = Math.max(1, Math.floor(shares.length / 8));
  const inner = shares.toSorted((a, b) => a - b).slice(cut, shares.length - cut);
  return inner.reduce((sum, one) => sum + one, 0) / inner.length;
}

function told(drift: Drift | null, against: string): readonly ToldDrift[] {
  return drift === null ? [] : [{ ...drift, against }];
}
