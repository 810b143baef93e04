// SPDX-License-Identifier: Apache-2.0
import { Effort } from '../text/effort.ts';
import { readText } from '../text/read-text.ts';

/** A sentence without enough words says too little to be recognised by. */
export const spanWordsMin = 5;
const spanWordsMax = 40;
/** Spans looked at in one message; the rest is not followed, and the message says so. */
export const spansMax = 64;
/** Of all texts of a message. */
export const charactersMax = 16 * 1024;

/** Words that every text has: they would make all sentences alike. */
const commonWords: ReadonlySet<string> = new Set(
  (
    'a an and are as at be but by for from has have i in is it its of on or our please that the ' +
    'their them then there these they this to was we were will with you your'
  ).split(' '),
);

/** One string of a payload. */
export type Text = { readonly path: string; readonly text: string };

/** One sentence: where it stands, and the words that carry its meaning, each once. */
export type Span = {
  readonly path: string;
  /** Characters of the string as it was sent; what was decoded points at its whole encoding. */
  readonly start: number;
  readonly end: number;
  readonly words: readonly string[];
};

export type Spans = {
  readonly spans: readonly Span[];
  /** There was more than is looked at. */
  readonly cut: boolean;
};

/**
 * The sentences of some texts, as their readers may read them: folded, rendered and decoded, so
 * that a sentence in base64 is the sentence. Bounded and linear; the attacker writes all of it.
 */
export function spansOf(texts: readonly Text[]): Spans {
  const found = new Map<string, Span>();
  let left = charactersMax;
  let cut = false;
  for (const { path, text } of texts) {
    const part = text.slice(0, left);
    cut ||= part.length < text.length;
    left -= part.length;
    const { views, exhausted } = readText(part, new Effort(part.length));
    cut ||= exhausted;
    for (const view of views) {
      for (const { start, end, words } of sentencesOf(view.text)) {
        const key = words.join(' ');
        if (found.has(key)) continue;
        if (found.size >= spansMax) return { spans: [...found.values()], cut: true };
        found.set(key, { path, ...view.spanOf(start, end), words });
      }
    }
  }
  return { spans: [...found.values()], cut };
}

type Sentence = Omit<Span, 'path'>;

function sentencesOf(text: string): readonly Sentence[] {
  const sentences: Sentence[] = [];
  for (const sentence of text.matchAll(/[^.!?;:\n\r\u3002\uff01\uff1f]+/gu)) {
    const words = [...sentence[0].matchAll(/[\p{L}\p{N}]{2,}/gu)];
    // What has no end is taken in pieces, so that it cannot hide behind its length.
    for (let at = 0; at < words.length; at += spanWordsMax) {
      const piece = words.slice(at, at + spanWordsMax);
      const telling = new Set(piece.map(([word]) => word.toLowerCase().slice(0, 64)));
      for (const word of commonWords) telling.delete(word);
      if (telling.size < spanWordsMin) continue;
      const last = piece.at(-1);
      const start = sentence.index + (piece[0]?.index ?? 0);
      const end = sentence.index + (last === undefined ? 0 : last.index + last[0].length);
      sentences.push({ start, end, words: [...telling] });
    }
  }
  return sentences;
}
