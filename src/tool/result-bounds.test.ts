// SPDX-License-Identifier: Apache-2.0
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { boundsRefusal } from './result-bounds.ts';

const bounds = { sizeMax: 1000, depthMax: 8 };

describe('the bounds of a result', () => {
  test('refuse a hundred thousand levels without a stack overflow', () => {
    let deep: unknown = 1;
    for (let level = 0; level < 100_000; level += 1) deep = [deep];
    expect(boundsRefusal(deep, bounds)).toBe('TOOL_RESULT_TOO_DEEP');
    expect(boundsRefusal(deep, { sizeMax: 1e9, depthMax: 1e9 })).toBeNull();
  });

  test('refuse many members, long strings and long keys', () => {
    expect(
      boundsRefusal(Array.from({ length: 1001 }, () => 1), bounds),
    ).toBe('TOOL_RESULT_TOO_LARGE');
    expect(boundsRefusal('x'.repeat(1001), bounds)).toBe('TOOL_RESULT_TOO_LARGE');
    expect(boundsRefusal({ ['x'.repeat(1001)]: 1 }, bounds)).toBe('TOOL_RESULT_TOO_LARGE');
  });

  test.each([
    ['undefined', undefined],
    ['a hole', Object.assign([], { length: 2 })],
    ['NaN', [Number.NaN]],
    ['infinity', Number.POSITIVE_INFINITY],
    ['a function', { run: () => 1 }],
    ['a date', new Date()],
    ['a map', new Map()],
    ['a bigint', 1n],
    ['a lone surrogate', '\ud800'],
    ['a lone surrogate as key', { '\ud800': 1 }],
    ['a symbol key', { [Symbol('x')]: 1 }],
    ['a getter', Object.defineProperty({}, 'x', { enumerable: true, get: () => 1 })],
    ['an array with a name', Object.assign([1], { extra: 1 })],
    ['an heir of an object', Object.create({ payee: 'x' }) as unknown],
  ])('refuse %s', (_name, value) => {
    expect(boundsRefusal(value, bounds)).toBe('TOOL_RESULT_NOT_JSON');
  });

  test('refuse NaN as a bound', () => {
    expect(boundsRefusal(1, { sizeMax: Number.NaN, depthMax: 8 })).toBe('TOOL_RESULT_TOO_LARGE');
    expect(boundsRefusal([], { sizeMax: 10, depthMax: Number.NaN })).toBe('TOOL_RESULT_TOO_DEEP');
  });

  test('accept every JSON value within them', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 6 }), (text) => {
        const value: unknown = JSON.parse(text.toWellFormed());
        expect(boundsRefusal(value, { sizeMax: 1e7, depthMax: 8 })).toBeNull();
      }),
    );
  });
});
