// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DigestTable } from './digest-table.ts';

const random = { bytes: (count: number) => new Uint8Array(count).fill(7) };

function noteOf(text: string): Uint8Array {
  return createHash('sha256').update(text).digest();
}

describe('a digest table', () => {
  it('refuses a value below zero, no number, and a note that it does not keep', () => {
    const plain = new DigestTable(4, random, 'without notes');
    expect(() => plain.set('a', -1)).toThrow(RangeError);
    expect(() => plain.set('a', Number.NaN)).toThrow(RangeError);
    expect(() => plain.set('a', 1, noteOf('a'))).toThrow(RangeError);
    const noted = new DigestTable(4, random, 'with notes');
    expect(() => noted.set('a', 1)).toThrow(RangeError);
    expect(() => noted.set('a', 1, new Uint8Array(31))).toThrow(RangeError);
    expect([plain.size, noted.size]).toEqual([0, 0]);
  });

  it('keeps value and note of each text, also while it grows', () => {
    const table = new DigestTable(2, random, 'with notes');
    for (let index = 0; index < 5_000; index += 1) table.set(`id ${index}`, index, noteOf(`${index}`));
    expect(table.size).toBe(5_000);
    for (let index = 0; index < 5_000; index += 1) {
      expect(table.get(`id ${index}`)).toBe(index);
      expect(Buffer.from(table.noteOf(`id ${index}`) ?? [])).toEqual(noteOf(`${index}`));
    }
    expect(table.get('id 5000')).toBeUndefined();
    expect(table.noteOf('id 5000')).toBeNull();
  });

  it('keeps the note of a buffer that shares its memory with others', () => {
    const table = new DigestTable(2, random, 'with notes');
    const pool = Buffer.concat([noteOf('y'), noteOf('x')]);
    table.set('a', 1, pool.subarray(32));
    expect(Buffer.from(table.noteOf('a') ?? [])).toEqual(noteOf('x'));
  });

  it('does what a map does, whatever is set, deleted and forgotten', () => {
    const texts = fc.constantFrom(...Array.from({ length: 24 }, (_, index) => `t${index}`));
    const command = fc.oneof(
      fc.record({ do: fc.constant('set' as const), text: texts, value: fc.nat(50) }),
      fc.record({ do: fc.constant('delete' as const), text: texts, value: fc.constant(0) }),
      fc.record({ do: fc.constant('below' as const), text: texts, value: fc.nat(50) }),
      fc.record({ do: fc.constant('clear' as const), text: texts, value: fc.constant(0) }),
    );
    fc.assert(
      fc.property(fc.array(command, { maxLength: 200 }), (commands) => {
        const table = new DigestTable(2, random, 'without notes');
        const map = new Map<string, number>();
        for (const { do: what, text, value } of commands) {
          if (what === 'set') {
            table.set(text, value);
            map.set(text, value);
          } else if (what === 'delete') {
            table.delete(text);
            map.delete(text);
          } else if (what === 'below') {
            table.deleteBelow(value);
            for (const [key, held] of map) if (held < value) map.delete(key);
          } else {
            table.clear();
            map.clear();
          }
          expect(table.size).toBe(map.size);
          for (let index = 0; index < 24; index += 1) {
            expect(table.get(`t${index}`)).toBe(map.get(`t${index}`));
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});
