// SPDX-License-Identifier: Apache-2.0

/** Weeks that are remembered: what is older is no measure of today. */
const weeksKept = 39;
/** A drift that began so many weeks ago is looked for, and no younger or older one. */
const beganMin = 2;
const beganMax = 20;
/** Whole weeks before it that say what was usual. */
const usualMin = 4;
/** A week of which fewer days were seen says too little. */
const daysMin = 3;
/** Weeks of which the within-week spread is the mean. */
const spreadWeeks = 26;
/** Pairs of weeks in a row from which on their differences say what weeks differ by anyway. */
const pairsMin = 7;
/** Days are never taken to be more alike than this share of their mean. */
const daySpreadMin = 0.002;
/** The drift that is asked for, a week, as a share of the mean. */
const askedWeekly = 0.004;
/** What has not come to this share of the mean is told later. */
const changeMin = 0.01;
/**
 * A drift that began lately has to be surer: chance has more short stretches than long ones that look like one. So
 * the ratio for one that began w weeks ago is weighed with (w / 20)^1.5, by which chance alone is told about as often
 * whatever days differ by (up to a fifth; less often where they are alike).
 */
const weighedBy = 1.5;
/** People are told where the weighed ratio is at least one. */
export const toldFrom = 1;
/** Below it a drift stands no longer, and the next one is news. */
const endsBelow = 0.4;
/** They are told once more of one that still stands after so many weeks. */
const againWeeks = 13;
/** Weeks are kept one higher, so that zero is no week: means of what is measured here are never below zero. */
const kept = 1;

/** What a day may come to and still leave every sum of squares a number. */
const meanMax = 1e12;
/** Weeks without a day after which nothing is known beside peers any more. */
const weeksBehindMax = 2;

const daysAt = 0;
const meanAt = 1;
const squaresAt = 2;
const weekAt = 3;
const withinAt = 4;
const perWeekAt = 5;
const closedAt = 6;
const toldAt = 7;
const timesAt = 8;
const zAt = 9;
const changeAt = 10;
const ringAt = 11;
/** Numbers that the weeks of one thing take, however many they are. */
export const numbersPerDrift = ringAt + weeksKept;

/** The mean of one week, and how many weeks ago it ended. */
type Week = { readonly mean: number; readonly age: number };

/** Which way is the bad one. */
export type Bad = 'more' | 'less';

/** A drift that is more likely than none, with what it has come to by now. */
export type Drift = {
  /** How many times as likely the weeks are with it as without any, weighed by how long it has gone on. */
  readonly times: number;
  /** How far its slope lies from none, in its own spread. */
  readonly z: number;
  /** How far it has come, as a share of the mean. */
  readonly change: number;
};

/**
 * A sequential test for a drift so slow that every rolling baseline follows it, in a fixed block of numbers. It
 * asks of the last weeks' means, each time a week ends: are they likelier with a drift of 0.4 % a week that
 * began some weeks ago, or with none? Both what was usual before and the drift are fitted to all weeks at once, for each
 * week in which it may have begun; the largest ratio counts (Page's test with a slope in the place of a step). What drifts
 * half as fast or slower makes none before much of it has added up.
 */
export class SlowDrift {
  readonly #numbers: Float64Array;
  readonly #from: number;
  readonly #sign: 1 | -1;

  constructor(numbers: Float64Array, from: number, bad: Bad) {
    this.#numbers = numbers;
    this.#from = from;
    this.#sign = bad === 'more' ? 1 : -1;
  }

  /**
   * Takes in the mean of a whole day (`day` since 1970), so that what changes with the hour is the same in each; and
   * by whole weeks, so that what changes with the weekday is. Gives a drift that people are to be told of now.
   */
  close(day: number, mean: number): Drift | null {
    // What a sidecar says of a day may be any number; one that is none would stay in every later sum.
    if (!(Math.abs(mean) <= meanMax)) return null;
    const week = Math.floor(day / 7);
    const open = this.#get(weekAt);
    const told = week > open && this.#get(daysAt) > 0 ? this.#turn(week, Math.min(weeksKept, week - open)) : null;
    if (week > open || this.#get(daysAt) === 0) {
      this.#set(weekAt, week);
      for (const at of [daysAt, meanAt, squaresAt]) this.#set(at, 0);
    }
    const days = this.#get(daysAt) + 1;
    const off = mean - this.#get(meanAt);
    this.#set(daysAt, days);
    this.#set(meanAt, this.#get(meanAt) + off / days);
    this.#set(squaresAt, this.#get(squaresAt) + off * (mean - this.#get(meanAt)));
    return told;
  }

  /** The drift that stands, whether people were told of it or not; null where none is likely. */
  get standing(): Drift | null {
    const times = this.#get(timesAt);
    return times < toldFrom ? null : { times, z: this.#get(zAt), change: this.#get(changeAt) };
  }

  /** Whether it knows enough weeks to find anything, the latest of them included: not where peers have left. */
  isKnownOn(day: number): boolean {
    const isCurrent = Math.floor(day / 7) - this.#get(weekAt) <= weeksBehindMax;
    return isCurrent && this.#weeks().length >= usualMin + beganMin;
  }

  /** `passed`: weeks since the open one, 1 where none is left out. */
  #turn(week: number, passed: number): Drift | null {
    const days = this.#get(daysAt);
    const isWeek = days >= daysMin;
    if (isWeek) {
      const known = this.#get(closedAt);
      const share = 1 / Math.min(known + 1, spreadWeeks);
      this.#set(closedAt, known + 1);
      this.#set(withinAt, this.#get(withinAt) + share * (this.#get(squaresAt) / (days - 1) - this.#get(withinAt)));
      this.#set(perWeekAt, this.#get(perWeekAt) + share * (days - this.#get(perWeekAt)));
    }
    const ring = this.#numbers.subarray(this.#from + ringAt, this.#from + ringAt + weeksKept);
    ring.copyWithin(passed, 0);
    ring.fill(0, 0, passed);
    if (isWeek) ring[passed - 1] = this.#get(meanAt) + kept;
    return this.#test(week);
  }

  #test(week: number): Drift | null {
    const weeks = this.#weeks();
    const found = mostLikely(weeks, this.#weekVariance(weeks), this.#sign);
    this.#set(timesAt, found?.times ?? 0);
    this.#set(zAt, found?.z ?? 0);
    this.#set(changeAt, found?.change ?? 0);
    const { standing } = this;
    if (!((found?.times ?? 0) >= endsBelow)) this.#set(toldAt, 0);
    if (standing === null || (this.#get(toldAt) > 0 && week - this.#get(toldAt) < againWeeks)) return null;
    this.#set(toldAt, week);
    return standing;
  }

  /** Weeks that were seen, the newest first. */
  #weeks(): readonly Week[] {
    const ring = this.#numbers.subarray(this.#from + ringAt, this.#from + ringAt + weeksKept);
    return [...ring].flatMap((week, age) => (week === 0 ? [] : [{ mean: week - kept, age }]));
  }

  /**
   * What the mean of a week varies by, from the days within each, or from one week to the next where that is more:
   * where one day leans on the day before, weeks differ by more than their days say.
   */
  #weekVariance(weeks: readonly Week[]): number {
    const mean = weeks[0]?.mean ?? 0;
    const within = Math.max(this.#get(withinAt), (mean * daySpreadMin) ** 2) / Math.max(1, this.#get(perWeekAt));
    const differences = weeks.flatMap((one, index): readonly number[] => {
      const before = weeks[index + 1];
      return before?.age === one.age + 1 ? [(one.mean - before.mean) ** 2] : [];
    });
    if (differences.length < pairsMin) return within;
    return Math.max(within, differences.reduce((sum, one) => sum + one, 0) / (2 * differences.length));
  }

  #get(index: number): number {
    return this.#numbers[this.#from + index] ?? 0;
  }

  #set(index: number, value: number): void {
    this.#numbers[this.#from + index] = value;
  }
}

/** Of all weeks in which it may have begun; `sign` is the bad way. */
function mostLikely(known: readonly Week[], variance: number, sign: 1 | -1): Drift | null {
  const average = known.reduce((sum, { mean }) => sum + mean, 0) / known.length;
  if (!(average > 0) || !(variance > 0)) return null;
  const asked = askedWeekly * average;
  let most: Drift | null = null;
  for (let began = beganMin; began <= beganMax; began += 1) {
    const usual = known.filter(({ age }) => age >= began).length;
    if (usual < usualMin || known.length - usual < beganMin) continue;
    // How long it had gone on in the middle of each week, and none before it began.
    const ran = ({ age }: Week): number => Math.max(0, began - age - 0.5);
    const middle = known.reduce((sum, one) => sum + ran(one), 0) / known.length;
    const squares = known.reduce((sum, one) => sum + (ran(one) - middle) ** 2, 0);
    const along = known.reduce((sum, one) => sum + (ran(one) - middle) * one.mean, 0) * sign;
    const change = ((along / squares) * began) / average;
    if (!(change >= changeMin)) continue;
    const ratio = Math.exp(Math.min(300, (asked * along - (asked ** 2 * squares) / 2) / variance));
    const times = ratio * (began / beganMax) ** weighedBy;
    if (most !== null && times <= most.times) continue;
    most = { times, z: (sign * along) / Math.sqrt(variance * squares), change: sign * change };
  }
  return most;
}
