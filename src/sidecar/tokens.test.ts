// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { sampleMesh } from '../../test/mesh-files/sample.ts';
import { FakeSidecar } from '../../test/sidecar-fixture/sidecar.ts';
import type { JsonValue } from '../message/json.ts';
import type { Mesh } from '../mesh/mesh.ts';
import type { SidecarContext } from './context.ts';
import { withNames, withTokens } from './tokens.ts';

const task = '01JD3K5V7Q8R9S0T1V2W3X4Y5Z';
const token = (number: number): string => `tok_${String(number).padStart(22, 'A')}`;
const mesh: Mesh = {
  ...sampleMesh(),
  tokens: { domain: 'billing', members: new Set(['patient', 'recordnumber']), sees: new Set(['desk']) },
};

function sidecarOf(name: string): FakeSidecar {
  const fake = new FakeSidecar(name, {}, mesh);
  const label = { classification: 'internal', integrity: 'internal', origins: [] } as const;
  const item = (value: JsonValue) =>
    ({ id: task, value, label, origin: '', document: null, part: 0, writtenAt: 1, weight: 1, principals: [] });
  fake.knowledge.answers = (ask) => {
    if (ask.kind === 'tokenise') return { ok: true, items: ask.values.map((_, at) => item(token(at))) };
    if (ask.kind === 'reveal') return { ok: true, items: ask.tokens.map((one) => item([one, 'Ada Example'])) };
    return { ok: false, code: 'KNOWLEDGE_DENIED' };
  };
  return fake;
}

async function saidOf(value: JsonValue, context: SidecarContext): Promise<JsonValue> {
  const said = await withTokens(value, task, context);
  return said.ok ? said.value : said.code;
}

describe('what is personal', () => {
  test('is a token at any depth and spelling of its member, and nothing else is changed', async () => {
    const { context } = sidecarOf('triage');
    const value = {
      Patient: 'Ada Example', visits: [{ record_number: 'MRN-1', at: 'noon' }, { 'record-number': 'MRN-1' }],
      note: 'Ada Example', patient: token(9), age: 72,
    };
    expect(await saidOf(value, context)).toEqual({
      Patient: token(0), visits: [{ record_number: token(1), at: 'noon' }, { 'record-number': token(1) }],
      note: 'Ada Example', patient: token(9), age: 72,
    });
  });

  test('is in no list under its member either', async () => {
    const { context } = sidecarOf('triage');
    expect(await saidOf({ patient: ['Ada', 'Bob'] }, context)).toEqual({ patient: [token(0), token(1)] });
  });

  test('is all that stands below its member, numbers among it', async () => {
    const fake = sidecarOf('triage');
    const value = { patient: { family: 'Example', given: ['Ada'], ids: [{ number: 4711 }] }, record_number: 12, age: 72 };
    expect(await saidOf(value, fake.context)).toEqual({
      patient: { family: token(0), given: [token(1)], ids: [{ number: token(2) }] }, record_number: token(3), age: 72,
    });
    expect(fake.knowledge.asks).toMatchObject([{ values: ['Example', 'Ada', '4711', '12'] }]);
  });

  test('goes nowhere while tokens cannot be had', async () => {
    const fake = sidecarOf('triage');
    fake.knowledge.answers = () => null;
    expect(await saidOf({ patient: 'Ada' }, fake.context)).toBe('KNOWLEDGE_UNAVAILABLE');
    fake.knowledge.answers = () => ({ ok: true, items: [] });
    expect(await saidOf({ patient: 'Ada' }, fake.context)).toBe('KNOWLEDGE_UNAVAILABLE');
  });

  test('is asked about in as many steps as it needs', async () => {
    const fake = sidecarOf('triage');
    const many = { patient: Array.from({ length: 130 }, (_, at) => `person ${at}`) };
    expect(await saidOf(many, fake.context)).not.toContain('person');
    expect(fake.knowledge.asks.map((ask) => (ask.kind === 'tokenise' ? ask.values.length : 0))).toEqual([64, 64, 2]);
    fake.knowledge.asks.length = 0;
    await saidOf({ patient: Array.from({ length: 64 }, (_, at) => `${at}${'\u0001'.repeat(4000)}`) }, fake.context);
    const sizes = fake.knowledge.asks.map((ask) => JSON.stringify(ask).length);
    expect(Math.max(...sizes)).toBeLessThan(300_000);
  });

  test.each([
    ['a text that no frame may hold', { patient: 'x'.repeat(4097) }],
    ['more than is asked about', { patient: Array.from({ length: 1025 }, (_, at) => `person ${at}`) }],
    ['half a character', { patient: '\ud800' }],
  ])('is refused for good, without the node being asked, where it is %s', async (_what, value) => {
    const fake = sidecarOf('triage');
    expect(await saidOf(value, fake.context)).toBe('KNOWLEDGE_TOKENS_TOO_LARGE');
    expect(fake.knowledge.asks).toEqual([]);
  });

  test('costs nothing where there is none of it', async () => {
    const fake = sidecarOf('triage');
    expect(await saidOf({ note: 'x' }, fake.context)).toEqual({ note: 'x' });
    expect(fake.knowledge.asks).toEqual([]);
  });
});

describe('a token', () => {
  test('is a name again for whom the mesh file shows names to, also within a text', async () => {
    const shown = await withNames({ text: `See ${token(1)} today.` }, task, sidecarOf('desk').context);
    expect(shown).toEqual({ text: 'See Ada Example today.' });
  });

  test('stays one for everybody else, who does not even ask', async () => {
    const fake = sidecarOf('triage');
    expect(await withNames({ patient: token(1) }, task, fake.context)).toEqual({ patient: token(1) });
    expect(fake.knowledge.asks).toEqual([]);
  });

  test('stays one while nobody can tell whose it is', async () => {
    const fake = sidecarOf('desk');
    fake.knowledge.answers = () => null;
    expect(await withNames(token(1), task, fake.context)).toBe(token(1));
  });
});
