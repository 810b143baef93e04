// SPDX-License-Identifier: Apache-2.0
import { createPrivateKey, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { compactVerify, importJWK } from 'jose';
import { describe, expect, it } from 'vitest';
import { canonicalize } from '../message/canonical-json.ts';
import type { JsonObject } from '../message/json.ts';
import { readOperatorKey, readPublicJwk } from './operator-key.ts';
import { signOperatorDecision, verifyOperatorDecision } from './operator-signature.ts';
import type { OperatorStatement } from './operator-signature.ts';

const path = new URL('../../test/vectors/signed-keys.json', import.meta.url);
const { keys } = JSON.parse(readFileSync(path, 'utf8'));
const alice = readOperatorKey(keys.triage);
const mallory = readOperatorKey(keys.impostor);
const statement: OperatorStatement = {
  approval: '01K74F0Z00ABCDEFGHJKMNPQRS',
  digest: 'A'.repeat(43),
  decision: 'approve',
  operator: 'alice@example.org',
  at: 1_760_000_000_000,
  reason: 'known supplier, Grüße',
};
const signed = signOperatorDecision(statement, alice);
const goodHeader = '{"alg":"EdDSA","kid":"alice@example.org","typ":"maso-decision+jws"}';

function publicKeyOf(operator: string): JsonObject | null {
  if (operator === 'mallory') return mallory.publicJwk;
  return operator === 'alice@example.org' ? alice.publicJwk : null;
}

function codeOf(jws: string, keyOf = publicKeyOf): string | null {
  const decision = verifyOperatorDecision(jws, keyOf);
  return decision.ok ? null : decision.code;
}

function forge(header: string, payload: string, key = alice): string {
  const input = [header, payload].map((part) => Buffer.from(part).toString('base64url')).join('.');
  return `${input}.${sign(null, Buffer.from(input), key.privateKey).toString('base64url')}`;
}

describe('an operator decision', () => {
  it.each([
    ['nothing', '', 'IDENTITY_DECISION_MALFORMED'],
    ['a stray part', `${signed}.x`, 'IDENTITY_DECISION_MALFORMED'],
    ['megabytes', signed.padEnd(5_000_000, 'A'), 'IDENTITY_DECISION_MALFORMED'],
    [
      'algorithm none',
      forge(goodHeader.replace('EdDSA', 'none'), canonicalize(statement)),
      'IDENTITY_DECISION_MALFORMED',
    ],
    [
      'the type of an envelope',
      forge(goodHeader.replace('decision', 'envelope'), canonicalize(statement)),
      'IDENTITY_DECISION_MALFORMED',
    ],
    [
      'a quote in the name',
      forge(goodHeader.replace('alice@example.org', 'a","jwk":"b'), canonicalize(statement)),
      'IDENTITY_DECISION_MALFORMED',
    ],
    [
      'an operator whom the mesh does not know',
      forge(goodHeader.replace('alice@example.org', 'eve'), canonicalize(statement)),
      'IDENTITY_OPERATOR_UNKNOWN',
    ],
    [
      'the key of another operator',
      forge(goodHeader, canonicalize(statement), mallory),
      'IDENTITY_DECISION_SIGNATURE_INVALID',
    ],
    [
      'another operator in the statement than in the header',
      forge(goodHeader.replace('alice@example.org', 'mallory'), canonicalize(statement), mallory),
      'IDENTITY_DECISION_MALFORMED',
    ],
    ['white space', forge(goodHeader, JSON.stringify(statement)), 'IDENTITY_DECISION_MALFORMED'],
    [
      'an unknown member',
      forge(goodHeader, canonicalize({ ...statement, x: 1 })),
      'IDENTITY_DECISION_MALFORMED',
    ],
    [
      'another decision',
      forge(goodHeader, canonicalize({ ...statement, decision: 'maybe' })),
      'IDENTITY_DECISION_MALFORMED',
    ],
    [
      'no digest',
      forge(goodHeader, canonicalize({ ...statement, digest: '' })),
      'IDENTITY_DECISION_MALFORMED',
    ],
    [
      'a negative time',
      forge(goodHeader, canonicalize({ ...statement, at: -1 })),
      'IDENTITY_DECISION_MALFORMED',
    ],
    [
      'a long reason',
      forge(goodHeader, canonicalize({ ...statement, reason: 'x'.repeat(501) })),
      'IDENTITY_DECISION_MALFORMED',
    ],
  ])('is refused with %s', (_name, jws, code) => {
    expect(codeOf(jws)).toBe(code);
  });

  it('is refused when a single character of it changes', () => {
    const change = fc.tuple(fc.nat(signed.length - 1), fc.constantFrom(...'ABCabc019-_.='));
    fc.assert(
      fc.property(change, ([at, character]) => {
        const changed = signed.slice(0, at) + character + signed.slice(at + 1);
        return changed === signed || codeOf(changed) !== null;
      }),
    );
  });

  it('is refused when the mesh file holds no sound public key', () => {
    for (const key of [
      {},
      { ...keys.triage },
      { ...alice.publicJwk, crv: 'X25519' },
      { ...alice.publicJwk, x: 'AQ' },
      { ...alice.publicJwk, x: Buffer.from([1, ...new Uint8Array(31)]).toString('base64url') },
    ]) {
      expect(codeOf(signed, () => key)).toBe('IDENTITY_OPERATOR_KEY_INVALID');
    }
  });

  it('is not signed when it would not verify', () => {
    const changes = [{ reason: '\uD800' }, { operator: '' }, { approval: 'a/b' }, { at: NaN }];
    for (const change of changes) {
      expect(() => signOperatorDecision({ ...statement, ...change }, alice)).toThrow(
        expect.objectContaining({ code: 'IDENTITY_DECISION_MALFORMED' }),
      );
    }
  });

  it('says what was signed, also to jose', async () => {
    expect(verifyOperatorDecision(signed, publicKeyOf)).toEqual({ ok: true, statement });
    const { payload } = await compactVerify(signed, await importJWK(alice.publicJwk, 'EdDSA'));
    expect(JSON.parse(Buffer.from(payload).toString('utf8'))).toEqual(statement);
  });
});

describe('an operator key', () => {
  it('is refused when its public part belongs to another key', () => {
    for (const jwk of [
      null,
      {},
      [],
      { ...keys.triage, x: keys.impostor.x },
      { ...keys.triage, d: 'AQ' },
      alice.publicJwk,
      keys.p256,
    ]) {
      expect(() => readOperatorKey(jwk)).toThrow(
        expect.objectContaining({ code: 'IDENTITY_OPERATOR_KEY_INVALID' }),
      );
    }
  });

  it('is Ed25519 and may carry a key id in the mesh file', () => {
    const expected = createPrivateKey({ key: keys.triage, format: 'jwk' }).asymmetricKeyType;
    expect(alice.privateKey.asymmetricKeyType).toBe(expected);
    expect(readPublicJwk({ ...alice.publicJwk, kid: 'alice', use: 'sig' })).not.toBeNull();
  });
});
