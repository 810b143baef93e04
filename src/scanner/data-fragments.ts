// SPDX-License-Identifier: Apache-2.0
import { TailTable, tailTextMax, type PlaceMarks, type TableSeed } from './tail-table.ts';

const edgeLength = tailTextMax;
/** A text this short may be one piece of many: what went before it is kept with it. */
const pieceLengthMax = 32;
const piecesLengthMax = 64;
const numbersMax = 4;
const numberLengthMin = 3;
const numberLengthMax = 24;

/**
 * Remembers the ends of recent messages, so that a number or an address that was cut into pieces, and
 * sent in as many messages, is seen as one (DP-T2.2): two of any length, or many short ones in a row. Bounded: the stream that was quiet longest is
 * forgotten first. Holds clear text in memory and nowhere else.
 */
export class DataFragments {
  private readonly tails: TailTable;

  constructor(seed: TableSeed) {
    this.tails = new TailTable(seed);
  }

  /** Marks of the places in the messages of a sender, a recipient and a task. */
  placesOf(stream: string): PlaceMarks {
    return this.tails.placesOf(stream);
  }

  /**
   * What the end of the last message in the place makes with the beginning of this one: the two
   * ends side by side, and the numbers of both in a row, as one text. Null for the first message,
   * and where the same was joined before and was clean. Remembers this one.
   */
  joinWith(mark: number, text: string): JoinedText | null {
    const last = this.tails.get(mark);
    const numbers = numbersIn(text);
    this.tails.set(mark, {
      text: endOf(last?.text ?? '', text),
      numbers: lastNumbers(last?.numbers ?? [], numbers),
    });
    if (last === null) return null;
    const head = text.slice(0, edgeLength);
    const joined = new JoinedText(last.text, head);
    const [bareTail, bareHead] = [last.text.trimEnd(), head.trimStart()];
    if (bareTail.length < last.text.length || bareHead.length < head.length) joined.add(bareTail, bareHead);
    const [first] = numbers;
    if (first !== undefined) {
      for (let from = 0; from < last.numbers.length; from += 1) {
        joined.add(`${last.numbers.slice(from).join(' ')} `, first);
      }
    }
    return this.tails.wasClean(mark, joined.text) ? null : joined;
  }

  /** Nothing was found in what was joined last in the place. */
  isClean(mark: number, { text }: JoinedText): void {
    this.tails.isClean(mark, text);
  }
}

/** Stands between two pairs; no rule matches across it. */
const gap = '\n\n\n\n\n\n\n\n';

/** Ends and beginnings side by side. Only what lies across a seam is new. */
export class JoinedText {
  text = '';
  /** Where each pair begins, and where in it the new message does. */
  private readonly starts: number[] = [];
  private readonly seams: number[] = [];

  constructor(tail: string, head: string) {
    this.add(tail, head);
  }

  add(tail: string, head: string): void {
    if (this.text !== '') this.text += gap;
    this.starts.push(this.text.length);
    this.seams.push(this.text.length + tail.length);
    this.text += tail + head;
  }

  /** The place in the new message that a place in the joined text stands for; negative before it. */
  placeOf(position: number): number {
    let pair = this.starts.length - 1;
    while (pair > 0 && (this.starts[pair] ?? 0) > position) pair -= 1;
    return position - (this.seams[pair] ?? 0);
  }

  /** A range that begins before a seam and ends behind it. */
  isAcross(start: number, end: number): boolean {
    return this.placeOf(start) < 0 && this.placeOf(end - 1) >= 0;
  }
}

function endOf(before: string, text: string): string {
  if (text.length > pieceLengthMax) return text.slice(-edgeLength);
  return (before + text).slice(-piecesLengthMax);
}

function lastNumbers(known: readonly string[], more: readonly string[]): readonly string[] {
  return more.length === 0 ? known : [...known, ...more].slice(-numbersMax);
}

const number = /[A-Z]{2}[0-9]{2}[A-Z0-9]{0,30}|[0-9][0-9 -]{1,30}[0-9]/g;

function numbersIn(text: string): readonly string[] {
  if (!/[0-9]/.test(text)) return [];
  const found: string[] = [];
  for (const [match] of text.slice(0, 2048).matchAll(number)) {
    const written = match.replaceAll(/[ -]/g, '');
    if (written.length >= numberLengthMin && written.length <= numberLengthMax) found.push(written);
    if (found.length >= 8) break;
  }
  return found;
}
