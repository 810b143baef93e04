// SPDX-License-Identifier: Apache-2.0
import { generateKeyPairSync } from 'node:crypto';
import { compactVerify, importJWK } from 'jose';
import { describe, expect, it } from 'vitest';
import { startMs, testKey } from '../../test/faults/recorder-fixture.ts';
import { ed25519Signer, keysOf, openHead, signHead } from './head.ts';

const { signer, keys } = testKey();
const tip = { log: 'log-of-a-test', size: 7, hash: 'h'.repeat(43), at: startMs };
const head = signHead(tip, signer);

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const sign = (header: unknown, payload: unknown) => {
  const input = `${encode(header)}.${encode(payload)}`;
  return `${input}.${Buffer.from(signer.sign(Buffer.from(input))).toString('base64url')}`;
};
const header = { alg: 'EdDSA', kid: signer.keyId, typ: 'maso-recorder-head+jws' };
const payload = { v: 1, key: signer.keyId, ...tip };

describe('a signed head', () => {
  it('is refused with any character changed', () => {
    for (let at = 0; at < head.length; at += 1) {
      const other = head[at] === 'A' ? 'B' : 'A';
      const changed = head.slice(0, at) + other + head.slice(at + 1);
      // The last character of a signature has bits that base64url does not use.
      if (at < head.length - 1) expect(openHead(changed, keys), String(at)).toBeNull();
    }
  });

  it('is refused from a key that is not the recorder key', () => {
    expect(openHead(signHead(tip, testKey().signer), keys)).toBeNull();
    expect(openHead(head, new Map())).toBeNull();
    const impostor = { ...testKey().signer, keyId: signer.keyId };
    expect(openHead(signHead(tip, impostor), keys)).toBeNull();
  });

  it.each([
    ['another algorithm', { ...header, alg: 'none' }, payload],
    ['another type', { ...header, typ: 'maso-envelope+jws' }, payload],
    ['a header it does not know', { ...header, crit: ['b64'] }, payload],
    ['another key in its payload', header, { ...payload, key: 'other' }],
    ['another version', header, { ...payload, v: 2 }],
    ['a size that is no count', header, { ...payload, size: -1 }],
    ['a time that is no count', header, { ...payload, at: 1.5 }],
    ['a hash that is none', header, { ...payload, hash: 'short' }],
    ['an unknown member', header, { ...payload, more: 1 }],
    ['no object', header, null],
  ])('is refused with %s, although well signed', (_name, protectedHeader, body) => {
    expect(openHead(sign(protectedHeader, body), keys)).toBeNull();
  });

  it.each(['', '.', '..', 'a.b.c', `${head}.`, ` ${head}`, `${'A'.repeat(5000)}.A.A`])(
    'is refused when it is not a compact JWS',
    (text) => {
      expect(openHead(text, keys)).toBeNull();
    },
  );

  it('is verified by any JOSE library', async () => {
    const jwk = signer.publicKey.export({ format: 'jwk' });
    const verified = await compactVerify(head, await importJWK({ ...jwk, alg: 'EdDSA' }));
    expect(JSON.parse(Buffer.from(verified.payload).toString())).toEqual(openHead(head, keys));
    expect(openHead(sign(header, payload), keys)).toEqual({ v: 1, ...tip, key: signer.keyId });
  });

  it('needs an Ed25519 key', () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    expect(() => ed25519Signer(privateKey)).toThrow(
      expect.objectContaining({ code: 'RECORDER_OPTIONS_INVALID' }),
    );
    expect(keysOf([signer.publicKey]).has(signer.keyId)).toBe(true);
  });
});
