// SPDX-License-Identifier: Apache-2.0
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonValue } from '../message/json.ts';
import { ValueIndex } from './value-index.ts';

const always = (source: string) => () => source;

function indexOf(value: JsonValue, source = 'prompt'): ValueIndex {
  const index = new ValueIndex();
  index.indexValues(value, always(source));
  return index;
}

/** JSON as it arrives: without the types that only the generator knows. */
const anyJson = fc.jsonValue({ maxDepth: 3 }).map((value): JsonValue => {
  const parsed: JsonValue = JSON.parse(JSON.stringify(value));
  return parsed;
});

function scalarsOf(value: JsonValue): readonly string[] {
  if (typeof value !== 'object' || value === null) return [JSON.stringify(value)];
  return Object.values(value).flatMap((member) => scalarsOf(member));
}

describe('value index', () => {
  it.each<[string, JsonValue, JsonValue]>([
    ['a part of a trusted string', 'DE89370400440532013000', 'DE8937'],
    ['a string that holds a trusted one', 'ACME', 'pay ACME now'],
    ['a number where a string was trusted', '42', 42],
    ['a string where a number was trusted', 42, '42'],
    ['another case', 'ACME', 'acme'],
    ['a look-alike', 'ACME', 'АCME'],
    ['null', null, null],
    ['an object that holds nothing trusted', { a: 'x' }, { a: 'y' }],
  ])('gives no source to %s', (_, trusted, claimed) => {
    expect(indexOf(trusted).sourcesFor(claimed)).toEqual({});
  });

  it('gives no source to what the sidecar named none for', () => {
    const index = new ValueIndex();
    const noted = index.indexValues({ size: 42, content: 'evil' }, (pointer) =>
      pointer === '/size' ? 'mail.read_file.size' : null,
    );
    expect(noted).toEqual([{ value: '42', source: 'mail.read_file.size' }]);
    expect(index.sourcesFor({ amount: 42, payee: 'evil' })).toEqual({
      '/amount': ['mail.read_file.size'],
    });
  });

  it('gives a source only to a value equal to an indexed whole value', () => {
    fc.assert(
      fc.property(anyJson, anyJson, (trusted, claimed) => {
        const known = new Set(scalarsOf(trusted));
        const sources = indexOf(trusted).sourcesFor({ claimed });
        const unknown = scalarsOf(claimed).filter((scalar) => !known.has(scalar));
        expect(Object.keys(sources).length + unknown.length).toBeLessThanOrEqual(
          scalarsOf(claimed).length,
        );
      }),
      { numRuns: 500 },
    );
  });

  it('leaves out strings of more than 256 characters', () => {
    expect(indexOf('a'.repeat(257)).size).toBe(0);
    expect(indexOf('a'.repeat(256)).size).toBe(1);
  });

  it('drops the oldest values at its bound, never the newest', () => {
    const index = new ValueIndex(3);
    index.indexValues(['a', 'b', 'c'], always('prompt'));
    index.indexValues('a', always('prompt'));
    index.indexValues('d', always('prompt'));
    expect(index.size).toBe(3);
    expect(index.sourcesFor(['a', 'b', 'c', 'd'])).toEqual({
      '/0': ['prompt'],
      '/2': ['prompt'],
      '/3': ['prompt'],
    });
  });

  it('is the same after its stored values are restored in order', () => {
    const index = new ValueIndex(4);
    const stored = [
      ...index.indexValues({ a: 1, b: 'x' }, always('prompt')),
      ...index.indexValues({ a: 1, c: true, d: 5, e: 6 }, always('ledger.get.value')),
    ];
    const copy = new ValueIndex(4);
    copy.restore(stored);
    expect(copy.entries()).toEqual(index.entries());
  });

  it.each([
    [{ value: 1, source: 'prompt' }],
    [{ value: '1', source: 'a sentence' }],
    [{ value: '1' }],
  ])('does not restore %j', (entry) => {
    const stored = JSON.parse(JSON.stringify([entry]));
    expect(() => new ValueIndex().restore(stored)).toThrow(
      expect.objectContaining({ code: 'LABEL_STATE_INVALID' }),
    );
  });

  it('stays within what an envelope may carry', () => {
    const index = new ValueIndex();
    for (let field = 0; field < 40; field += 1) index.indexValues(7, always(`tool.op.f${field}`));
    const sources = index.sourcesFor(Array.from({ length: 300 }, () => 7));
    expect(Object.keys(sources)).toHaveLength(256);
    expect(sources['/0']).toHaveLength(32);
    const deep = { ['k'.repeat(600)]: 7 };
    expect(index.sourcesFor(deep)).toEqual({});
  });

  it('escapes pointers as RFC 6901 does', () => {
    const sources = indexOf('x').sourcesFor({ 'a/b': { 'c~d': 'x' } });
    expect(sources).toEqual({ '/a~1b/c~0d': ['prompt'] });
  });
});
