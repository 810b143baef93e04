// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import { describe, expect, it } from 'vitest';
import { defaultDataPolicy } from '../mesh/scanner-settings.ts';
import type { JsonValue } from '../message/json.ts';
import type { Classification } from '../message/envelope.ts';
import { createScanner } from './scan.ts';
import { createSchemaRegistry } from './schema-registry.ts';

const scanner = createScanner({
  schemas: createSchemaRegistry([]),
  limits: { depthMax: 8, membersMax: 1000, stringLengthMax: 100_000, bytesMax: 200_000 },
  patterns: [],
  settings: {
    data: {
      ...defaultDataPolicy,
      contact: { ...defaultDataPolicy.contact, restricted: 'redact' },
      health: { ...defaultDataPolicy.health, restricted: 'redact' },
      national_id: { ...defaultDataPolicy.national_id, restricted: 'redact' },
    },
    packs: [],
    suppressions: [],
  },
  digestKey: Buffer.alloc(32, 7),
  nowUs: () => 0,
});

function scan(value: JsonValue, classification: Classification = 'internal') {
  return scanner.scan({ value, schemaId: null, type: null, channel: 'agent_message', classification });
}

function rulesOf(value: JsonValue): readonly string[] {
  return scan(value).findings.map(({ rule }) => rule);
}

describe('personal data in words', () => {
  it.each([
    ['person-after-title', 'Please call Dr. Anna Lindqvist tomorrow.'],
    ['person-after-title', 'Sehr geehrte Frau Katharina Weber, danke.'],
    ['person-after-title', 'The patient Maria Gomez was seen at noon.'],
    ['street-address', 'Deliver to 221b Baker Street before Friday.'],
    ['street-address', 'He moved to 1600 Amphitheatre Park Drive last year.'],
    ['street-address', 'Wohnhaft in der Lindenstra\u00dfe 14, zweiter Stock.'],
    ['street-address', 'Rendez-vous au 12 rue de la Paix demain.'],
    ['diagnosis', 'She was diagnosed with type 2 diabetes in May.'],
    ['diagnosis', 'Diagnosis: acute hepatitis'],
    ['diagnosis', 'He tested positive for HIV.'],
    ['date-of-birth', 'Date of birth: 12.03.1985'],
    ['date-of-birth', 'born 1990-07-21 in Lyon'],
  ])('%s is noted in %s', (rule, text) => {
    expect(rulesOf(text)).toContain(`personal/${rule}`);
    expect(scan(text).outcome).toBe('GO');
  });

  it.each([
    'The service suffers from high latency under load.',
    'Diagnosis: the disk was full.',
    'Turn left at the road and wait in lane 3.',
    'Run the test court case through the parser.',
    'Mr. and the rest of the header',
    'Released 2026-11-21, built 20261121',
    'The history of the Roman road system',
  ])('is not seen in %s', (text) => {
    expect(rulesOf(text)).toEqual([]);
  });

  it('is what the name of its member says it is', () => {
    expect(rulesOf({ patient_name: 'Li Wei', note: 'ok' })).toEqual(['personal/by-name']);
    expect(scan({ dateOfBirth: '3 May 1985' })).toMatchObject({
      findings: [{ rule: 'personal/by-name', path: '/dateOfBirth', start: 0, end: 10 }],
    });
    expect(rulesOf({ name: 'Li Wei', status: 'open', constructor: 'x1' })).toEqual([]);
  });

  it.each<[string, JsonValue]>([
    ['ssn', '078051120'],
    ['ssn', 123456789],
    ['socialSecurityNumber', '078 05 1120'],
    ['passport_no', 'C01X00T478'],
    ['Tax-ID', '12/345/67890'],
  ])('is a number of a person in the member %s', (name, value) => {
    expect(scan({ [name]: value }).findings).toContainEqual(expect.objectContaining({ rule: 'personal/by-name', path: `/${name}` }));
    expect(scanner.mask({ [name]: value }, 'restricted')).toMatchObject({ count: 1, value: { [name]: '[redacted national-id]' } });
  });

  it('is none where that member holds no number', () => {
    expect(rulesOf({ passport: 'checked', ssn: 'on file', tin: '4 of 12', a: { passport: true }, nino: 7 })).toEqual([]);
  });

  it('is asked about where data of its class is refused: words may be about nobody', () => {
    expect(scan('She was diagnosed with diabetes.', 'public').outcome).toBe('ESCALATE');
    expect(scan({ diagnosis: 'flu' }, 'public').outcome).toBe('ESCALATE');
    expect(scan('card 4111 1111 1111 1111', 'public').outcome).toBe('NO-GO');
  });

  it('is replaced where the policy says so', () => {
    const value = { surname: 'Weber', note: 'Frau Katharina Weber was diagnosed with asthma.', n: 1 };
    expect(scanner.mask(value, 'restricted')).toEqual({
      count: 3,
      isUnfinished: false,
      value: { surname: '[redacted contact]', note: '[redacted contact] was [redacted health].', n: 1 },
    });
  });
});
