// SPDX-License-Identifier: Apache-2.0

/** The end of what went before in one place of one stream of messages. */
type Tail = { readonly text: string; readonly numbers: readonly string[] };

const streamsMax = 2048;
const edgeLength = 160;
const numbersMax = 4;
const numberLengthMin = 3;
const numberLengthMax = 24;

/**
 * Remembers the ends of recent messages, so that a number or an address that was cut in two, and
 * sent in two messages, is seen as one (DP-T2.2). Bounded: the stream that was quiet longest is
 * forgotten first. Holds clear text in memory and nowhere else.
 */
export class DataFragments {
  private readonly tails = new Map<string, Tail>();

  /**
   * Texts that the end of the last message in the stream makes with the beginning of this one: the
   * two ends side by side, and the numbers of both in a row. Remembers this one.
   */
  joinWith(stream: string, text: string): readonly JoinedText[] {
    const last = this.tails.get(stream);
    const numbers = numbersIn(text);
    this.remember(stream, {
      text: text.slice(-edgeLength),
      numbers: [...(last?.numbers ?? []), ...numbers].slice(-numbersMax),
    });
    if (last === undefined) return [];
    const joined: JoinedText[] = [
      { text: last.text + text.slice(0, edgeLength), seam: last.text.length },
      { text: last.text.trimEnd() + text.slice(0, edgeLength).trimStart(), seam: last.text.trimEnd().length },
    ];
    const [first] = numbers;
    if (first !== undefined && last.numbers.length > 0) {
      for (let from = 0; from < last.numbers.length; from += 1) {
        const before = last.numbers.slice(from).join(' ');
        joined.push({ text: `${before} ${first}`, seam: before.length + 1 });
      }
    }
    return joined;
  }

  private remember(stream: string, tail: Tail): void {
    this.tails.delete(stream);
    this.tails.set(stream, tail);
    if (this.tails.size <= streamsMax) return;
    const [oldest] = this.tails.keys();
    if (oldest !== undefined) this.tails.delete(oldest);
  }
}

/** `seam` is where the new message begins: only what lies across it is new. */
export type JoinedText = { readonly text: string; readonly seam: number };

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
