// SPDX-License-Identifier: Apache-2.0
import { hiddenSize, secondSizes, topicSize } from './second-weights.ts';
import { seededDraw } from './training/seeded-random.ts';

/** A second reader of drawn weights that knows these words, as `train/firewall/second.py` writes one. */
export function secondBytes(words: readonly number[], seed = 1): Uint8Array {
  const draw = seededDraw(seed);
  const drawn = (count: number, width: number) => Array.from({ length: count }, () => (draw() - 0.5) * width);
  const arrays = { words: [words.length], ...Object.fromEntries(Object.entries(secondSizes).map(([name, size]) => [name, [size]])) };
  const known = Uint32Array.from(words).sort();
  return Buffer.concat([
    Buffer.from(`${JSON.stringify({ step: 0.01, arrays })}\n`),
    Buffer.from(known.buffer),
    Buffer.from(Int8Array.from(drawn(words.length * topicSize, 200)).buffer),
    Buffer.from(Int8Array.from(drawn(words.length * hiddenSize, 200)).buffer),
    ...Object.values(secondSizes).map((size) => Buffer.from(Float32Array.from(drawn(size, 0.6)).buffer)),
  ]);
}
