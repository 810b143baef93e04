// SPDX-License-Identifier: Apache-2.0
import type { SecondWeights } from './second-weights.ts';
import { hiddenSize, orderTokens, topicSize } from './second-weights.ts';
import { WordClusters } from './word-clusters.ts';

/** Half-open range of tokens. */
export type TokenRange = { readonly from: number; readonly to: number };

/** Words on both sides of one that say what is spoken of where it stands. */
const localTokens = 6;
const windowTokensMax = 64;
/** Fewer tokens say less than they seem to: nothing stands around them, and whole texts of a few words were hardly learned from. */
const telling = 16;
/** Tokens beyond both ends of a window, which the order of those at the ends reaches. */
const beyond = (orderTokens - 1) / 2;
const rowsMax = windowTokensMax + 2 * beyond;
/** What one unit of a token adds to: the units of all tokens that its order reaches, in a row. */
const reach = orderTokens * hiddenSize;

/**
 * Reads the window that the first reading doubts most a second time: by words that stand in like
 * surroundings, in fives, and by whether what is spoken of there is what the rest of the window and
 * of the text speak of. An order that was put into a text is mostly about something else. Pure and
 * deterministic; a window takes the same time whatever stands in it.
 */
export class SecondReader {
  private readonly weights: SecondWeights;
  private readonly places: WordClusters;
  private readonly order: Float64Array;
  private readonly hidden: Float64Array;
  private readonly read = new Float64Array(rowsMax * hiddenSize);
  private readonly ordered = new Float64Array(rowsMax * hiddenSize);
  private readonly rows = new Int32Array(hiddenSize);
  private readonly values = new Float64Array(hiddenSize);
  private readonly likeness = new Float64Array(windowTokensMax * 2);
  private readonly summary = new Float64Array(hiddenSize * 2);

  constructor(weights: SecondWeights) {
    this.weights = weights;
    this.places = placesOf(weights.words);
    this.order = byUnit(weights.order);
    this.hidden = Float64Array.from(weights.hidden);
  }

  /** Log-odds that a window of a text is an attack; `channel` is a `channelGroups` number. */
  logit(words: Uint32Array, window: TokenRange, channel: number): number {
    const count = window.to - window.from;
    const places = Array.from({ length: count }, (_, at) => this.places.of(words[window.from + at] ?? 0));
    this.compare(places, this.topicOf(words, window), this.topicOf(words, { from: 0, to: words.length }));
    this.project(places);
    this.inOrder(count);
    this.summarise(count);
    const { hiddenBias, answer, answerBias } = this.weights;
    let sum = answerBias[0] ?? 0;
    for (let unit = 0; unit < hiddenSize; unit += 1) {
      let value = hiddenBias[channel * hiddenSize + unit] ?? 0;
      const row = unit * hiddenSize * 2;
      for (let at = 0; at < hiddenSize * 2; at += 1) value += (this.hidden[row + at] ?? 0) * (this.summary[at] ?? 0);
      if (value > 0) sum += value * (answer[unit] ?? 0);
    }
    return sum * Math.min(1, count / telling);
  }

  private topicOf(words: Uint32Array, { from, to }: TokenRange): Float64Array {
    const sum = new Float64Array(topicSize);
    for (let at = from; at < to; at += 1) this.addTopic(sum, this.places.of(words[at] ?? 0), 1);
    return sum;
  }

  private addTopic(sum: Float64Array, place: number, sign: 1 | -1): void {
    if (place === 0) return;
    const { topics } = this.weights;
    const row = (place - 1) * topicSize;
    for (let at = 0; at < topicSize; at += 1) sum[at] = (sum[at] ?? 0) + sign * (topics[row + at] ?? 0);
  }

  /** How much what stands around each token is like the rest of the window, and of the text. */
  private compare(places: readonly number[], window: Float64Array, total: Float64Array): void {
    const local = new Float64Array(topicSize);
    for (let at = 0; at < Math.min(localTokens, places.length); at += 1) this.addTopic(local, places[at] ?? 0, 1);
    for (let at = 0; at < places.length; at += 1) {
      this.addTopic(local, places[at + localTokens] ?? 0, 1);
      this.addTopic(local, places[at - localTokens - 1] ?? 0, -1);
      this.likeness[at * 2] = likenessOf(local, window);
      this.likeness[at * 2 + 1] = likenessOf(local, total);
    }
  }

  private project(places: readonly number[]): void {
    const { table, step, unknown, bias, topicWeights } = this.weights;
    this.read.fill(0, 0, places.length * hiddenSize);
    places.forEach((place, token) => {
      const inWindow = this.likeness[token * 2] ?? 0;
      const inText = this.likeness[token * 2 + 1] ?? 0;
      const row = (place - 1) * hiddenSize;
      const to = token * hiddenSize;
      for (let unit = 0; unit < hiddenSize; unit += 1) {
        const own = place === 0 ? (unknown[unit] ?? 0) : (table[row + unit] ?? 0) * step;
        const value = own + (bias[unit] ?? 0) + (topicWeights[unit * 2] ?? 0) * inWindow + (topicWeights[unit * 2 + 1] ?? 0) * inText;
        if (value > 0) this.read[to + unit] = value;
      }
    });
  }

  /** One convolution over five tokens; what is 0 adds nothing and is passed over. */
  private inOrder(count: number): void {
    for (let row = 0; row < count + 2 * beyond; row += 1) this.ordered.set(this.weights.orderBias, row * hiddenSize);
    for (let token = 0; token < count; token += 1) this.addToken(token * hiddenSize, this.spoken(token * hiddenSize));
  }

  /** Notes the units of a token that are not 0; how many there are. */
  private spoken(from: number): number {
    const { read, rows, values } = this;
    let count = 0;
    for (let unit = 0; unit < hiddenSize; unit += 1) {
      const value = read[from + unit] ?? 0;
      if (value === 0) continue;
      rows[count] = unit * reach;
      values[count] = value;
      count += 1;
    }
    return count;
  }

  /** Most of a reading's time is spent here: four sums at once stay in registers, which takes two thirds of the time of one. */
  private addToken(to: number, count: number): void {
    const { ordered, order, rows, values } = this;
    for (let at = 0; at < reach; at += 4) {
      let first = ordered[to + at] ?? 0;
      let second = ordered[to + at + 1] ?? 0;
      let third = ordered[to + at + 2] ?? 0;
      let fourth = ordered[to + at + 3] ?? 0;
      for (let index = 0; index < count; index += 1) {
        const value = values[index] ?? 0;
        const from = (rows[index] ?? 0) + at;
        first += value * (order[from] ?? 0);
        second += value * (order[from + 1] ?? 0);
        third += value * (order[from + 2] ?? 0);
        fourth += value * (order[from + 3] ?? 0);
      }
      ordered[to + at] = first;
      ordered[to + at + 1] = second;
      ordered[to + at + 2] = third;
      ordered[to + at + 3] = fourth;
    }
  }

  /** The highest of each unit in order, then the mean of each unit. */
  private summarise(count: number): void {
    const { read, ordered, summary } = this;
    summary.fill(0);
    for (let token = 0; token < count; token += 1) {
      for (let unit = 0; unit < hiddenSize; unit += 1) {
        summary[unit] = Math.max(summary[unit] ?? 0, ordered[(token + beyond) * hiddenSize + unit] ?? 0);
        summary[hiddenSize + unit] = (summary[hiddenSize + unit] ?? 0) + (read[token * hiddenSize + unit] ?? 0) / count;
      }
    }
  }
}

/** Cosine of a part and what is left of the whole without it. */
function likenessOf(part: Float64Array, whole: Float64Array): number {
  let dot = 0;
  let ownSquare = 0;
  let restSquare = 0;
  for (let at = 0; at < topicSize; at += 1) {
    const own = part[at] ?? 0;
    const rest = (whole[at] ?? 0) - own;
    dot += own * rest;
    ownSquare += own * own;
    restSquare += rest * rest;
  }
  return dot / Math.max(1e-3, Math.sqrt(ownSquare) * Math.sqrt(restSquare));
}

/** The convolution unit by unit, from what a token is to the one farthest before it to the one farthest after. */
function byUnit(order: Float32Array): Float64Array {
  const turned = new Float64Array(order.length);
  for (let place = 0; place < orderTokens; place += 1) {
    for (let unit = 0; unit < hiddenSize; unit += 1) {
      const from = (place * hiddenSize + unit) * hiddenSize;
      turned.set(order.subarray(from, from + hiddenSize), unit * reach + (orderTokens - 1 - place) * hiddenSize);
    }
  }
  return turned;
}

/** Place of each word in the tables, from 1. */
function placesOf(words: Uint32Array): WordClusters {
  const bytes = new Uint8Array(words.length * 6);
  const view = new DataView(bytes.buffer);
  words.forEach((word, at) => {
    view.setUint32(at * 4, word, true);
    view.setUint16(words.length * 4 + at * 2, at + 1, true);
  });
  const places = WordClusters.parse(bytes);
  if (places === null) throw new RangeError('A table of words is whole.');
  return places;
}
