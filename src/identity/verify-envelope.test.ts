// SPDX-License-Identifier: Apache-2.0
import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EnvelopeBody } from '../message/envelope.ts';
import type { Credential, PeerIdentity } from './credential.ts';
import { credentialFromPem } from './credential-pem.ts';
import { createPeerVerifier, readTrustBundle } from './peer.ts';
import { signEnvelope } from './sign-envelope.ts';
import { verifyEnvelope } from './verify-envelope.ts';

const keys = read('signed-keys.json');
const [sample] = read('signed-valid.json').vectors;
const body: EnvelopeBody = JSON.parse(sample.canonical);
const credential = credentialOf('triage', 'triage');
const verifier = createPeerVerifier(readTrustBundle(keys.certificates.root, keys.trustDomain), {
  nowMs: () => keys.nowMs,
});
const peer = peerOf('triage');
const limits = { bytesMax: 65_536, depthMax: 16 };

function read(name: string) {
  return JSON.parse(readFileSync(new URL(`../../test/vectors/${name}`, import.meta.url), 'utf8'));
}

function credentialOf(certificate: string, key: string): Credential {
  const privateKey = createPrivateKey({ key: keys.keys[key], format: 'jwk' });
  return credentialFromPem(keys.certificates[certificate], privateKey);
}

function peerOf(certificate: string): PeerIdentity {
  const verdict = verifier.verifyPem(keys.certificates[certificate]);
  if (!verdict.ok) throw new Error(verdict.code);
  return verdict.peer;
}

function codeOf(jws: string, known: PeerIdentity | null, bounds = limits): string | null {
  const result = verifyEnvelope(jws, () => known, bounds);
  return result.ok ? null : result.code;
}

describe('verifying an envelope', () => {
  it('refuses a body above the limit, and does not decode one far above it', () => {
    const bytes = Buffer.byteLength(sample.canonical);
    const large = signEnvelope({ ...body, payload: 'x'.repeat(1_000_000) }, credential);
    expect(codeOf(sample.envelope, peer, { bytesMax: bytes - 1, depthMax: 16 })).toBe(
      'IDENTITY_ENVELOPE_TOO_LARGE',
    );
    expect(codeOf(large, peer)).toBe('IDENTITY_ENVELOPE_TOO_LARGE');
    expect(codeOf(sample.envelope, peer, { bytesMax: bytes, depthMax: 16 })).toBeNull();
  });

  it('refuses everything when a limit is not a number', () => {
    expect(codeOf(sample.envelope, peer, { bytesMax: NaN, depthMax: 16 })).toBe(
      'IDENTITY_ENVELOPE_TOO_LARGE',
    );
    expect(codeOf(sample.envelope, peer, { bytesMax: 65_536, depthMax: NaN })).not.toBeNull();
  });

  it('refuses a payload that nests deeper than allowed', () => {
    const deep = signEnvelope({ ...body, payload: [[[[[[1]]]]]] }, credential);
    expect(codeOf(deep, peer, { bytesMax: 65_536, depthMax: 4 })).toBe('MESSAGE_TOO_DEEP');
  });

  it('refuses a peer that is not the one the header names', () => {
    expect(codeOf(sample.envelope, null)).toBe('IDENTITY_SIGNER_UNKNOWN');
    expect(codeOf(sample.envelope, peerOf('payments'))).toBe('IDENTITY_SIGNER_UNKNOWN');
  });

  it('refuses a node, whatever it signs: it could bear the name of an agent', () => {
    expect(codeOf(sample.envelope, { ...peer, kind: 'node' })).toBe('IDENTITY_SENDER_MISMATCH');
  });

  it('parses nothing before the signature holds', () => {
    const [header, payload] = sample.envelope.split('.');
    const forged = Buffer.from('{"a":1,"a":2').toString('base64url');
    const signature = 'A'.repeat(86);
    expect(codeOf(`${header}.${forged}.${signature}`, peer)).toBe('IDENTITY_SIGNATURE_INVALID');
    expect(codeOf(`${header}.${payload}.${signature}`, peer)).toBe('IDENTITY_SIGNATURE_INVALID');
  });

  it('refuses every change of a character or two, and never throws', () => {
    const text: string = sample.envelope;
    const characters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ ';
    const change = fc.tuple(fc.nat(text.length - 1), fc.constantFrom(...characters));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 2 }), (changes) => {
        let changed = text;
        for (const [at, character] of changes) {
          changed = changed.slice(0, at) + character + changed.slice(at + 1);
        }
        return changed === text || codeOf(changed, peer) !== null;
      }),
      { numRuns: 1_000 },
    );
  });

  it('refuses every cut and every arbitrary text, and never throws', () => {
    const text: string = sample.envelope;
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.nat(text.length - 1), fc.string(), (a, b, noise) => {
        const cut = text.slice(0, Math.min(a, b)) + noise + text.slice(Math.max(a, b));
        expect(cut === text || codeOf(cut, peer) !== null).toBe(true);
        expect(codeOf(noise, peer)).not.toBeNull();
      }),
    );
  });

  it('refuses to sign for another instance than that of the credential', () => {
    const other = { ...body, instance: `${body.instance}2` };
    expect(() => signEnvelope(other, credential)).toThrow(
      expect.objectContaining({ code: 'IDENTITY_SENDER_MISMATCH' }),
    );
  });

  it('accepts what it signed, whatever the payload says', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
        const safe = JSON.parse(JSON.stringify(value, integersOnlySafe));
        const jws = signEnvelope({ ...body, payload: safe }, credential);
        const result = verifyEnvelope(jws, () => peer, limits);
        if (!result.ok) return result.code.startsWith('MESSAGE_KEY_');
        expect(result.body.payload).toEqual(safe);
        expect(result.peer).toBe(peer);
        return true;
      }),
    );
  });
});

/** The strict parser refuses integers beyond what a double holds exactly. */
function integersOnlySafe(_key: string, value: unknown): unknown {
  const unsafe = Number.isInteger(value) && !Number.isSafeInteger(value);
  if (typeof value === 'string') return value.toWellFormed();
  return unsafe ? 0 : value;
}
