// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { vectorLength } from '../knowledge/blind.ts';
import { storedItem } from '../knowledge/item-store.suite.ts';
import { BlindVectors } from './blind-vectors.ts';

const audience = storedItem(1);
const anyone = (): boolean => true;

/** Points on a quarter circle: the nearer its number to the asked one, the nearer the vector. */
function point(number: number, of: number): Float32Array {
  const vector = new Float32Array(vectorLength);
  const angle = (number / of) * (Math.PI / 2);
  vector[0] = Math.cos(angle);
  vector[1] = Math.sin(angle);
  return vector;
}

describe('the nearest vectors', () => {
  test('are the same ones however many there are, and however they came in', async () => {
    const count = 9_001;
    const vectors = new BlindVectors();
    for (let at = 0; at < count; at += 1) {
      const number = (at * 7919) % count;
      vectors.add(String(number).padStart(5, '0'), point(number, count), audience);
    }
    for (const asked of [0, 4_500, 9_000]) {
      const near = await vectors.nearest(point(asked, count), 5, anyone);
      const numbers = near.map(({ id }) => Number(id));
      expect(numbers).toHaveLength(5);
      expect(numbers[0]).toBe(asked);
      expect(numbers.every((number) => Math.abs(number - asked) <= 5)).toBe(true);
    }
  });

  test('are in the order of their ids where they are as near, and none where there is none', async () => {
    const vectors = new BlindVectors();
    expect(await vectors.nearest(point(1, 2), 3, anyone)).toEqual([]);
    for (const id of ['b', 'a', 'c']) vectors.add(id, point(1, 2), audience);
    vectors.add('short', new Float32Array(3), audience);
    expect((await vectors.nearest(point(1, 2), 2, anyone)).map(({ id }) => id)).toEqual(['a', 'b']);
  });

  test('are without those that were taken out, and with what came in for them, also while a query is under way', async () => {
    const count = 9_001;
    const vectors = new BlindVectors();
    for (let at = 0; at < count; at += 1) vectors.add(String(at).padStart(5, '0'), point(at, count), audience);
    const asked = vectors.nearest(point(count, count), 2, anyone);
    vectors.remove('09000');
    vectors.remove('09000');
    vectors.add('00000', point(count, count), audience);
    expect((await asked).map(({ id }) => id)).toEqual(['00000', '08999']);
    expect(vectors.isWorn).toBe(false);
    for (let at = 1; at < 5_000; at += 1) vectors.remove(String(at).padStart(5, '0'));
    expect(vectors.isWorn).toBe(true);
    expect((await vectors.nearest(point(0, count), 1, anyone)).map(({ id }) => id)).toEqual(['05000']);
  });
});
