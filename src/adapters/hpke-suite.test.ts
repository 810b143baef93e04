// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import { Aes256Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from '@hpke/core';
import { describe, expect, it } from 'vitest';
import { loadHpkeSuite } from './hpke-suite.ts';
import { hpkeKeyAgreement } from './key-agreement-hpke.ts';

/** The library with its own primitives, as any other program has it. */
const plain = new CipherSuite({
  kem: new DhkemX25519HkdfSha256(), kdf: new HkdfSha256(), aead: new Aes256Gcm(),
});
const info = new Uint8Array([1, 2, 3]);
const context = new Uint8Array(300).fill(9);
const key = new Uint8Array(32).map((_, at) => at);

describe('the suite on this thread', () => {
  it('opens what the library seals, and the library what it seals', async () => {
    const ours = await loadHpkeSuite();
    const pair = await plain.kem.generateKeyPair();
    const to = { recipientPublicKey: pair.publicKey, info };
    for (const recipientKey of [pair, pair.privateKey]) {
      const theirs = await plain.seal(to, key.buffer, context.buffer);
      const opened = await ours.open({ recipientKey, enc: theirs.enc, info }, theirs.ct, context.buffer);
      expect(new Uint8Array(opened)).toEqual(key);
      const sealed = await ours.seal(to, key.buffer, context.buffer);
      const back = await plain.open({ recipientKey, enc: sealed.enc, info }, sealed.ct, context.buffer);
      expect(new Uint8Array(back)).toEqual(key);
    }
  });
});

describe('keys sealed with it', () => {
  it('open to their holder alone, under their context alone', async () => {
    const holder = await hpkeKeyAgreement.generate();
    const other = await hpkeKeyAgreement.generate();
    const sealed = await hpkeKeyAgreement.sealTo(holder.publicKey, key, 'for this');
    if (sealed === null) throw new Error('nothing was sealed');
    expect(await holder.open(sealed, 'for this')).toEqual(key);
    expect(await holder.open(sealed, 'for that')).toBeNull();
    expect(await other.open(sealed, 'for this')).toBeNull();
    const again = await hpkeKeyAgreement.sealTo(holder.publicKey, key, 'for this');
    expect(again?.enc).not.toBe(sealed.enc);
  });

  it('are refused with any byte changed, and cut', async () => {
    const holder = await hpkeKeyAgreement.generate();
    const sealed = await hpkeKeyAgreement.sealTo(holder.publicKey, key, 'for this');
    if (sealed === null) throw new Error('nothing was sealed');
    for (const member of ['enc', 'wrapped'] as const) {
      const bytes = Buffer.from(sealed[member], 'base64url');
      for (let at = 0; at < bytes.length; at += 1) {
        const changed = Buffer.from(bytes);
        changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
        const text = changed.toString('base64url');
        expect([member, at, await holder.open({ ...sealed, [member]: text }, 'for this')])
          .toEqual([member, at, null]);
      }
      for (const length of [0, 1, 15, 16, 31]) {
        const text = bytes.subarray(0, length).toString('base64url');
        expect(await holder.open({ ...sealed, [member]: text }, 'for this')).toBeNull();
      }
    }
  });

  it('are refused where bits that belong to no byte are set', async () => {
    const holder = await hpkeKeyAgreement.generate();
    const sealed = await hpkeKeyAgreement.sealTo(holder.publicKey, key, 'for this');
    if (sealed === null) throw new Error('nothing was sealed');
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const last = alphabet[alphabet.indexOf(sealed.enc.slice(-1)) + 1] ?? '';
    const enc = sealed.enc.slice(0, -1) + last;
    expect(Buffer.from(enc, 'base64url')).toEqual(Buffer.from(sealed.enc, 'base64url'));
    expect(await holder.open({ ...sealed, enc }, 'for this')).toBeNull();
  });

  it.each([
    ['no key', ''],
    ['a short one', Buffer.alloc(31, 3).toString('base64url')],
    ['a long one', Buffer.alloc(33, 3).toString('base64url')],
    ['the point 0', Buffer.alloc(32).toString('base64url')],
    ['the point 1', Buffer.from([1, ...new Uint8Array(31)]).toString('base64url')],
    // RFC 7748, section 6.1: p - 1, of order two.
    ['p - 1', Buffer.from([0xec, ...new Uint8Array(30).fill(0xff), 0x7f]).toString('base64url')],
  ])('are not made for %s', async (_, publicKey) => {
    expect(await hpkeKeyAgreement.sealTo(publicKey, key, 'for this')).toBeNull();
    const holder = await hpkeKeyAgreement.generate();
    const wrapped = Buffer.alloc(48).toString('base64url');
    expect(await holder.open({ enc: publicKey, wrapped }, 'for this')).toBeNull();
  });
});
