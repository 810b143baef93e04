// SPDX-License-Identifier: Apache-2.0

/** How far a value lies from one baseline, in its own spread. */
export type Deviation = { readonly z: number; readonly against: string };

/** Windows of the rolling baselines: 1 h, 24 h, 7 d, 30 d and 90 d (OB-2.3, OB-3.1). */
export const windowsMs: readonly number[] = [3_600_000, 86_400_000, 604_800_000, 2_592_000_000, 7_776_000_000];
export const windowNames: readonly string[] = ['1 h', '24 h', '7 d', '30 d', '90 d'];

const hours = 24;
const dayMs = 86_400_000;
/** How long the anchor learns before it stands: the framework asks for two weeks at least. */
export const anchorMs = 28 * dayMs;
/** Two numbers per window, three each of the anchor and of the open day, the hours, three of all days. */
const perWindow = 2;
const anchorAt = windowsMs.length * perWindow;
const dayAt = anchorAt + 3;
const hourAt = dayAt + 3;
const daysAt = hourAt + hours * 2;
const runAt = daysAt + 3;
/** When it was measured first, one higher so that zero is never, and in how many buckets since. */
const firstAt = runAt + 1;
const countAt = runAt + 2;
/** Numbers that one signal of one agent takes, whatever it sees and for however long. */
export const numbersPerSignal = countAt + 1;
/** Buckets in which a signal has to have been measured before any value of it is unusual. */
const bucketsMin = 100;

/** A value so far out does not teach the rolling baselines what is normal. */
const teachesBelow = 4;
/** Spread is never taken for less than this share of the mean: a constant would make any change huge. */
const spreadMin = 0.02;

/** Before so long nothing is called unusual: two weeks of watching are the framework's minimum. */
export const watchMs = 14 * dayMs;

/** A whole day of one signal of one agent: its number since 1970, its mean, and that as a share of the anchor's once it stands. */
export type ClosedDay = { readonly day: number; readonly mean: number; readonly share: number | null };

/** What one baseline holds to be usual, in the unit of its signal. */
export type Usual = { readonly against: string; readonly mean: number; readonly spread: number };

/**
 * The baselines of one signal of one agent in a fixed block of numbers: exponentially weighted mean and
 * spread for each window, one anchor that stands still once it has learned, and a profile by hour of
 * the day. What is too slow for all of these is looked for in whole weeks (`SlowDrift`).
 */
export class Baseline {
  readonly #numbers: Float64Array;
  readonly #from: number;
  #closed: ClosedDay | null = null;

  constructor(numbers: Float64Array, from: number) {
    this.#numbers = numbers;
    this.#from = from;
  }

  /**
   * The largest deviation of a value seen over one bucket; z is 0 where nothing is known yet.
   * `noiseAt` is how much a value varies by chance alone around a mean; `thin` how much more it does
   * than usual, where it was made of fewer things than usual.
   */
  deviation(
    value: number,
    at: number,
    noiseAt: (mean: number) => number,
    thin = 1,
  ): Deviation {
    const expected = this.#hour(at);
    let most: Deviation = { z: 0, against: 'nothing yet' };
    const ageMs = this.#ageMs(at);
    if (ageMs < watchMs || this.#get(countAt) < bucketsMin) return most;
    for (const [index, windowMs] of windowsMs.entries()) {
      // The shortest window follows too fast to be surprised; a window is known once it was lived through.
      if (index === 0 || ageMs < windowMs) continue;
      const mean = this.#get(index * perWindow) * expected;
      const own = Math.hypot(Math.sqrt(this.#get(index * perWindow + 1)), this.#daySpread());
      const spread = Math.max(own * expected * thin, noiseAt(mean));
      most = larger(most, value, mean, spread, windowNames[index] ?? '');
    }
    if (this.#isAnchored(ageMs)) {
      const mean = this.#get(anchorAt) * expected;
      const spread = Math.max(this.#anchorSpread() * expected * thin, noiseAt(mean));
      most = larger(most, value, mean, spread, 'the anchor');
    }
    return most;
  }

  /**
   * What deviations that last come to: a sum that forgets three tenths with every bucket, in spreads of
   * such a sum. What buckets of one day share, because days differ, does not count again with each.
   */
  lasting(z: number): number {
    const run = this.#get(runAt) * 0.7 + Math.max(-12, Math.min(12, z));
    this.#set(runAt, run);
    const day = this.#daySpread() ** 2;
    const bucket = this.#get(perWindow + 1);
    const shared = day + bucket > 0 ? day / (day + bucket) : 0;
    return run / Math.sqrt((1 - shared) / (1 - 0.49) + shared / (1 - 0.7) ** 2);
  }

  /** The mean of the last day, as a rolling average. */
  get level(): number {
    return this.#get(perWindow);
  }

  /** What is usual by each window that was lived through, and by the anchor once it stands. */
  usual(at: number): readonly Usual[] {
    const ageMs = this.#ageMs(at);
    const known = windowsMs.flatMap((windowMs, index): readonly Usual[] => (ageMs < windowMs ? [] : [{
      against: windowNames[index] ?? '',
      mean: this.#get(index * perWindow),
      spread: Math.sqrt(this.#get(index * perWindow + 1)),
    }]));
    if (!this.#isAnchored(ageMs)) return known;
    return [...known, { against: 'the anchor', mean: this.#get(anchorAt), spread: this.#anchorSpread() }];
  }

  /** Learns from one bucket. `z` is what `deviation` said of it. */
  learn(value: number, at: number, bucketMs: number, z: number): void {
    if (this.#get(firstAt) === 0) this.#set(firstAt, at + 1);
    const ageMs = this.#ageMs(at);
    const expected = this.#hour(at);
    const level = expected > 0 ? value / expected : value;
    // While young, a plain mean of what was measured: an average that starts at nothing would need its window to arrive.
    const young = 1 / (this.#get(countAt) + 1);
    if (Math.abs(z) < teachesBelow || ageMs < (windowsMs[1] ?? 0)) {
      for (const [index, windowMs] of windowsMs.entries()) {
        this.#average(index * perWindow, level, Math.max(bucketMs / windowMs, young));
      }
      this.#learnHour(value, at, bucketMs);
    }
    if (!this.#isAnchored(ageMs)) this.#average(anchorAt, level, young);
    this.#set(countAt, this.#get(countAt) + 1);
    this.#learnDay(value, at, ageMs);
  }

  /**
   * Since this signal was measured first, which may be long after its agent was: what it began to do late is as
   * little known as what it does on its first day.
   */
  #ageMs(at: number): number {
    const first = this.#get(firstAt);
    return first === 0 ? 0 : Math.max(0, at - (first - 1));
  }

  #average(at: number, value: number, share: number): void {
    const mean = this.#get(at);
    const off = value - mean;
    this.#set(at, mean + share * off);
    this.#set(at + 1, (1 - share) * (this.#get(at + 1) + share * off * off));
  }

  /** How this hour of the day compares with the mean of all hours; 1 until a week is known. */
  #hour(at: number): number {
    const index = hourAt + (Math.floor(at / 3_600_000) % hours) * 2;
    const mean = this.#get(2 * perWindow);
    if (this.#get(index + 1) < 7 || mean === 0) return 1;
    return Math.min(10, Math.max(0.1, this.#get(index) / mean));
  }

  #learnHour(value: number, at: number, bucketMs: number): void {
    const index = hourAt + (Math.floor(at / 3_600_000) % hours) * 2;
    const bucket = bucketMs / 3_600_000;
    const share = Math.max(bucket / 14, bucket / (this.#get(index + 1) + bucket));
    this.#set(index, this.#get(index) + share * (value - this.#get(index)));
    this.#set(index + 1, this.#get(index + 1) + bucket);
  }

  /** Closes a day when another one begins. */
  #learnDay(value: number, at: number, ageMs: number): void {
    const day = Math.floor(at / dayMs);
    if (this.#get(dayAt) !== day) {
      const count = this.#get(dayAt + 2);
      if (count > 0) this.#closeDay(this.#get(dayAt), this.#get(dayAt + 1) / count, ageMs);
      this.#set(dayAt, day);
      this.#set(dayAt + 1, 0);
      this.#set(dayAt + 2, 0);
    }
    this.#set(dayAt + 1, this.#get(dayAt + 1) + value);
    this.#set(dayAt + 2, this.#get(dayAt + 2) + 1);
  }

  /** The day that ended last, once: for whoever looks at days. */
  takeClosedDay(): ClosedDay | null {
    const closed = this.#closed;
    this.#closed = null;
    return closed;
  }

  #closeDay(day: number, mean: number, ageMs: number): void {
    const learned = this.#get(daysAt) + 1;
    const off = mean - this.#get(daysAt + 1);
    this.#set(daysAt, learned);
    this.#set(daysAt + 1, this.#get(daysAt + 1) + off / learned);
    this.#set(daysAt + 2, this.#get(daysAt + 2) + off * (mean - this.#get(daysAt + 1)));
    const anchor = this.#get(anchorAt);
    this.#closed = { day, mean, share: this.#isAnchored(ageMs) && anchor > 0 ? mean / anchor : null };
  }

  /** What days differ by, over all that were seen. */
  #daySpread(): number {
    const learned = this.#get(daysAt);
    return learned < 2 ? 0 : Math.sqrt(this.#get(daysAt + 2) / (learned - 1));
  }

  #isAnchored(ageMs: number): boolean {
    return ageMs >= anchorMs;
  }

  #anchorSpread(): number {
    return Math.sqrt(this.#get(anchorAt + 1));
  }

  #get(index: number): number {
    return this.#numbers[this.#from + index] ?? 0;
  }

  #set(index: number, value: number): void {
    this.#numbers[this.#from + index] = value;
  }
}

function larger(most: Deviation, value: number, mean: number, spread: number, against: string): Deviation {
  const z = (value - mean) / Math.max(spread, spreadMin * Math.abs(mean), 1e-9);
  return Math.abs(z) > Math.abs(most.z) ? { z, against } : most;
}
