// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { hpkeKeyAgreement } from './key-agreement-hpke.ts';

const key = new Uint8Array(32).fill(7);
/** Longer than the next seal waits until it is made ahead. */
const aheadMs = 120;

describe('a key that is sealed to somebody', () => {
  test('is refused for what is no key, or one whose secret anybody knows', async () => {
    for (const publicKey of ['', 'AAAA', Buffer.alloc(32).toString('base64url')]) {
      for (let again = 0; again < 2; again += 1) {
        expect(await hpkeKeyAgreement.sealTo(publicKey, key, 'context')).toBeNull();
        await pause(aheadMs);
      }
    }
  });

  test('opens once for each seal, under its own context alone, whether it was made ahead or not', async () => {
    const [holder, other] = [await hpkeKeyAgreement.generate(), await hpkeKeyAgreement.generate()];
    const seals = new Set<string>();
    for (let round = 0; round < 6; round += 1) {
      const contexts = [`a ${round}`, `b ${round}`];
      const sealed = await Promise.all(contexts.map((one) => hpkeKeyAgreement.sealTo(holder.publicKey, key, one)));
      for (const [at, one] of sealed.entries()) {
        if (one === null) throw new Error('not sealed');
        seals.add(one.enc);
        expect(await holder.open(one, contexts[at] ?? '')).toEqual(key);
        expect(await holder.open(one, contexts[1 - at] ?? '')).toBeNull();
        expect(await other.open(one, contexts[at] ?? '')).toBeNull();
      }
      if (round % 2 === 0) await pause(aheadMs);
    }
    // An ephemeral key that served twice would use one key and nonce of AES-GCM twice.
    expect(seals.size).toBe(12);
  });
});
