// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { compileJsonSchema } from './json-schema.ts';

test('two schemas may name a part alike, and each is held to its own', () => {
  const named = (type: string) =>
    compileJsonSchema({
      $id: 'https://example.com/note', type: 'object', properties: { part: { $ref: 'https://example.com/part' } },
      $defs: { part: { $id: 'https://example.com/part', type } },
    });
  const answers = [named('string'), named('integer')].map((compiled) =>
    compiled.ok ? [compiled.check({ part: 'a' }), compiled.check({ part: 1 })] : compiled.reason);
  const breach = { path: '/part', keyword: 'type' };
  expect(answers).toEqual([[null, breach], [breach, null]]);
});

test.each([
  ['a type that there is not', { properties: { a: { type: 'strange' } } }, ['properties', 'a', 'type']],
  ['a bound that is no number', { properties: { 'a/b': { maxLength: 'ten' } } }, ['properties', 'a/b', 'maxLength']],
  ['another dialect', { $schema: 'http://json-schema.org/draft-07/schema#' }, []],
  ['a keyword that there is not', { types: 'string' }, []],
])('%s is refused where it stands', (_, schema, path) => {
  expect(compileJsonSchema(schema)).toMatchObject({ ok: false, path });
});
