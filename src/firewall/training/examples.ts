// SPDX-License-Identifier: Apache-2.0
import type { Channel } from '../../message/channel.ts';
import { normalise } from '../../text/normalise.ts';
import { windowStep, windowTokens } from '../compact-model.ts';
import type { FeatureReader, Features } from '../features.ts';
import type { LabelledRow } from './labelled-row.ts';
import type { Draw } from './seeded-random.ts';
import { shuffle } from './seeded-random.ts';

/** Half-open range of a window in the features of its text, and what it is known to be. */
export type LabelledWindow = {
  readonly first: number;
  readonly size: number;
  /** Half-open range of its tokens. */
  readonly from: number;
  readonly to: number;
  /** 1 attack, 0 harmless, null where the window holds a part of an attack too small to say. */
  readonly label: 0 | 1 | null;
};

export type Example = {
  readonly isAttack: boolean;
  /** False: some window of it is an attack, and nobody knows which. */
  readonly isMarked: boolean;
  readonly channel: Channel;
  readonly source: string;
  readonly ids: Uint32Array;
  /** What each token is as a word, see `Features`. */
  readonly words: Uint32Array;
  readonly windows: readonly LabelledWindow[];
};

/** No source may drown the others: so many rows of one source and label are learned from. */
export type RowCaps = { readonly composed: number; readonly attack: number; readonly benign: number };

/** Draws at most the capped number of rows of every source and label. */
export function capRows(rows: readonly LabelledRow[], caps: RowCaps, draw: Draw): readonly LabelledRow[] {
  const order = [...rows];
  shuffle(order, draw);
  const counts = new Map<string, number>();
  return order.filter((row) => {
    const key = `${row.source} ${row.label}`;
    const count = (counts.get(key) ?? 0) + 1;
    counts.set(key, count);
    const own = row.source.startsWith('composed') || row.source.startsWith('own-');
    return count <= (own ? caps.composed : caps[row.label]);
  });
}

/** Reads the features of a row and labels its windows by the span of its attack. */
export function exampleOf(row: LabelledRow, reader: FeatureReader): Example {
  const [text, span] = normalisedRow(row);
  const features = reader.read(text, row.channel);
  return {
    isAttack: row.label === 'attack',
    isMarked: span !== null,
    channel: row.channel,
    source: row.source,
    ids: features.ids.slice(),
    words: features.words.slice(),
    windows: windowsOf(features, row.label === 'attack', span),
  };
}

type Span = { readonly start: number; readonly end: number };

/** The text as the model reads it first; the span moves with it, from code points to units. */
function normalisedRow(row: LabelledRow): readonly [string, Span | null] {
  const normal = normalise(row.text);
  if (row.span === undefined) return [normal.text, null];
  const points = /[\ud800-\udfff]/.test(row.text) ? [...row.text] : null;
  const unitsBefore = (point: number) => (points === null ? point : points.slice(0, point).join('').length);
  const before = normalise(row.text.slice(0, unitsBefore(row.span[0]))).text.length;
  const until = normalise(row.text.slice(0, unitsBefore(row.span[1]))).text.length;
  return [normal.text, { start: before, end: until }];
}

function windowsOf(features: Features, isAttack: boolean, span: Span | null): readonly LabelledWindow[] {
  const { count, offsets } = features;
  const windows: LabelledWindow[] = [];
  for (let from = 0; ; from += windowStep) {
    const to = Math.min(from + windowTokens, count);
    const first = offsets[from] ?? 0;
    const size = (offsets[to] ?? 0) - first;
    if (size > 0) windows.push({ first, size, from, to, label: labelOf(features, from, to, isAttack, span) });
    if (to >= count) return windows;
  }
}

/** An attack fills half of the window, or most of itself stands in it. */
function labelOf(
  { starts, ends }: Features,
  from: number,
  to: number,
  isAttack: boolean,
  span: Span | null,
): 0 | 1 | null {
  if (!isAttack) return 0;
  if (span === null) return 1;
  const start = starts[from] ?? 0;
  const end = ends[to - 1] ?? 0;
  const shared = Math.min(end, span.end) - Math.max(start, span.start);
  if (shared <= 0) return 0;
  return shared >= Math.min((end - start) * 0.5, (span.end - span.start) * 0.6) ? 1 : null;
}
