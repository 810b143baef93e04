// SPDX-License-Identifier: Apache-2.0

/** What the log-odds of the second reading weigh against the score of the first. */
const secondWeight = 0.4;
/** The second reading is as sure as it learned to be (0.95 and 0.05) and no more. */
const logitMax = 3;
/** What a window that is not read again counts as: a decoy that the first reading finds worse does not hide it. */
const unreadLogit = -1;

export type Read = {
  readonly score: number;
  /** The window that decided. */
  readonly at: number;
  /** Log-odds of the second reading there; null where there was none. */
  readonly logit: number | null;
};

/** First scores that a second reading can matter to, of one channel. */
export type Doubt = { readonly from: number; readonly to: number };

/**
 * Where a second reading can matter: from `doubtFrom`, and from where it could bring a text to the score `suspect` at
 * all, to where it could no longer bring it below the score `sure`.
 */
export function doubtOf(doubtFrom: number, suspect: number, sure: number): Doubt {
  return { from: Math.max(doubtFrom, suspect - secondWeight * logitMax), to: sure + secondWeight * logitMax };
}

/**
 * Score of a text by the first scores of its windows, less `penalty` for their number, and where that is in doubt by
 * a second reading of the worst: `logitAt` answers for its place. A text below or above counts as one that the second
 * reading finds harmless; `doubt` null is a model that reads once.
 */
export function twoReadings(
  first: ArrayLike<number>,
  penalty: number,
  doubt: Doubt | null,
  logitAt: (place: number) => number,
): Read {
  const { at, next } = worstTwo(first);
  const score = (first[at] ?? -Infinity) - penalty;
  if (doubt === null) return { score, at, logit: null };
  if (score < doubt.from || score > doubt.to) return { score: score - secondWeight * logitMax, at, logit: null };
  const logit = logitAt(at);
  const read = score + secondWeight * Math.max(-logitMax, Math.min(logitMax, logit));
  const unread = (first[next] ?? -Infinity) - penalty + secondWeight * unreadLogit;
  return unread > read ? { score: unread, at: next, logit: null } : { score: read, at, logit };
}

/** Places of the highest value and of the next; of equal ones the first. -1 is none. */
function worstTwo(values: ArrayLike<number>): { readonly at: number; readonly next: number } {
  let at = -1;
  let next = -1;
  for (let place = 0; place < values.length; place += 1) {
    const value = values[place] ?? -Infinity;
    if (at < 0 || value > (values[at] ?? -Infinity)) {
      next = at;
      at = place;
    } else if (next < 0 || value > (values[next] ?? -Infinity)) next = place;
  }
  return { at, next };
}
