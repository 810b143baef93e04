// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { systemRandom } from './random-system.ts';

test('gives no bytes twice and as many as asked, over many draws of the pool', () => {
  const seen = new Set<string>();
  for (let draw = 0; draw < 3000; draw += 1) {
    const bytes = systemRandom.bytes(16);
    expect(bytes.length).toBe(16);
    seen.add(Buffer.from(bytes).toString('hex'));
  }
  expect(seen.size).toBe(3000);
});

test('gives what was drawn to one caller only: later draws and the caller change nothing of it', () => {
  const first = systemRandom.bytes(32);
  const copy = Buffer.from(first);
  for (let draw = 0; draw < 300; draw += 1) Buffer.from(systemRandom.bytes(32)).fill(0);
  expect(Buffer.from(first).equals(copy)).toBe(true);
  expect(copy.equals(Buffer.alloc(32))).toBe(false);
});

test('gives more than its pool holds, and none when none is asked for', () => {
  expect(new Set(systemRandom.bytes(10_000)).size).toBeGreaterThan(200);
  expect(systemRandom.bytes(0).length).toBe(0);
});
