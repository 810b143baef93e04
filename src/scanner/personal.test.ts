// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import { describe, expect, it } from 'vitest';
import { defaultDataPolicy } from '../mesh/scanner-settings.ts';
import { Effort } from '../text/effort.ts';
import { findPersonal, PersonalWork } from './personal.ts';
import { chanceOf, evasions, plantedItem, plantedKinds, plantedText } from './planted-fixture.ts';
import { createScanner } from './scan.ts';
import { createSchemaRegistry } from './schema-registry.ts';

const seed = 20_261_121;
const limits = { depthMax: 8, membersMax: 1000, stringLengthMax: 100_000, bytesMax: 200_000 };

function newScanner(data = defaultDataPolicy) {
  return createScanner({
    schemas: createSchemaRegistry([]),
    limits,
    patterns: [],
    settings: { data, packs: [], suppressions: [] },
    digestKey: Buffer.alloc(32, 7),
    nowUs: () => 0,
  });
}

function rulesIn(text: string): readonly string[] {
  const found: string[] = [];
  findPersonal(text, new PersonalWork(new Effort(text.length)), ({ rule }) => found.push(rule));
  return found;
}

describe('personal data', () => {
  it('is found, refused and rewritten in a JSON number as in a text, and times are no cards', () => {
    const look = (value: number, of = newScanner()) =>
      of.scan({ value: { paid: [value] }, schemaId: null, type: null, channel: 'agent_message', classification: 'public' });
    expect(look(4_111_111_111_111_111)).toMatchObject({
      outcome: 'NO-GO', findings: [{ code: 'SCAN_PERSONAL_DATA', rule: 'personal/card', path: '/paid/0', start: 0, end: 16 }],
    });
    for (const other of [4_111_111_111_111_112, 1_795_356_142_000, 1e21, -4_111_111_111_111_111, 0.4111]) {
      expect(look(other)).toMatchObject({ outcome: 'GO', findings: [] });
    }
    const rewriting = newScanner({ ...defaultDataPolicy, financial: { ...defaultDataPolicy.financial, public: 'redact' } });
    const masked = rewriting.mask({ paid: [4_111_111_111_111_111, 12], at: 1_795_356_142_000 }, 'public');
    expect(masked).toEqual({ value: { paid: ['[redacted financial]', 12], at: 1_795_356_142_000 }, count: 1, isUnfinished: false });
  });

  it('is looked for in hundreds of times without an end of the work', () => {
    const times = Array.from({ length: 900 }, (_, at) => 1_795_356_142_000 + at * 1000);
    const verdict = newScanner().scan({ value: times, schemaId: null, type: null, channel: 'agent_message' });
    expect(verdict).toMatchObject({ outcome: 'GO', findings: [] });
  });

  it('of every kind is found in a sentence (DP-T2.1)', () => {
    const chance = chanceOf(seed);
    const missed: string[] = [];
    for (let index = 0; index < 210; index += 1) {
      const item = plantedItem(chance, index);
      const text = plantedText(chance, item);
      if (!rulesIn(text).includes(`personal/${item.kind}`)) missed.push(item.kind);
    }
    expect(missed).toEqual([]);
    expect(plantedKinds.length).toBeGreaterThan(12);
  });

  it.each([
    'Order 4111111111111112 was shipped on 2026-11-21.',
    'Invoice 2026-000123, total 1,240.50 EUR, due 2026-12-21',
    'commit 3f2a9c41d0e85b7766aa01f4c3b2d1e0f9a8b7c6',
    'The server listens on 192.168.10.14:8443 since 12:30:45.',
    'ISBN 978-3-16-148410-0, DOI 10.1000/182',
    'Use @decorators and user@localhost in the shell.',
    'DE44 is a road; DE89370400440532013001 has wrong check digits',
    'https://example.org/items/1234567890?page=2',
    '000-00-0000 and 666-12-3456 were never issued',
    'The population is 83,190,556 and the area 357,022 km2.',
    '1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16',
  ])('is not seen in %s', (text) => {
    expect(rulesIn(text)).toEqual([]);
  });

  it.each(evasions.map((evasion) => [evasion.name, evasion] as const))(
    'is found behind %s, nine times out of ten at least (DP-T2.2)',
    (_, evasion) => {
      const chance = chanceOf(seed);
      let passed = 0;
      const count = 63;
      for (let index = 0; index < count; index += 1) {
        const item = plantedItem(chance, index);
        const scanner = newScanner({ ...defaultDataPolicy, contact: { ...defaultDataPolicy.contact, public: 'block' } });
        const outcomes = evasion.messages(plantedText(chance, item), item).map((text) =>
          scanner.scan({
            value: { text },
            schemaId: null,
            type: null,
            channel: 'agent_message',
            classification: 'public',
            stream: 'a b task',
          }).outcome,
        );
        if (!outcomes.includes('NO-GO')) passed += 1;
      }
      expect(passed / count).toBeLessThan(0.1);
    },
  );
});

describe('what is done with personal data', () => {
  const text = 'Pay to IBAN DE89 3704 0044 0532 0130 00, card 4111 1111 1111 1111.';
  const scan = (classification: 'public' | 'internal', data = defaultDataPolicy) =>
    newScanner(data).scan({ value: { text }, schemaId: null, type: null, channel: 'agent_message', classification });

  it('is a note inside the organisation, and a refusal in public', () => {
    expect(scan('internal')).toMatchObject({
      outcome: 'GO',
      findings: [{ code: 'SCAN_PERSONAL_DATA', rule: 'personal/iban', path: '/text', start: 12 }, {}],
    });
    expect(scan('public').outcome).toBe('NO-GO');
    expect(JSON.stringify(scan('public'))).not.toContain('3704');
  });

  it('is what the mesh file says', () => {
    const data = { ...defaultDataPolicy, financial: { ...defaultDataPolicy.financial, internal: 'escalate' } } as const;
    expect(scan('internal', data).outcome).toBe('ESCALATE');
  });

  it('replaces it before it is signed, also where it is encoded, and leaves names of members', () => {
    const data = {
      ...defaultDataPolicy,
      financial: { ...defaultDataPolicy.financial, internal: 'redact' },
      contact: { ...defaultDataPolicy.contact, internal: 'tokenise' },
    } as const;
    const scanner = newScanner(data);
    const coded = Buffer.from(text).toString('base64');
    const value = { a: [text, `see ${coded}`, 'mail eve@evil.example now'], n: 4 };
    const masked = scanner.mask(value, 'internal');
    expect(masked.count).toBe(4);
    expect(masked.value).toEqual({
      a: [
        'Pay to IBAN [redacted financial], card [redacted financial].',
        'see [redacted financial]',
        expect.stringMatching(/^mail tok_[0-9a-f]{20} now$/),
      ],
      n: 4,
    });
    expect(scanner.mask({ mail: 'EVE@evil.example' }, 'internal').value).toEqual({
      mail: expect.stringMatching(/^tok_/),
    });
    expect(scanner.mask(value, 'public')).toEqual({ value, count: 0, isUnfinished: false });
  });

  it.each(['redact', 'tokenise'] as const)('that was replaced (%s) is found no more: the bus takes what it finds for skipped', (action) => {
    const ever = { public: action, internal: action, confidential: action, restricted: action };
    const scanner = newScanner({ contact: ever, financial: ever, national_id: ever, health: ever });
    const chance = chanceOf(seed);
    const names = ['a', 'diagnosis', 'street', 'dob', 'phone'];
    for (let index = 0; index < 300; index += 1) {
      const texts = Array.from({ length: 1 + (index % 4) }, (_, at) => plantedText(chance, plantedItem(chance, index + at)));
      const masked = scanner.mask({ [names[index % 5] ?? 'a']: texts.join(' ') }, 'internal');
      expect(masked.count).toBeGreaterThan(0);
      expect(scanner.mask(masked.value, 'internal')).toEqual({ value: masked.value, count: 0, isUnfinished: false });
    }
  });

  it('is looked for no further once the work is spent: what is unfinished does not leave, and one message must not hold a node up', () => {
    const ever = { public: 'redact', internal: 'redact', confidential: 'redact', restricted: 'redact' } as const;
    const list = Array.from({ length: 20_000 }, (_, index) => `a${index % 10}@b.io`);
    const { count, isUnfinished } = newScanner({ ...defaultDataPolicy, contact: ever }).mask({ list }, 'internal');
    expect([isUnfinished, count < list.length / 2]).toEqual([true, true]);
  });

  it('is found or not whatever order members come in: the bus reads them in another one than a sidecar does', () => {
    const short = Array.from({ length: 8 }, (_, index) => `ref +123450${index}`).join(' and ');
    const value = { z: 'part 123-456-7890 of it', a: short, list: [{ z: 'part 123-456-7891', a: short }] };
    const sorted = { a: short, list: [{ a: short, z: 'part 123-456-7891' }], z: 'part 123-456-7890 of it' };
    const redacting = newScanner({ ...defaultDataPolicy, contact: { ...defaultDataPolicy.contact, internal: 'redact' } });
    expect(redacting.mask(value, 'internal')).toEqual(redacting.mask(sorted, 'internal'));
    const refusing = newScanner({ ...defaultDataPolicy, contact: { ...defaultDataPolicy.contact, internal: 'block' } });
    const [said, again] = [value, sorted].map((one) => refusing.scan({
      value: one, schemaId: null, type: null, channel: 'agent_message', classification: 'internal',
    }));
    expect(said?.findings).toEqual(again?.findings);
  });

  it('ends in an escalation when the numbers are too many to look at', () => {
    const many = '4111 1111 1111 1112 '.repeat(5000);
    const findings = newScanner().scan({
      value: many, schemaId: null, type: null, channel: 'document', classification: 'internal',
    });
    expect(findings.outcome).toBe('ESCALATE');
    expect(findings.findings.map(({ rule }) => rule)).toContain('budget/personal-data');
  });
});
