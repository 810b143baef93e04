// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import {
  actionOutcomeCodes,
  parseActionOutcome,
  parseActionRequest,
} from '../../src/message/action-request-parse.ts';
import {
  actionOutcomeJsonSchema,
  actionRequestJsonSchema,
} from '../../src/message/action-schema.ts';
import { canonicalize } from '../../src/message/canonical-json.ts';
import { messageCodes } from '../../src/message/codes.ts';
import { parseEnvelopeBody } from '../../src/message/envelope-parse.ts';
import type { JsonObject, JsonValue } from '../../src/message/json.ts';
import { parseStrictJson } from '../../src/message/strict-json.ts';
import type { AgentCode, CodeTable } from '../../src/review/code.ts';

type Vector = {
  readonly name: string;
  readonly why: string;
  readonly schema: string;
  readonly code: string;
  readonly path: string;
  readonly schemaRefuses: boolean;
  readonly body: JsonValue;
  readonly payload: JsonValue;
};

function read(file: string): { readonly [group: string]: readonly Vector[] } {
  return JSON.parse(readFileSync(new URL(file, import.meta.url), 'utf8'));
}

function schemaFile(name: string): JsonObject {
  return JSON.parse(readFileSync(new URL(`../../schema/${name}`, import.meta.url), 'utf8'));
}

const ajv = new Ajv2020({ strict: true, strictTypes: false, strictRequired: false });
const isEnvelope = ajv.compile(schemaFile('envelope.json'));
const isRequest = ajv.compile(schemaFile('action-request.json'));
const isOutcome = ajv.compile(schemaFile('action-outcome.json'));

const valid = read('./envelope-valid.json')['vectors'] ?? [];
const mustFail = read('./envelope-must-fail.json')['vectors'] ?? [];
const actions = read('./action-payloads.json');

/** Through the bytes, as it arrives. */
function arrive(value: JsonValue): JsonValue {
  const result = parseStrictJson(canonicalize(value));
  if (!result.ok) throw new Error(result.code);
  return result.value;
}

describe('envelope vectors', () => {
  it.each(mustFail.map((vector) => [vector.name, vector] as const))('refuses %s', (_, vector) => {
    const result = parseEnvelopeBody(arrive(vector.body));
    expect(result).toEqual({ ok: false, code: vector.code, path: vector.path });
    expect(isEnvelope(vector.body)).toBe(!vector.schemaRefuses);
    expect(vector.why).not.toBe('');
  });

  it.each(valid.map((vector) => [vector.name, vector] as const))('accepts %s', (_, vector) => {
    expect(parseEnvelopeBody(arrive(vector.body))).toEqual({ ok: true, body: vector.body });
    expect(isEnvelope(vector.body)).toBe(true);
  });

  it('are many, with names that differ', () => {
    const names = [...valid, ...mustFail].map((vector) => vector.name);
    expect(new Set(names).size).toBe(names.length);
    expect(mustFail.length).toBeGreaterThanOrEqual(40);
  });

  it('refuse each member of a valid body when it is gone', () => {
    const body = valid[0]?.body;
    for (const member of Object.keys(Object(body))) {
      const rest = Object.fromEntries(
        Object.entries(Object(body)).filter(([name]) => name !== member),
      );
      expect(isEnvelope(rest)).toBe(false);
      expect(parseEnvelopeBody(JSON.parse(JSON.stringify(rest)))).toMatchObject({
        ok: false,
        path: `/${member}`,
      });
    }
  });
});

describe('action payload vectors', () => {
  const schemaOf = (schema: string) => (schema === 'action-request/1' ? isRequest : isOutcome);
  const parserOf = (schema: string) =>
    schema === 'action-request/1' ? parseActionRequest : parseActionOutcome;

  it.each((actions['mustFail'] ?? []).map((vector) => [vector.name, vector] as const))(
    'refuses %s',
    (_, vector) => {
      const result = parserOf(vector.schema)(arrive(vector.payload));
      expect(result).toEqual({ ok: false, code: vector.code, path: vector.path });
      expect(schemaOf(vector.schema)(vector.payload)).toBe(false);
    },
  );

  it.each((actions['valid'] ?? []).map((vector) => [vector.name, vector] as const))(
    'accepts %s',
    (_, vector) => {
      expect(parserOf(vector.schema)(arrive(vector.payload)).ok).toBe(true);
      expect(schemaOf(vector.schema)(vector.payload)).toBe(true);
    },
  );

  it('are described by the schemas that the code holds', () => {
    expect(schemaFile('action-request.json')).toEqual(actionRequestJsonSchema);
    expect(schemaFile('action-outcome.json')).toEqual(actionOutcomeJsonSchema);
  });
});

describe('the codes of src/message', () => {
  it('have the form of a code table and the codes of agents', () => {
    const table: CodeTable = messageCodes;
    expect(Object.keys(table).every((code) => code.startsWith('MESSAGE_'))).toBe(true);
    const codes: readonly AgentCode[] = actionOutcomeCodes;
    const all: { readonly [code in AgentCode]: true } = {
      REFUSED: true,
      INVALID: true,
      HELD: true,
      UNAVAILABLE: true,
      RATE_LIMITED: true,
      IN_DOUBT: true,
      SESSION_ENDED: true,
    };
    expect([...codes].sort()).toEqual(Object.keys(all).sort());
  });
});
