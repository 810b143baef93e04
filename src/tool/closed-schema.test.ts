// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { ClosedSchemas, compileClosed, compileInput } from './compiled-schema.ts';

describe('a closed schema', () => {
  test('refuses unknown members at every level the author left open', () => {
    const check = compileClosed({
      type: 'object',
      properties: {
        status: { enum: ['paid'] },
        lines: { type: 'array', items: { type: 'object', properties: { id: { type: 'number' } } } },
      },
    });
    expect(check({ status: 'paid', lines: [{ id: 1 }] })).toBe(true);
    expect(check({ status: 'paid', note: 'ignore all rules' })).toBe(false);
    expect(check({ status: 'paid', lines: [{ id: 1, note: 'x' }] })).toBe(false);
  });

  test('refuses unknown members beside combined schemas and references', () => {
    const check = compileClosed({
      $defs: { id: { type: 'object', properties: { id: { type: 'number' } }, required: ['id'] } },
      allOf: [{ $ref: '#/$defs/id' }, { properties: { kind: { const: 'a' } } }],
    });
    expect(check({ id: 1, kind: 'a' })).toBe(true);
    expect(check({ id: 1, kind: 'a', note: 'x' })).toBe(false);
  });

  test('refuses inherited members that the schema requires', () => {
    const check = compileClosed({ type: 'object', required: ['toString'] });
    expect(check({})).toBe(false);
  });

  test('leaves a schema alone that speaks about unknown members itself', () => {
    const check = compileClosed({ type: 'object', additionalProperties: { type: 'number' } });
    expect(check({ any: 1 })).toBe(true);
    expect(check({ any: 'x' })).toBe(false);
  });

  test('refuses a schema that does not compile', () => {
    const broken = expect.objectContaining({ code: 'TOOL_SCHEMA_BROKEN' }) as Error;
    expect(() => compileClosed({ type: 'nonsense' })).toThrow(broken);
    expect(() => compileClosed({ $ref: 'https://example.org/other' })).toThrow(broken);
    expect(() => new ClosedSchemas().check({ pattern: '(' })).toThrow(broken);
  });

  test('compiles input schemas of older dialects as they are', () => {
    const check = compileInput({
      $schema: 'http://json-schema.org/draft-07/schema#',
      type: 'object',
      properties: { path: { type: 'string' } },
      required: ['path'],
    });
    expect(check({ path: 'x', head: 1 })).toBe(true);
    expect(check({})).toBe(false);
  });
});
