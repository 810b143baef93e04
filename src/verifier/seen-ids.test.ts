// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest';
import { SeenIds } from './seen-ids.ts';

const table = (rowsMax: number, key = [1, 2]) => new SeenIds(rowsMax, Int32Array.from(key));
const id = (ids: SeenIds, text: string) => ids.idOf(text, { low: 0, high: 0 });

it('finds the ids that it was given, and no other, as many as it takes', () => {
  const ids = table(5_000);
  for (let at = 0; at < 5_000; at += 1) ids.add(id(ids, `id-${at}`));
  expect(ids.isFull).toBe(true);
  for (let at = 0; at < 5_000; at += 1) expect(ids.find(id(ids, `id-${at}`))).toBeGreaterThanOrEqual(0);
  for (let at = 5_000; at < 20_000; at += 1) expect(ids.find(id(ids, `id-${at}`))).toBe(-1);
  ids.clear();
  expect(ids.find(id(ids, 'id-1'))).toBe(-1);
  expect(ids.isEmpty).toBe(true);
});

it('counts an id once, and keeps its marks', () => {
  const ids = table(2);
  const slot = ids.add(id(ids, 'a'));
  ids.mark(slot, 2);
  expect(ids.add(id(ids, 'a'))).toBe(slot);
  ids.mark(slot, 4);
  expect(ids.marks(slot)).toBe(6);
  expect(ids.isFull).toBe(false);
});

it('knows every id by 64 bits that depend on the key and on each character', () => {
  const ids = table(2);
  const others = table(2, [1, 3]);
  const seen = new Set<string>();
  for (const text of ['', 'a', 'b', 'ab', 'ba', 'abcd', 'abcde', 'abcdf', 'abcd\u0000', 'x'.repeat(99)]) {
    for (const { low, high } of [id(ids, text), id(others, text)]) seen.add(`${low} ${high}`);
  }
  expect(seen.size).toBe(20);
});
