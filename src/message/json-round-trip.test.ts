// SPDX-License-Identifier: Apache-2.0
import { array, assert, constantFrom, json, jsonValue, oneof, property, tuple } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalize } from './canonical-json.ts';
import { readRoundTrip } from './json-round-trip.ts';
import { defaultJsonLimits, parseScanning, parseStrictJson } from './strict-json.ts';

const limits = { ...defaultJsonLimits, depthMax: 4, membersMax: 40, keyLengthMax: 12 };

/** Pieces that JSON texts are made of, among them all that two readers could disagree about. */
const pieces = constantFrom(
  '{', '}', '[', ']', ',', ':', '"a":', '"b":1', '"a":1', '"1":1', '"10":2', '"2":3', '"', '\\',
  '"__proto__":1', '"constructor":1', '"\\u0061":1', '"\\ud800"', '"\\u0001"', '"\u{1f600}"', '"é"',
  'true', 'false', 'null', '0', '-0', '1.0', '1.5', '1e21', '1e400', '1e-400', '9007199254740991',
  '9007199254740992', '9007199254740993', '12345678901234567890', ' ', '\n', '\ufeff', '"\\/"', '\ud800',
  '"longer than twelve":1', '0.1', '123456789012345678901234567890123456789012345',
);

const texts = oneof(
  array(pieces, { maxLength: 24 }).map((parts) => parts.join('')),
  json({ maxDepth: 6 }),
  jsonValue({ maxDepth: 5 }).map((value) => JSON.stringify(value)),
  array(tuple(constantFrom('a', 'b', '1', '10', '2', 'zz'), pieces), { maxLength: 6 })
    .map((members) => `{${members.map(([key, piece]) => `"${key}":${piece}`).join(',')}}`),
);

describe('reading by the engine and reading by the scan', () => {
  it('give one answer for every text', () => {
    assert(
      property(texts, (text) => {
        const answer = parseStrictJson(text, limits);
        const scanned = text.isWellFormed() ? parseScanning(text, limits) : answer;
        expect(answer).toEqual(scanned);
      }),
      { numRuns: 20_000 },
    );
  });

  it('leaves to the scan what the engine alone would accept', () => {
    const doubtful = [
      '{"a":1,"a":1}', '{"a":1,"a":2}', ' 1', '1.0', '-0', '"\\ud800"', '9007199254740992',
      '{"__proto__":1}', '{"prototype":{}}', '[[[[[1]]]]]', '{"longer than twelve":1}',
      '{"2":1,"1":2}', `[${'1,'.repeat(40)}1]`, '[1', '',
    ];
    for (const text of doubtful) expect(readRoundTrip(text, limits), text).toBeNull();
  });

  it('calls canonical only what is its own canonical form', () => {
    assert(
      property(jsonValue({ maxDepth: 3 }), (value) => {
        const text = JSON.stringify(value);
        const read = readRoundTrip(text, defaultJsonLimits);
        if (read !== null) expect(read.canonical).toBe(canonicalize(read.value) === text);
      }),
      { numRuns: 2_000 },
    );
  });
});
