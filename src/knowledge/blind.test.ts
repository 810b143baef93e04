// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { blindVector } from './blind.ts';

const keys = Array.from({ length: 2_000 }, (_, number) => createHash('sha256').update(`key ${number}`).digest());
const dot = (one: Float32Array, other: Float32Array): number =>
  one.reduce((sum, member, at) => sum + member * (other[at] ?? 0), 0);

describe('a word of a short text', () => {
  test('finds it under every key: no other word of the text hides it', () => {
    const text = 'Refunds, says a.md, are paid.';
    const missed = keys.filter((key) => !(dot(blindVector('refunds', key), blindVector(text, key)) > 0));
    expect(missed).toEqual([]);
  });

  test('is nearer to it than to a text without the word, under nearly every key', () => {
    const nearer = keys.filter((key) => {
      const asked = blindVector('refunds', key);
      return dot(asked, blindVector('Refunds are paid within fourteen days.', key)) >
        dot(asked, blindVector('Letters are sent on the first day of a month.', key));
    });
    expect(nearer.length).toBeGreaterThan(keys.length * 0.95);
  });
});
