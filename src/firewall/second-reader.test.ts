// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { secondBytes } from './second-fixture.ts';
import { SecondReader } from './second-reader.ts';
import type { SecondWeights } from './second-weights.ts';
import { hiddenSize as H, orderTokens, parseSecond, topicSize as T } from './second-weights.ts';
import { seededDraw } from './training/seeded-random.ts';

const known = Array.from({ length: 40 }, (_, at) => 1000 + at * 7);
const weights = parsed(secondBytes(known));

function parsed(bytes: Uint8Array): SecondWeights {
  const found = parseSecond(bytes);
  if (found === null) throw new Error('The fixture is no reader.');
  return found;
}

/** As `train/firewall/second.py` computes it, with nothing saved. */
function plainLogit(words: readonly number[], from: number, to: number, channel: number): number {
  const w = (values: ArrayLike<number>, at: number) => values[at] ?? Number.NaN;
  const rows = words.map((word) => weights.words.indexOf(word));
  const topic = (places: readonly number[]) =>
    Array.from({ length: T }, (_, at) =>
      places.reduce((sum, row) => sum + (row < 0 ? 0 : w(weights.topics, row * T + at)), 0));
  const cosine = (a: readonly number[], b: readonly number[]) => {
    const dot = (x: readonly number[], y: readonly number[]) => x.reduce((sum, value, at) => sum + value * w(y, at), 0);
    return dot(a, b) / Math.max(1e-3, Math.sqrt(dot(a, a)) * Math.sqrt(dot(b, b)));
  };
  const minus = (a: readonly number[], b: readonly number[]) => a.map((value, at) => value - w(b, at));
  const window = rows.slice(from, to);
  const read = window.map((row, token) => {
    const local = topic(window.slice(Math.max(0, token - 6), token + 7));
    const inWindow = cosine(local, minus(topic(window), local));
    const inText = cosine(local, minus(topic(rows), local));
    return Array.from({ length: H }, (_, unit) => {
      const own = row < 0 ? w(weights.unknown, unit) : w(weights.table, row * H + unit) * weights.step;
      const topical = w(weights.topicWeights, unit * 2) * inWindow + w(weights.topicWeights, unit * 2 + 1) * inText;
      return Math.max(0, own + w(weights.bias, unit) + topical);
    });
  });
  const half = (orderTokens - 1) / 2;
  const ordered = read.map((_, token) =>
    Array.from({ length: H }, (__, out) => {
      let sum = w(weights.orderBias, out);
      for (let place = 0; place < orderTokens; place += 1) {
        read[token + place - half]?.forEach((value, unit) => (sum += value * w(weights.order, (place * H + unit) * H + out)));
      }
      return Math.max(0, sum);
    }));
  const summary = [
    ...Array.from({ length: H }, (_, unit) => Math.max(0, ...ordered.map((units) => w(units, unit)))),
    ...Array.from({ length: H }, (_, unit) => read.reduce((sum, units) => sum + w(units, unit), 0) / read.length),
  ];
  return Array.from({ length: H }, (_, unit) => {
    const value = summary.reduce((sum, each, at) => sum + each * w(weights.hidden, unit * 2 * H + at), w(weights.hiddenBias, channel * H + unit));
    return Math.max(0, value) * w(weights.answer, unit);
  }).reduce((sum, value) => sum + value, w(weights.answerBias, 0));
}

/** Known words and, one of five, others. */
function drawnWords(count: number, seed: number): number[] {
  const draw = seededDraw(seed);
  return Array.from({ length: count }, () => (draw() < 0.2 ? 5 : (known[Math.floor(draw() * known.length)] ?? 5)));
}

describe('second reader', () => {
  const reader = new SecondReader(weights);

  it('gives what the network gives, window by window', () => {
    for (const [count, from, to] of [[1, 0, 1], [3, 0, 3], [30, 0, 30], [64, 0, 64], [100, 32, 96], [200, 160, 200]] as const) {
      const words = drawnWords(count, count);
      const logit = reader.logit(Uint32Array.from(words), { from, to }, 2);
      expect(logit, `${count} words, ${from} to ${to}`).toBeCloseTo(plainLogit(words, from, to, 2) * Math.min(1, (to - from) / 16), 6);
    }
  });

  it('answers each window by itself, whatever it read before, and by channel', () => {
    const words = Uint32Array.from(drawnWords(150, 3));
    const first = { from: 0, to: 64 };
    const last = { from: 120, to: 150 };
    const once = [reader.logit(words, first, 1), reader.logit(words, last, 1)];
    expect([reader.logit(words, first, 1), reader.logit(words, last, 1)]).toEqual(once);
    expect(new SecondReader(weights).logit(words, last, 1)).toBe(once[1]);
    expect(once[0]).not.toBe(once[1]);
    expect(reader.logit(words, first, 4)).not.toBe(once[0]);
  });

  it('hears what the rest of the text is about', () => {
    const window = drawnWords(64, 9);
    const own = reader.logit(Uint32Array.from(window), { from: 0, to: 64 }, 1);
    const within = reader.logit(Uint32Array.from([...window, ...drawnWords(400, 10)]), { from: 0, to: 64 }, 1);
    expect(within).not.toBeCloseTo(own, 4);
  });

  it('is finite for words that it does not know', () => {
    const logit = reader.logit(new Uint32Array(64).fill(5), { from: 0, to: 64 }, 1);
    expect(logit).toSatisfy(Number.isFinite);
  });
});

describe('file of a second reader', () => {
  const bytes = secondBytes(known);

  it('is refused when it is shorter, longer, of another header, or holds what is no number', () => {
    expect(parseSecond(bytes)).not.toBeNull();
    expect(parseSecond(bytes.subarray(0, -1))).toBeNull();
    expect(parseSecond(Buffer.concat([bytes, Buffer.from([0])]))).toBeNull();
    expect(parseSecond(Buffer.from('{"step":1}\n'))).toBeNull();
    expect(parseSecond(Buffer.from('step\n'))).toBeNull();
    expect(parseSecond(new Uint8Array(10_000))).toBeNull();
    const broken = Buffer.from(bytes);
    broken.writeFloatLE(Number.NaN, broken.length - 4);
    expect(parseSecond(broken)).toBeNull();
  });

  it('is read from any place in a larger file', () => {
    const moved = Buffer.concat([Buffer.from('x'), bytes]).subarray(1);
    const words = Uint32Array.from(drawnWords(20, 2));
    const one = new SecondReader(parsed(moved)).logit(words, { from: 0, to: 20 }, 1);
    expect(one).toBe(new SecondReader(weights).logit(words, { from: 0, to: 20 }, 1));
  });
});
