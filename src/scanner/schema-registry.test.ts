// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { MessageSchema } from '../mesh/message-schema.ts';
import { builtInSchemas } from '../message/action-schema.ts';
import type { JsonObject, JsonValue } from '../message/json.ts';
import { compileSchema, createSchemaRegistry } from './schema-registry.ts';

const invoice: MessageSchema = {
  id: 'invoice/1',
  type: 'data',
  schema: {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    required: ['number', 'amount'],
    properties: {
      number: { type: 'string', pattern: '^[A-Z]{2}-[0-9]{1,6}$' },
      currency: { type: 'string', pattern: '^[A-Z]{3}$' },
      amount: { type: 'number', exclusiveMinimum: 0 },
      due: { type: 'string', format: 'date' },
      lines: { type: 'array', items: { type: 'object', properties: { text: { type: 'string' } } } },
    },
    additionalProperties: { type: 'number' },
  },
};
const note: MessageSchema = { id: 'note/1', type: 'claim', schema: { type: 'string' } };
const list: MessageSchema = { id: 'list/1', type: 'data', schema: { items: { type: 'number' } } };
const registry = createSchemaRegistry([invoice, note, list, ...builtInSchemas]);

function check(id: string, type: 'data' | 'claim' | 'instruction', payload: JsonValue): string {
  const [finding] = registry.check(id, type, payload);
  return finding === undefined ? 'GO' : `${finding.code} ${finding.path ?? ''}`.trim();
}

describe('schema registry', () => {
  it.each<[string, JsonObject]>([
    ['a remote reference', { $ref: 'https://example.org/schema.json' }],
    ['a reference to a file', { properties: { a: { $ref: 'other.json#/a' } } }],
    ['an unknown keyword', { type: 'object', requierd: ['a'] }],
    ['an unknown format', { type: 'string', format: 'regex' }],
    ['a pattern that is not linear', { type: 'string', pattern: '(?=a)b' }],
    ['a pattern that does not compile', { type: 'string', pattern: '(' }],
    ['an asynchronous schema', { $async: true, type: 'object' }],
    ['uniqueItems without a bound', { type: 'array', uniqueItems: true }],
    ['uniqueItems with a large bound', { type: 'array', uniqueItems: true, maxItems: 1000 }],
    ['another dialect', { $schema: 'http://json-schema.org/draft-07/schema#', type: 'object' }],
    ['a schema that is none', { type: 'objekt' }],
  ])('stops the start on %s', (_, schema) => {
    expect(() => createSchemaRegistry([{ id: 'a/1', type: 'data', schema }])).toThrow(
      expect.objectContaining({ code: expect.stringMatching(/^SCAN_(SCHEMA|PATTERN)_INVALID$/) }),
    );
  });

  it('stops the start on a schema that is declared twice', () => {
    expect(() => createSchemaRegistry([invoice, invoice])).toThrow(
      expect.objectContaining({ code: 'SCAN_SCHEMA_INVALID' }),
    );
  });

  it('tells unknown, mistyped, free text and violation apart', () => {
    const good = { number: 'AB-1', amount: 1 };
    expect(check('order/1', 'data', good)).toBe('SCAN_SCHEMA_UNKNOWN');
    expect(check('__proto__', 'data', good)).toBe('SCAN_SCHEMA_UNKNOWN');
    expect(check('invoice/1', 'instruction', good)).toBe('SCAN_TYPE_MISMATCH');
    expect(check('invoice/1', 'data', 'please pay')).toBe('SCAN_FREE_TEXT');
    expect(check('list/1', 'data', 'please pay')).toBe('SCAN_FREE_TEXT');
    expect(check('action-request/1', 'instruction', 'please pay')).toBe('SCAN_FREE_TEXT');
    expect(check('action-request/1', 'data', {})).toBe('SCAN_TYPE_MISMATCH');
    expect(check('note/1', 'claim', 'a string is what it promises')).toBe('GO');
    expect(check('invoice/1', 'data', ['please pay'])).toBe('SCAN_SCHEMA_VIOLATION');
    expect(check('invoice/1', 'data', good)).toBe('GO');
  });

  it('names the member that the schema names, and no other', () => {
    const base = { number: 'AB-1', amount: 1 };
    const violation = 'SCAN_SCHEMA_VIOLATION';
    expect(check('invoice/1', 'data', { ...base, amount: -1 })).toBe(`${violation} /amount`);
    expect(check('invoice/1', 'data', { ...base, number: 'ab-1' })).toBe(`${violation} /number`);
    expect(check('invoice/1', 'data', { ...base, currency: 'eur' })).toBe(`${violation} /currency`);
    expect(check('invoice/1', 'data', { ...base, due: '2026-13-01' })).toBe(`${violation} /due`);
    expect(check('invoice/1', 'data', { ...base, lines: [{}, { text: 1 }] })).toBe(
      `${violation} /lines/1/text`,
    );
    expect(check('invoice/1', 'data', { ...base, hunter2: 'x' })).toBe(`${violation} /*`);
  });

  it('does not find members on the prototype', () => {
    const check1 = compileSchema('x', { type: 'object', required: ['toString'] });
    expect(check1({})).toHaveLength(1);
  });

  it('does not match a pattern on a string beyond its bound', () => {
    const check1 = compileSchema('x', { type: 'string', pattern: '^a*$' });
    expect(check1('a'.repeat(4096))).toEqual([]);
    expect(check1('a'.repeat(4097))).toHaveLength(1);
  });
});
