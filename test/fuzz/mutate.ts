// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';

/** Pseudo-random integers from 0 up to a bound; the same seed gives the same run. */
export type Dice = (bound: number) => number;

/** Mulberry32 (public domain): 32 bits of state are enough to repeat a run. */
export function diceOf(seed: number): Dice {
  let state = seed >>> 0;
  return (bound) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % Math.max(1, bound);
  };
}

/** What breaks parsers: structure, numbers, escapes, and bytes that are no text. */
const tokens = [
  '{', '}', '[', ']', ',', ':', '"', '\\', '\\u', '\\ud800', '\\udc00\\ud800', '\u0000', '\ufeff',
  'null', 'true', '-0', '1e999', '1e-999', '9007199254740993', '0.1e1', '1'.repeat(400), 'NaN',
  '"__proto__":', '"constructor":{"prototype":1},', '"type":"data",', '"a":1,"a":2,', '//', '\n',
  '['.repeat(64), '{"a":'.repeat(64), '"' + 'x'.repeat(3000) + '"', '\u{1f600}', '.', '=', '~',
].map((token) => Buffer.from(token, 'utf8'));
const bytes = [0x00, 0x0a, 0x22, 0x5c, 0x7f, 0x80, 0xc0, 0xed, 0xef, 0xf5, 0xff];

/** One to four changes to a copy of one of the seeds, or bytes that were never a seed. */
export function mutate(seeds: readonly Buffer[], dice: Dice, bytesMax = 262_144): Buffer {
  let value = seeds[dice(seeds.length)] ?? Buffer.alloc(0);
  if (dice(32) === 0) return noise(dice);
  for (let count = 1 + dice(4); count > 0; count -= 1) value = change(value, seeds, dice);
  return value.subarray(0, bytesMax);
}

function change(value: Buffer, seeds: readonly Buffer[], dice: Dice): Buffer {
  const at = dice(value.length + 1);
  const to = Math.min(value.length, at + dice(24));
  switch (dice(9)) {
    case 0:
      return flip(value, at, 1 << dice(8));
    case 1:
      return join(value.subarray(0, at), Buffer.from([bytes[dice(bytes.length)] ?? 0]), value, to);
    case 2:
      return join(value.subarray(0, at), tokens[dice(tokens.length)] ?? value, value, at);
    case 3:
      return join(value.subarray(0, at), tokens[dice(tokens.length)] ?? value, value, to);
    case 4:
      return value.subarray(0, at);
    case 5:
      return join(value.subarray(0, at), Buffer.alloc(0), value, to);
    case 6:
      return join(value.subarray(0, to), value.subarray(at, to), value, to);
    case 7: {
      const other = seeds[dice(seeds.length)] ?? value;
      return join(value.subarray(0, at), other, other, dice(other.length + 1));
    }
    default:
      return swapTokens(value, dice);
  }
}

function join(head: Buffer, middle: Buffer, tail: Buffer, from: number): Buffer {
  return Buffer.concat([head, middle, tail.subarray(from)]);
}

function flip(value: Buffer, at: number, mask: number): Buffer {
  const copy = Buffer.from(value);
  const index = Math.min(at, copy.length - 1);
  if (index >= 0) copy[index] = (copy[index] ?? 0) ^ mask;
  return copy;
}

/** Exchanges one JSON scalar for another, so that the text stays JSON and reaches deeper. */
function swapTokens(value: Buffer, dice: Dice): Buffer {
  const text = value.toString('utf8');
  const scalars = [...text.matchAll(/"(?:[^"\\]|\\.)*"|-?[0-9][0-9.eE+-]*|true|false|null/g)];
  const from = scalars[dice(scalars.length)];
  const other = scalars[dice(scalars.length)];
  if (from === undefined || other === undefined) return value;
  const end = from.index + from[0].length;
  return Buffer.from(text.slice(0, from.index) + other[0] + text.slice(end), 'utf8');
}

function noise(dice: Dice): Buffer {
  return Buffer.from(Array.from({ length: dice(200) }, () => dice(256)));
}
