// SPDX-License-Identifier: Apache-2.0
import npmCanonicalize from 'canonicalize';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalDepthMax, canonicalize } from './canonical-json.ts';
import type { JsonValue } from './json.ts';
import { MessageError } from './message-error.ts';

function codeOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof MessageError) return error.code;
    throw error;
  }
  return 'NONE';
}

/** Hands a value past the type checker, as a careless caller would. */
function untyped(value: unknown): JsonValue {
  const holder: { value: JsonValue } = { value: null };
  Object.assign(holder, { value });
  return holder.value;
}

function nested(depth: number): JsonValue {
  let value: JsonValue = 1;
  for (let level = 0; level < depth; level += 1) value = [value];
  return value;
}

describe('canonicalize', () => {
  it.each([
    ['undefined', undefined],
    ['a member that is undefined', { a: undefined }],
    ['NaN', NaN],
    ['infinity', [Infinity]],
    ['a bigint', 1n],
    ['a function', { toJSON: () => 'x' }],
    ['a symbol', [Symbol('x')]],
    ['a date', new Date(0)],
    ['a map', { a: new Map() }],
    ['a hole in an array', Array(2)],
    ['a lone surrogate', '\ud800'],
    ['a lone surrogate in a key', { '\udfff': 1 }],
  ])('refuses %s', (_, value) => {
    expect(codeOf(() => canonicalize(untyped(value)))).toBe('MESSAGE_NOT_CANONICALISABLE');
  });

  it('refuses a cycle instead of recursing without end', () => {
    const cycle: { self?: unknown } = {};
    cycle.self = cycle;
    expect(codeOf(() => canonicalize(untyped(cycle)))).toBe('MESSAGE_NOT_CANONICALISABLE');
  });

  it('refuses what nests beyond its depth, and only that', () => {
    expect(codeOf(() => canonicalize(nested(canonicalDepthMax)))).toBe('NONE');
    expect(codeOf(() => canonicalize(nested(canonicalDepthMax + 1)))).toBe(
      'MESSAGE_NOT_CANONICALISABLE',
    );
  });

  it('sorts integer-like keys as text, not as numbers', () => {
    expect(canonicalize({ 9: 1, 10: 2, a: { 2: 0, 10: 0 } })).toBe(
      '{"10":2,"9":1,"a":{"10":0,"2":0}}',
    );
  });

  it('writes the example of RFC 8785, section 3.2.3, in its order', () => {
    const example = {
      '\u20ac': 'Euro Sign',
      '\r': 'Carriage Return',
      '\ufb33': 'Hebrew Letter Dalet With Dagesh',
      '1': 'One',
      '\ud83d\ude00': 'Emoji: Grinning Face',
      '\u0080': 'Control',
      '\u00f6': 'Latin Small Letter O With Diaeresis',
    };
    const written = canonicalize(example).match(/[A-Z][A-Za-z: ]+(?=")/g);
    expect(written).toEqual([
      'Carriage Return',
      'One',
      'Control',
      'Latin Small Letter O With Diaeresis',
      'Euro Sign',
      'Emoji: Grinning Face',
      'Hebrew Letter Dalet With Dagesh',
    ]);
  });

  it('writes numbers as RFC 8785, appendix B, lists them', () => {
    const numbers = [0, -0, 5e-324, -5e-324, 1.7976931348623157e308, 9007199254740992];
    const more = [295147905179352830000, 9.999999999999997e22, 1e23, 333333333.33333325];
    expect(canonicalize([...numbers, ...more])).toBe(
      '[0,0,5e-324,-5e-324,1.7976931348623157e+308,9007199254740992,' +
        '295147905179352830000,9.999999999999997e+22,1e+23,333333333.33333325]',
    );
  });

  it('agrees with the canonicalize package and survives a round trip', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), (generated) => {
        const value = untyped(generated);
        const text = canonicalize(value);
        expect(text).toBe(npmCanonicalize(value));
        expect(canonicalize(JSON.parse(text))).toBe(text);
      }),
      { numRuns: 2000 },
    );
  });

  it('agrees with the canonicalize package on hostile keys', () => {
    const key = fc.oneof(fc.string({ unit: 'grapheme' }), fc.nat(300).map(String), fc.constant(''));
    const number = fc.double({ noNaN: true, noDefaultInfinity: true });
    const value = fc.dictionary(key, fc.oneof(number, key));
    fc.assert(
      fc.property(value, (generated) => {
        expect(canonicalize(generated)).toBe(npmCanonicalize(generated));
      }),
      { numRuns: 2000 },
    );
  });
});
