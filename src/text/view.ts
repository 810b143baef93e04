// SPDX-License-Identifier: Apache-2.0

/** How a text was hidden; a list of them, outermost first, says how a view came to be. */
export type Step =
  | 'unicode-fold'
  | 'invisible'
  | 'escapes'
  | 'base64'
  | 'base32'
  | 'hex'
  | 'number-list'
  | 'gzip'
  | 'rot13'
  | 'leet'
  | 'spaced-letters'
  | 'markup'
  /** Cut in two and sent in two messages. */
  | 'split';

export type Span = { readonly start: number; readonly end: number };

/** A text as one of its readers may read it: characters folded, encodings undone, markup left out. */
export type View = {
  readonly text: string;
  /** Empty for the text itself. */
  readonly steps: readonly Step[];
  /** Where a range of `text` stands in the original; what was decoded as one points to all of it. */
  readonly spanOf: (start: number, end: number) => Span;
};

/** What a rule may need to see on either side of a changed place. */
const contextLength = 200;
/** Stands where unchanged text was left out; no rule matches across it. */
const gap = '\n\n\n\n\n\n\n\n';

/**
 * Collects replacements in one text, in order and without overlap, and writes the changed places
 * with what stands around them: a long text with one escape in it makes a short view.
 */
export class Rewrite {
  private readonly from: string;
  private readonly starts: number[] = [];
  private readonly ends: number[] = [];
  private readonly replacements: string[] = [];

  constructor(from: string) {
    this.from = from;
  }

  get count(): number {
    return this.starts.length;
  }

  add(start: number, end: number, replacement: string): void {
    this.starts.push(start);
    this.ends.push(end);
    this.replacements.push(replacement);
  }

  /**
   * A replacement meets one of these parts, start and end in turn and ascending. What stands beside
   * one counts: `%` before `41`.
   */
  touches(parts: readonly number[]): boolean {
    let index = 0;
    for (let at = 0; at < this.starts.length; at += 1) {
      const start = this.starts[at] ?? 0;
      while (index < parts.length && (parts[index + 1] ?? 0) < start) index += 2;
      if (index < parts.length && (parts[index] ?? 0) <= (this.ends[at] ?? 0)) return true;
    }
    return false;
  }

  /** Null when nothing was replaced. */
  finish(): Written | null {
    const { from, starts, ends, replacements } = this;
    const count = starts.length;
    if (count === 0) return null;
    // No array of a fixed kind: most views have a place or two, and such arrays are dear to make.
    const seams: number[] = [];
    const pieces: string[] = [];
    let cursor = Math.max(0, (starts[0] ?? 0) - contextLength);
    let written = 0;
    for (let index = 0; index < count; index += 1) {
      const start = starts[index] ?? 0;
      if (start - cursor > 2 * contextLength) {
        pieces.push(from.slice(cursor, cursor + contextLength), gap);
        written += contextLength + gap.length;
        cursor = start - contextLength;
      }
      if (start > cursor) pieces.push(from.slice(cursor, start));
      written += start - cursor;
      cursor = ends[index] ?? start;
      const replacement = replacements[index] ?? '';
      seams.push(written);
      written += replacement.length;
      seams.push(written);
      if (replacement !== '') pieces.push(replacement);
    }
    pieces.push(from.slice(cursor, cursor + contextLength));
    // As one piece of memory: every look at a character of a string that was added up goes through its parts.
    const text = pieces.join('');
    return { text, seams, spanOf: (start, end) => spanIn({ starts, ends, seams }, start, end) };
  }
}

type Written = {
  readonly text: string;
  readonly spanOf: View['spanOf'];
  /** Start and end of each replacement in the text, in turn. */
  readonly seams: readonly number[];
};

type Places = {
  readonly starts: readonly number[];
  readonly ends: readonly number[];
  readonly seams: readonly number[];
};

/** A range of what was written, in the source: a place in a replacement or a gap stands for all of it. */
function spanIn(places: Places, start: number, end: number): Span {
  const last = Math.max(start, end - 1);
  const first = sourceOf(places, start);
  const until = start === last ? first : sourceOf(places, last);
  return { start: first.start, end: until.isCopy ? until.start + end - last : until.end };
}

type Source = { readonly start: number; readonly end: number; readonly isCopy: boolean };

function sourceOf({ starts, ends, seams }: Places, position: number): Source {
  const index = replacementBefore(seams, position);
  if (index >= 0 && position < (seams[2 * index + 1] ?? 0)) {
    return { start: starts[index] ?? 0, end: ends[index] ?? 0, isCopy: false };
  }
  const next = index + 1;
  const toNext = (seams[2 * next] ?? 0) - position;
  if (index < 0) return copied((starts[0] ?? 0) - toNext);
  const behind = position - (seams[2 * index + 1] ?? 0);
  const source = (ends[index] ?? 0) + behind;
  const isWhole = next === starts.length || source + toNext === starts[next];
  if (isWhole || behind < contextLength) return copied(source);
  if (behind >= contextLength + gap.length) return copied((starts[next] ?? 0) - toNext);
  const left = (ends[index] ?? 0) + contextLength;
  return { start: left, end: left, isCopy: false };
}

function copied(start: number): Source {
  return { start, end: start, isCopy: true };
}

/** The last replacement that begins at or before the position; -1 before all. */
function replacementBefore(seams: readonly number[], position: number): number {
  let low = 0;
  let high = seams.length / 2;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((seams[2 * middle] ?? 0) <= position) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** A view, and the parts of it that the rewrite that made it wrote: start and end in turn. */
export type Derived = View & { readonly seams: readonly number[] };

/** The view that a rewrite of another view makes. */
export function derive(parent: View, step: Step, rewrite: Rewrite): Derived | null {
  const written = rewrite.finish();
  if (written === null) return null;
  return {
    seams: written.seams,
    text: written.text,
    steps: [...parent.steps, step],
    spanOf: (start, end) => {
      const span = written.spanOf(start, end);
      return parent.spanOf(span.start, span.end);
    },
  };
}
