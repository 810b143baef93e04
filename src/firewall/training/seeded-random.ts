// SPDX-License-Identifier: Apache-2.0

/** A stream of numbers in [0, 1) that is the same for the same seed on every machine. Not for secrets. */
export type Draw = () => number;

/** A 32-bit congruential generator (Numerical Recipes); training needs repeatability, nothing else. */
export function seededDraw(seed: number): Draw {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 4294967296;
  };
}

/** One of a list that is not empty. */
export function pick<Item>(items: readonly Item[], draw: Draw): Item {
  const item = items[Math.floor(draw() * items.length)];
  if (item === undefined) throw new RangeError('Nothing to pick from.');
  return item;
}

/** Shuffles in place (Fisher and Yates). */
export function shuffle(items: Int32Array | unknown[], draw: Draw): void {
  for (let last = items.length - 1; last > 0; last -= 1) {
    const other = Math.floor(draw() * (last + 1));
    const kept = items[last];
    items[last] = items[other] as never;
    items[other] = kept as never;
  }
}
