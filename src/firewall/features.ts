// SPDX-License-Identifier: Apache-2.0
import type { Channel } from '../message/channel.ts';
import { characterClass, classOf } from './characters.ts';
import type { WordClusters } from './word-clusters.ts';

/** Changes whenever a text gives other features: a model reads only the features it learned. */
export const featuresVersion = 2;

/**
 * The features of a text, token by token: `ids[offsets[t]..offsets[t + 1]]` are those of token `t`,
 * which stands at `starts[t]..ends[t]` in the text (UTF-16 units).
 */
export type Features = {
  readonly count: number;
  readonly offsets: Uint32Array;
  readonly ids: Uint32Array;
  readonly starts: Uint32Array;
  readonly ends: Uint32Array;
  /** What each token is as a word: the FNV-1a hash of its letters, or a hash of the sign, digits or line end that it is. */
  readonly words: Uint32Array;
};

/** An order is normal from a user and strange in a tool result: channels that read alike are one. */
export const channelGroups: { readonly [channel in Channel]: number } = {
  user: 1,
  tool_result: 2,
  agent_message: 3,
  document: 4,
  email: 4,
  web: 4,
  code: 5,
};

const gramMin = 4;
const gramMax = 6;
/** Places in one word at which character n-grams start. */
const gramsOfSizeMax = 11;
const wordLengthMax = 40;
const stemLength = 5;
/** Of words that stand in no group. */
const unknownGroup = 0xffff;
/** More than any one token gives: character n-grams, word, stem, channel, capitals. */
const featuresOfTokenMax = 64;

/**
 * Hashed features of a text in a channel: words, pairs and triples of words, pairs of stems,
 * character n-grams inside words, stems by channel, beginnings of sentences, capitals, pairs and
 * triples of groups of words; `bits` is the size of the hash. Linear in the text. Deterministic: the same text gives the same features on
 * every machine. The result is valid until the next call of the same reader.
 */
export class FeatureReader {
  private readonly mask: number;
  private readonly clusters: WordClusters | null;
  private ids = new Uint32Array(1 << 14);
  private offsets = new Uint32Array(1 << 10);
  private starts = new Uint32Array(1 << 10);
  private ends = new Uint32Array(1 << 10);
  private words = new Uint32Array(1 << 10);
  private filled = 0;
  private text = '';
  private lower = '';

  constructor(bits: number, clusters: WordClusters | null) {
    this.mask = (1 << bits) - 1;
    this.clusters = clusters;
  }

  read(text: string, channel: Channel): Features {
    const lower = text.toLowerCase();
    // Few letters change their length with their case; their text is read in lower case alone.
    this.text = lower.length === text.length ? text : lower;
    this.lower = lower;
    this.filled = 0;
    const count = this.tokens(channelGroups[channel]);
    return {
      count,
      offsets: this.offsets.subarray(0, count + 1),
      ids: this.ids.subarray(0, this.filled),
      starts: this.starts.subarray(0, count),
      ends: this.ends.subarray(0, count),
      words: this.words.subarray(0, count),
    };
  }

  private tokens(group: number): number {
    const { text } = this;
    const past = new Past(group);
    let count = 0;
    let position = 0;
    while (position < text.length) {
      const unit = text.charCodeAt(position);
      const kind = classOf(unit);
      if (kind === characterClass.space || kind === characterClass.invisible) {
        position += 1;
        continue;
      }
      this.grow(count);
      this.offsets[count] = this.filled;
      this.starts[count] = position;
      position = this.token(position, unit, kind, past);
      this.words[count] = past.key;
      this.ends[count] = position;
      count += 1;
    }
    this.grow(count);
    this.offsets[count] = this.filled;
    return count;
  }

  /** Adds the features of the token at `start`; gives its end. */
  private token(start: number, unit: number, kind: number, past: Past): number {
    if (kind === characterClass.letter) return this.word(start, past);
    let end = start + 1;
    let word: number;
    let stem: number;
    if (kind === characterClass.digit) {
      end = this.runEnd(start, kind, 24);
      word = mix(23, Math.min(end - start, 5));
      stem = mix(29, 1);
    } else if (kind === characterClass.line) {
      end = this.blankEnd(start);
      word = mix(31, this.linesIn(start, end) > 1 ? 2 : 1);
      stem = mix(31, 1);
    } else if (kind === characterClass.ideograph) {
      word = mix(37, unit);
      stem = word;
    } else {
      while (end < this.text.length && end - start < wordLengthMax && this.text.charCodeAt(end) === unit) end += 1;
      word = mix(mix(41, unit), end - start > 2 ? 3 : end - start);
      stem = mix(41, unit);
    }
    past.key = stem;
    this.context(word, stem, past, kind === characterClass.ideograph);
    this.grouped(mix(stem, 3), past);
    if (endsSentence(unit, kind)) past.sentence = 1;
    return end;
  }

  private word(start: number, past: Past): number {
    const end = this.wordEnd(start);
    let hash = 0x811c9dc5;
    let length = 0;
    let capitals = 0;
    let stem = 0;
    for (let index = start; index < end; index += 1) {
      const unit = this.lower.charCodeAt(index);
      if (classOf(unit) === characterClass.invisible) continue;
      if (this.text.charCodeAt(index) !== unit) capitals += 1;
      hash = Math.imul(hash ^ unit, 0x01000193);
      length += 1;
      if (length === stemLength) stem = hash >>> 0;
    }
    if (length <= stemLength) stem = hash >>> 0;
    const word = mix(hash, 7);
    past.key = hash >>> 0;
    this.grams(start, end);
    if (capitals > 1 && capitals >= length - 1) {
      this.add(mix(word, 17));
      this.add(mix(19, Math.min(length, 6)));
    }
    this.context(word, mix(stem, 11), past, true);
    const { clusters } = this;
    if (clusters !== null) this.grouped(clusters.of(hash) || unknownGroup, past);
    return end;
  }

  /** Character n-grams of the word between two blanks. */
  private grams(start: number, end: number): void {
    const length = end - start + 2;
    const last = Math.min(length - gramMin, gramsOfSizeMax - 1);
    for (let from = 0; from <= last; from += 1) {
      let hash = 0x811c9dc5;
      const until = Math.min(from + gramMax, length);
      for (let index = from; index < until; index += 1) {
        const isEdge = index === 0 || index === length - 1;
        const unit = isEdge ? 32 : this.lower.charCodeAt(start + index - 1);
        hash = Math.imul(hash ^ unit, 0x01000193);
        if (index - from >= gramMin - 1) this.add(mix(hash, 13));
      }
    }
  }

  /** What a token is together with those before it, and where it stands. */
  private context(word: number, stem: number, past: Past, opens: boolean): void {
    this.add(word);
    this.add(mix(mix(past.word, word), 43));
    this.add(mix(mix(mix(past.wordBefore, past.word), word), 47));
    this.add(mix(mix(past.stem, stem), 59));
    this.add(mix(mix(stem, 71), past.group));
    this.add(mix(mix(mix(past.stem, stem), 72), past.group));
    if (opens && past.sentence === 1) {
      this.add(mix(stem, 73));
      this.add(mix(mix(stem, 79), past.group));
      past.sentence = 2;
    } else if (opens && past.sentence === 2) {
      this.add(mix(mix(past.stem, stem), 83));
      past.sentence = 0;
    }
    past.wordBefore = past.word;
    past.word = word;
    past.stem = stem;
  }

  /** Pairs and triples of groups; what is no word is a group of its own. */
  private grouped(group: number, past: Past): void {
    if (this.clusters === null) return;
    this.add(mix(mix(past.cluster, group), 203));
    this.add(mix(mix(mix(past.clusterBefore, past.cluster), group), 204));
    past.clusterBefore = past.cluster;
    past.cluster = group;
  }

  private wordEnd(start: number): number {
    const { text } = this;
    let end = start + 1;
    while (end < text.length && end - start < wordLengthMax) {
      const unit = text.charCodeAt(end);
      const kind = classOf(unit);
      const inside = kind === characterClass.letter || kind === characterClass.invisible;
      if (!inside && !(isApostrophe(unit) && classOf(text.charCodeAt(end + 1)) === characterClass.letter)) break;
      end += 1;
    }
    return end;
  }

  private runEnd(start: number, kind: number, lengthMax: number): number {
    let end = start + 1;
    while (end < this.text.length && end - start < lengthMax && classOf(this.text.charCodeAt(end)) === kind) end += 1;
    return end;
  }

  private blankEnd(start: number): number {
    let end = start + 1;
    while (end < this.text.length) {
      const kind = classOf(this.text.charCodeAt(end));
      if (kind !== characterClass.space && kind !== characterClass.line) break;
      end += 1;
    }
    return end;
  }

  private linesIn(start: number, end: number): number {
    let lines = 0;
    for (let index = start; index < end; index += 1) if (this.text.charCodeAt(index) === 0x0a) lines += 1;
    return lines;
  }

  private add(hash: number): void {
    this.ids[this.filled] = hash & this.mask;
    this.filled += 1;
  }

  private grow(count: number): void {
    if (this.filled + featuresOfTokenMax > this.ids.length) this.ids = doubled(this.ids);
    if (count + 2 <= this.offsets.length) return;
    this.offsets = doubled(this.offsets);
    this.starts = doubled(this.starts);
    this.ends = doubled(this.ends);
    this.words = doubled(this.words);
  }
}

/** The tokens before the present one, and what the present one is as a word (`key`); `sentence` is 1 at the start of one, then 2, then 0. */
class Past {
  key = 1;
  word = 1;
  wordBefore = 1;
  stem = 1;
  cluster = 1;
  clusterBefore = 1;
  sentence = 1;
  readonly group: number;

  constructor(group: number) {
    this.group = group;
  }
}

const sentenceEnds: ReadonlySet<number> = new Set([...'.!?:"{>*-。！？：'].map((mark) => mark.charCodeAt(0)));

function endsSentence(unit: number, kind: number): boolean {
  return kind === characterClass.line || sentenceEnds.has(unit);
}

function isApostrophe(unit: number): boolean {
  return unit === 0x27 || unit === 0x2019;
}

function doubled(array: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(array.length * 2);
  larger.set(array);
  return larger;
}

/** Joins two hashes; the order counts. */
function mix(first: number, second: number): number {
  let hash = Math.imul(first ^ (second + 0x9e3779b9 + (first << 6) + (first >>> 2)), 0x85ebca6b);
  hash ^= hash >>> 15;
  hash = Math.imul(hash, 0xc2b2ae35);
  return (hash ^ (hash >>> 13)) >>> 0;
}
