// SPDX-License-Identifier: Apache-2.0

/**
 * Amounts are counted in ten-thousandths, as integers, so that sums are exact and a release gives
 * back precisely what was charged.
 */
export const unitsPerOne = 10_000;
/** Highest amount, in ones: its units and their sum with another are exact integers. */
export const amountMax = 400_000_000_000;

/**
 * One sum that a call adds to, and its limit. The port for whoever sets limits: bounds of the mesh
 * file here, limits of a mandate elsewhere.
 */
export type Charge = {
  /** What is summed, 1 to 256 characters; another window of the same sum is another charge. */
  readonly key: string;
  /** In ones, finite and 0 or more; anything else refuses the call. */
  readonly amount: number;
  /** Highest sum, in ones. */
  readonly most: number;
  /** The sum is over any so many milliseconds; null sums up until `untilMs`. */
  readonly windowMs: number | null;
  /** Milliseconds since 1970; when a sum without a window may be forgotten. Unused with one. */
  readonly untilMs: number;
  /** Beyond this sum, in ones, a person is asked once in each window; null is never. */
  readonly escalateAt: number | null;
  /** The refusal when the sum would be above `most`. */
  readonly code: string;
};

/** Rounded up, so that no fraction escapes the sum; null for what is no amount. */
export function unitsOf(amount: number): number | null {
  if (!(amount >= 0 && amount <= amountMax)) return null;
  const units = Math.round(amount * unitsPerOne);
  return units / unitsPerOne < amount ? units + 1 : units;
}

/** Rounded down: a limit never grows by its fraction. */
export function limitUnits(most: number): number {
  const units = Math.round(most * unitsPerOne);
  return units / unitsPerOne > most ? units - 1 : units;
}

/** Slices of a window; the oldest one counts whole, so a sum is never too small. */
const slicesPerWindow = 60;

/** The end of slices that nothing ends. */
export const endless = Number.MAX_SAFE_INTEGER;

/** When the slice of time ends that something charged now is counted in. */
export function sliceEndMs(windowMs: number | null, nowMs: number): number {
  if (windowMs === null) return endless;
  const widthMs = Math.max(1, Math.floor(windowMs / slicesPerWindow));
  return (Math.floor(nowMs / widthMs) + 1) * widthMs;
}
