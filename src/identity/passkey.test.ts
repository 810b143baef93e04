// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { operatorKey } from '../../test/mesh-harness/attack-mesh.ts';
import { SoftPasskey } from '../../test/mesh-harness/soft-passkey.ts';
import type { JsonObject } from '../message/json.ts';
import { verifyOperatorDecision, type OperatorStatement } from './operator-signature.ts';
import { endorsePasskey, verifyEndorsement } from './operator-statement.ts';

const alice = operatorKey();
const mallory = operatorKey();
const passkey = new SoftPasskey();
const typ = 'maso-decision+jws';
const at = 1_800_000_000_000;
const publicKeyOf = (name: string): JsonObject | null =>
  name === 'alice' ? alice.publicJwk : name === 'mallory' ? mallory.publicJwk : null;

function endorsed(change: object = {}, key = alice, holder = passkey): string {
  return endorsePasskey({
    credential: holder.credential, publicKey: holder.publicKey, site: 'localhost',
    until: at + 1_000, operator: 'alice', at: at - 1_000, reason: '', ...change,
  }, key);
}

const statement: OperatorStatement = {
  approval: 'approval-1', digest: 'd'.repeat(43), decision: 'approve', operator: 'alice', at,
  reason: 'looked at the invoice',
};

function signedBy(
  holder: SoftPasskey,
  change: { readonly said?: object; readonly gesture?: object; readonly endorsement?: string } = {},
): string {
  const said = { ...statement, ...change.said };
  return holder.sign(typ, said, change.endorsement ?? endorsed(), change.gesture);
}

const codeOf = (signed: string): string | null => {
  const verified = verifyOperatorDecision(signed, publicKeyOf);
  return verified.ok ? null : verified.code;
};

const bad = 'IDENTITY_DECISION_SIGNATURE_INVALID';

describe('a decision made with a passkey is refused', () => {
  it.each<[string, string, () => string]>([
    ['of another authenticator', bad, () => signedBy(new SoftPasskey())],
    ['made on another site', bad, () => signedBy(passkey, { gesture: { site: 'evil.example' } })],
    ['asked for by another origin', bad, () => signedBy(passkey, { gesture: { origin: 'http://localhost.evil.example' } })],
    ['asked for without TLS elsewhere', bad, () => signedBy(passkey, { gesture: { origin: 'http://evil.example:4848' } })],
    ['that was a registration', bad, () => signedBy(passkey, { gesture: { type: 'webauthn.create' } })],
    ['without a person there', bad, () => signedBy(passkey, { gesture: { flags: 0x04 } })],
    ['of a person whom it did not verify', bad, () => signedBy(passkey, { gesture: { flags: 0x01 } })],
    ['endorsed by somebody who is not the operator', bad, () => signedBy(passkey, { endorsement: endorsed({}, mallory) })],
    ['endorsed for somebody else', 'IDENTITY_DECISION_MALFORMED',
      () => signedBy(passkey, { endorsement: endorsed({ operator: 'mallory' }, mallory) })],
    ['of a person whom the mesh does not know', 'IDENTITY_OPERATOR_UNKNOWN',
      () => signedBy(passkey, { endorsement: endorsed({ operator: 'eve' }) })],
    ['after the endorsement ended', 'IDENTITY_PASSKEY_EXPIRED', () => signedBy(passkey, { said: { at: at + 1_000 } })],
    ['without its endorsement', 'IDENTITY_DECISION_MALFORMED', () => signedBy(passkey).split('.').slice(0, 5).join('.')],
    ['as its own endorsement', 'IDENTITY_DECISION_MALFORMED', () => signedBy(passkey, { endorsement: signedBy(passkey) })],
  ])('%s: %s', (_, code, make) => {
    expect(codeOf(make())).toBe(code);
  });

  it('with another statement in the place of the signed one', () => {
    const parts = signedBy(passkey).split('.');
    const other = signedBy(passkey, { said: { digest: 'e'.repeat(43) } }).split('.');
    parts[1] = other[1] ?? '';
    expect(codeOf(parts.join('.'))).toBe(bad);
  });

  it('as a statement of another kind', () => {
    expect(codeOf(passkey.sign('maso-settlement+jws', statement, endorsed()))).toBe(bad);
  });
});

describe('a passkey', () => {
  it('decides for the operator who endorsed it', () => {
    expect(verifyOperatorDecision(signedBy(passkey), publicKeyOf)).toEqual({ ok: true, statement });
  });

  it('is endorsed with the operator\'s own key, never with another passkey', () => {
    expect(verifyEndorsement(endorsed(), publicKeyOf).ok).toBe(true);
    expect(verifyEndorsement(signedBy(passkey), publicKeyOf)).toEqual(
      { ok: false, code: 'IDENTITY_PASSKEY_MALFORMED' },
    );
    expect(() => endorsed({ until: at - 2_000 })).toThrow();
    expect(() => endorsed({ publicKey: { kty: 'oct', k: 'x' } })).toThrow();
  });
});
