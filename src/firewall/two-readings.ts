// SPDX-License-Identifier: Apache-2.0

/** The few windows that the first reading finds worst are read again, so that no text takes long. */
export const secondWindowsMax = 2;
/** What the log-odds of the second reading weigh against the score of the first. */
const secondWeight = 0.4;
/** The second reading is as sure as it learned to be (0.95 and 0.05) and no more. */
const logitMax = 3;

export type Read = {
  readonly score: number;
  /** The window that decided. */
  readonly at: number;
  /** Log-odds of the second reading there; null where there was none. */
  readonly logit: number | null;
};

/**
 * Score of a text by the first scores of its windows, less `penalty` for their number, and from `doubtFrom` on by
 * a second reading of the worst: `logits` answers for places of windows, in their order. A text below counts as
 * one that the second reading finds harmless; `doubtFrom` null is a model that reads once.
 */
export function twoReadings(
  first: ArrayLike<number>,
  penalty: number,
  doubtFrom: number | null,
  logits: (places: readonly number[]) => readonly number[],
): Read {
  const worst = highest(first, secondWindowsMax);
  const at = worst[0] ?? 0;
  const score = (first[at] ?? -Infinity) - penalty;
  if (doubtFrom === null) return { score, at, logit: null };
  if (score < doubtFrom) return { score: score - secondWeight * logitMax, at, logit: null };
  return logits(worst).map((logit, index) => {
    const place = worst[index] ?? 0;
    const doubt = Math.max(-logitMax, Math.min(logitMax, logit));
    return { score: (first[place] ?? -Infinity) - penalty + secondWeight * doubt, at: place, logit };
  }).reduce((best, next) => (next.score > best.score ? next : best));
}

/** Places of the highest values, falling; of equal ones the first. */
function highest(values: ArrayLike<number>, most: number): readonly number[] {
  const found: number[] = [];
  for (let at = 0; at < values.length; at += 1) {
    const value = values[at] ?? -Infinity;
    let place = found.length;
    while (place > 0 && (values[found[place - 1] ?? 0] ?? -Infinity) < value) place -= 1;
    if (place < most) found.splice(place, 0, at);
    if (found.length > most) found.pop();
  }
  return found;
}
