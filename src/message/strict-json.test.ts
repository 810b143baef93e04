// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalize } from './canonical-json.ts';
import { defaultJsonLimits, parseStrictJson } from './strict-json.ts';

const big = '1'.repeat(41);

describe('parseStrictJson refuses', () => {
  it.each<[string, string, string | Uint8Array]>([
    ['an empty text', 'MESSAGE_JSON_SYNTAX', ''],
    ['white space alone', 'MESSAGE_JSON_SYNTAX', ' \n'],
    ['a cut-off object', 'MESSAGE_JSON_SYNTAX', '{"a":1'],
    ['a cut-off string', 'MESSAGE_JSON_SYNTAX', '"abc'],
    ['a cut-off escape', 'MESSAGE_JSON_SYNTAX', '"\\'],
    ['a cut-off unicode escape', 'MESSAGE_JSON_SYNTAX', '"\\u12'],
    ['a trailing value', 'MESSAGE_JSON_SYNTAX', '1 2'],
    ['a trailing bracket', 'MESSAGE_JSON_SYNTAX', '[1]]'],
    ['a trailing comma in an array', 'MESSAGE_JSON_SYNTAX', '[1,]'],
    ['a trailing comma in an object', 'MESSAGE_JSON_SYNTAX', '{"a":1,}'],
    ['a missing colon', 'MESSAGE_JSON_SYNTAX', '{"a" 1}'],
    ['a key without quotes', 'MESSAGE_JSON_SYNTAX', '{a:1}'],
    ['a mismatched bracket', 'MESSAGE_JSON_SYNTAX', '[1}'],
    ['an unknown escape', 'MESSAGE_JSON_SYNTAX', '"\\x41"'],
    ['an escape with a bad digit', 'MESSAGE_JSON_SYNTAX', '"\\u00g0"'],
    ['a raw control character', 'MESSAGE_JSON_SYNTAX', '"a\u0001b"'],
    ['a raw line feed in a string', 'MESSAGE_JSON_SYNTAX', '"a\nb"'],
    ['a leading zero', 'MESSAGE_JSON_SYNTAX', '01'],
    ['a plus sign', 'MESSAGE_JSON_SYNTAX', '+1'],
    ['a bare fraction', 'MESSAGE_JSON_SYNTAX', '.5'],
    ['a fraction without digits', 'MESSAGE_JSON_SYNTAX', '1.'],
    ['an exponent without digits', 'MESSAGE_JSON_SYNTAX', '1e'],
    ['NaN', 'MESSAGE_JSON_SYNTAX', 'NaN'],
    ['Infinity', 'MESSAGE_JSON_SYNTAX', '-Infinity'],
    ['a comment', 'MESSAGE_JSON_SYNTAX', '/* x */ 1'],
    ['a word in the wrong case', 'MESSAGE_JSON_SYNTAX', 'True'],
    ['a no-break space as white space', 'MESSAGE_JSON_SYNTAX', '\u00a01'],
    ['a byte order mark', 'MESSAGE_BOM', '\ufeff1'],
    ['a byte order mark in bytes', 'MESSAGE_BOM', Buffer.from('efbbbf31', 'hex')],
    ['bytes that are not UTF-8', 'MESSAGE_NOT_UTF8', Buffer.from('22ff22', 'hex')],
    ['an overlong UTF-8 form', 'MESSAGE_NOT_UTF8', Buffer.from('22c0af22', 'hex')],
    ['a surrogate in UTF-8', 'MESSAGE_NOT_UTF8', Buffer.from('22eda08022', 'hex')],
    ['a cut-off UTF-8 sequence', 'MESSAGE_NOT_UTF8', Buffer.from('22e282', 'hex')],
    ['a lone surrogate in a string', 'MESSAGE_LONE_SURROGATE', '"\ud800"'],
    ['an escaped lone high surrogate', 'MESSAGE_LONE_SURROGATE', '"\\ud800"'],
    ['an escaped lone low surrogate', 'MESSAGE_LONE_SURROGATE', '"\\udc00"'],
    ['a high surrogate before a plain escape', 'MESSAGE_LONE_SURROGATE', '"\\ud800\\u0041"'],
    ['a lone surrogate in a key', 'MESSAGE_LONE_SURROGATE', '{"\\ud800":1}'],
    ['a duplicate key', 'MESSAGE_DUPLICATE_KEY', '{"a":1,"a":2}'],
    ['a duplicate key out of order', 'MESSAGE_DUPLICATE_KEY', '{"b":1,"a":2,"b":3}'],
    ['a duplicate key written as an escape', 'MESSAGE_DUPLICATE_KEY', '{"a":1,"\\u0061":2}'],
    ['a duplicate empty key', 'MESSAGE_DUPLICATE_KEY', '{"":1,"":2}'],
    ['a duplicate key deep inside', 'MESSAGE_DUPLICATE_KEY', '[{"x":{"a":1,"b":2,"a":3}}]'],
    ['__proto__', 'MESSAGE_KEY_FORBIDDEN', '{"__proto__":{}}'],
    ['__proto__ written with an escape', 'MESSAGE_KEY_FORBIDDEN', '{"__pr\\u006fto__":{}}'],
    ['constructor', 'MESSAGE_KEY_FORBIDDEN', '{"a":{"constructor":1}}'],
    ['prototype', 'MESSAGE_KEY_FORBIDDEN', '[{"prototype":1}]'],
    ['an integer beyond 2^53-1', 'MESSAGE_NUMBER_UNSAFE', '9007199254740992'],
    ['a negative integer beyond 2^53-1', 'MESSAGE_NUMBER_UNSAFE', '-9007199254740993'],
    ['an unsafe integer written with an exponent', 'MESSAGE_NUMBER_UNSAFE', '1e17'],
    ['a number that overflows', 'MESSAGE_NUMBER_UNSAFE', '1e999'],
    ['a number that underflows', 'MESSAGE_NUMBER_UNSAFE', '1e-999'],
    ['a number of 41 characters', 'MESSAGE_NUMBER_UNSAFE', `0.${big}`],
    ['an integer of 41 digits', 'MESSAGE_NUMBER_UNSAFE', big],
  ])('%s with %s', (_, code, input) => {
    const result = parseStrictJson(input);
    expect(result.ok ? 'OK' : result.code).toBe(code);
  });

  it('too many bytes before it reads them', () => {
    const limits = { ...defaultJsonLimits, bytesMax: 4 };
    const notJson = Buffer.alloc(5, 0xff);
    expect(parseStrictJson(notJson, limits)).toMatchObject({ code: 'MESSAGE_TOO_LARGE' });
    expect(parseStrictJson('"ééé"', limits)).toMatchObject({ code: 'MESSAGE_TOO_LARGE' });
    expect(parseStrictJson('12345', limits)).toMatchObject({ code: 'MESSAGE_TOO_LARGE' });
    expect(parseStrictJson('"\u20ac"', limits)).toMatchObject({ code: 'MESSAGE_TOO_LARGE' });
    expect(parseStrictJson('1234', limits)).toMatchObject({ ok: true });
    expect(parseStrictJson('1', { ...limits, bytesMax: NaN })).toMatchObject({ ok: false });
  });

  it('depth 10,000 and one level too many', () => {
    const deep = '['.repeat(10_000) + ']'.repeat(10_000);
    expect(parseStrictJson(deep)).toEqual({ ok: false, code: 'MESSAGE_TOO_DEEP', offset: 32 });
    const limits = { ...defaultJsonLimits, depthMax: 2 };
    expect(parseStrictJson('[{"a":[]}]', limits)).toMatchObject({ code: 'MESSAGE_TOO_DEEP' });
    expect(parseStrictJson('[{"a":1}]', limits)).toMatchObject({ ok: true });
  });

  it('too many members and too long keys', () => {
    const limits = { ...defaultJsonLimits, membersMax: 4, keyLengthMax: 3 };
    const tooMany = { code: 'MESSAGE_TOO_MANY_MEMBERS' };
    expect(parseStrictJson('[1,2,3,4]', limits)).toMatchObject(tooMany);
    expect(parseStrictJson('[1,2,3]', limits)).toMatchObject({ ok: true });
    expect(parseStrictJson('{"abcd":1}', limits)).toMatchObject({ code: 'MESSAGE_KEY_TOO_LONG' });
  });

  it('names the place', () => {
    expect(parseStrictJson('{"b":1,"a":2,"b":3}')).toMatchObject({ offset: 13 });
    expect(parseStrictJson('[1,x]')).toMatchObject({ offset: 3 });
  });
});

describe('parseStrictJson', () => {
  it.each([
    ['{"":1}', true],
    ['{"a":1,"b":[true,false,null,"x"]}', true],
    ['{"b":1,"a":2}', false],
    ['{"10":1,"9":2}', true],
    ['[1, 2]', false],
    ['1.0', false],
    ['1e2', false],
    ['-0', false],
    ['1e+21', true],
    ['1e21', false],
    ['0.000001', true],
    ['0e5', false],
    ['"\\u001f\\n\\""', true],
    ['"\\u001F"', false],
    ['"\\u000a"', false],
    ['"\\/"', false],
    ['"\\u0041"', false],
    ['"\\ud83d\\ude00"', false],
    ['"😀"', true],
  ])('reads %s and tells whether it is canonical', (text, canonical) => {
    const result = parseStrictJson(text);
    expect(result).toEqual({ ok: true, value: JSON.parse(text), canonical });
  });

  it('calls a text canonical when, and only when, it is its own canonical form', () => {
    const spacing = fc.constantFrom(0, 0, 1);
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), spacing, (generated, indent) => {
        const text = JSON.stringify(generated, null, indent);
        const result = parseStrictJson(text);
        if (!result.ok) {
          expect(['MESSAGE_NUMBER_UNSAFE', 'MESSAGE_KEY_FORBIDDEN']).toContain(result.code);
          return;
        }
        expect(result.value).toEqual(JSON.parse(text));
        const canonical = canonicalize(result.value);
        expect(result.canonical).toBe(canonical === text);
        const again = parseStrictJson(Buffer.from(canonical));
        expect(again).toMatchObject({ ok: true, canonical: true });
      }),
      { numRuns: 3000 },
    );
  });

  it('accepts nothing that the native parser refuses, whatever the text', () => {
    const token = fc.constantFrom(
      '{', '}', '[', ']', ',', ':', '"', '\\', '\\u', 'd800', '"a"', '"b"', '1', '-', '.', 'e', '0',
      'true', 'null', ' ', '\n', '\u0000', '\u00e9', '"a":', '9007199254740993',
    );
    fc.assert(
      fc.property(fc.array(token, { maxLength: 24 }), (tokens) => {
        const text = tokens.join('');
        const result = parseStrictJson(text);
        if (result.ok) expect(result.value).toEqual(JSON.parse(text));
        else expect(result.offset).toBeLessThanOrEqual(text.length);
      }),
      { numRuns: 5000 },
    );
  });
});
