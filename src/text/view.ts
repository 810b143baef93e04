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
    if (starts.length === 0) return null;
    const pieces = new Pieces(from);
    const seams: number[] = [];
    let cursor = Math.max(0, (starts[0] ?? 0) - contextLength);
    for (let index = 0; index < starts.length; index += 1) {
      const start = starts[index] ?? 0;
      if (start - cursor > 2 * contextLength) {
        pieces.copy(cursor, cursor + contextLength);
        pieces.put(cursor + contextLength, cursor + contextLength, gap);
        cursor = start - contextLength;
      }
      pieces.copy(cursor, start);
      cursor = ends[index] ?? start;
      seams.push(pieces.length);
      pieces.put(start, cursor, replacements[index] ?? '');
      seams.push(pieces.length);
    }
    pieces.copy(cursor, Math.min(from.length, cursor + contextLength));
    return { text: pieces.joined(), seams, spanOf: (start, end) => pieces.spanOf(start, end) };
  }
}

type Written = {
  readonly text: string;
  readonly spanOf: View['spanOf'];
  /** Start and end of each replacement in the text, in turn. */
  readonly seams: readonly number[];
};

/** The pieces that a text was put together from. */
class Pieces {
  /** Of what has been put together so far. */
  length = 0;
  private readonly source: string;
  private readonly texts: string[] = [];
  private readonly places: number[] = [];
  private readonly starts: number[] = [];
  /** End in the source of a replaced piece; -1 for a piece that was copied. */
  private readonly ends: number[] = [];

  constructor(source: string) {
    this.source = source;
  }

  copy(start: number, end: number): void {
    if (end > start) this.piece(start, -1, this.source.slice(start, end));
  }

  put(start: number, end: number, text: string): void {
    if (text !== '') this.piece(start, end, text);
  }

  /** As one piece of memory: every look at a character of a string that was added up goes through its parts. */
  joined(): string {
    return this.texts.join('');
  }

  spanOf(start: number, end: number): Span {
    const first = this.pieceAt(start);
    const last = this.pieceAt(Math.max(start, end - 1));
    return {
      start: this.isCopy(first) ? this.sourceOf(first, start) : (this.starts[first] ?? 0),
      end: this.isCopy(last) ? this.sourceOf(last, end) : (this.ends[last] ?? 0),
    };
  }

  private piece(start: number, end: number, text: string): void {
    this.places.push(this.length);
    this.starts.push(start);
    this.ends.push(end);
    this.texts.push(text);
    this.length += text.length;
  }

  private isCopy(piece: number): boolean {
    return this.ends[piece] === -1;
  }

  private sourceOf(piece: number, position: number): number {
    return (this.starts[piece] ?? 0) + position - (this.places[piece] ?? 0);
  }

  /** The last piece that begins at or before the position. */
  private pieceAt(position: number): number {
    let low = 0;
    let high = this.places.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.places[middle] ?? 0) <= position) low = middle;
      else high = middle - 1;
    }
    return low;
  }
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
