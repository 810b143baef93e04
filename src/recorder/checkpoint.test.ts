// SPDX-License-Identifier: Apache-2.0
import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { testKey } from '../../test/faults/recorder-fixture.ts';
import { openCheckpoint as openAsVerifier } from '../verifier/checkpoint.ts';
import { openCheckpoint, originOf, signCheckpoint } from './checkpoint.ts';
import { emptyRoot } from './merkle.ts';
import { ed25519Signer, signNote } from './signed-note.ts';

const { signer, verifierKey } = testKey();
const checkpoint = { log: 'log-of-a-test', size: 7, root: emptyRoot };
const signed = signCheckpoint(checkpoint, signer);
const keys = [signer.publicKey];
const open = (text: string) => openCheckpoint(text, checkpoint.log, keys);
const verify = async (text: string) =>
  (await openAsVerifier(text, verifierKey(checkpoint.log), [])).state;

describe('a checkpoint', () => {
  it('is refused with any character changed, by recorder and verifier', async () => {
    const base64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
    for (let at = 0; at < signed.length; at += 1) {
      const own = base64.indexOf(signed[at] ?? '');
      // Also the neighbour of the last character, which differs in bits that mean nothing.
      for (const other of ['B', base64[own ^ 1] ?? 'C'].filter((one) => one !== signed[at])) {
        const changed = signed.slice(0, at) + other + signed.slice(at + 1);
        expect(open(changed), String(at)).toBeTypeOf('string');
        expect(await verify(changed), String(at)).not.toBe('good');
      }
    }
  });

  it('is refused when cut off or continued', async () => {
    for (let left = 0; left < signed.length; left += 1) {
      expect(open(signed.slice(0, left)), String(left)).toBeTypeOf('string');
      expect(await verify(signed.slice(0, left)), String(left)).not.toBe('good');
    }
    expect(await verify(`${signed}x`)).toBe('malformed');
    expect(await verify(`${signed}\n`)).toBe('malformed');
  });

  it('is refused from a key that is not the recorder key', async () => {
    const stranger = signCheckpoint(checkpoint, testKey().signer);
    expect(open(stranger)).toBe('invalid');
    expect(await verify(stranger)).toBe('unsigned');
    expect(openCheckpoint(signed, checkpoint.log, [])).toBe('invalid');
  });

  it('is foreign to a log of another name', async () => {
    const foreign = signCheckpoint({ ...checkpoint, log: 'another' }, signer);
    expect(open(foreign)).toBe('foreign');
    expect(await verify(foreign)).toBe('foreign');
  });

  it.each(['-1', '01', '1.5', '', '9007199254740993', '1e3'])(
    'is refused with the size %s, although well signed',
    async (size) => {
      const origin = originOf(checkpoint.log);
      const body = `${origin}\n${size}\n${emptyRoot.toString()}\n`;
      const root = Buffer.from(emptyRoot).toString('base64');
      const well = `${origin}\n${size}\n${root}\n`;
      for (const text of [body, well]) {
        const note = signNote(text, origin, signer);
        expect(open(note)).toBe('invalid');
        expect(await verify(note)).toBe('malformed');
      }
    },
  );

  it('says what was signed, also among lines of other signers', async () => {
    expect(open(signed)).toMatchObject({ size: 7, root: Buffer.from(emptyRoot) });
    const among = `${signed}\u2014 somebody/else ${Buffer.alloc(76, 7).toString('base64')}\n`;
    expect(open(among)).toMatchObject({ size: 7 });
    expect(await verify(among)).toBe('good');
  });

  it('needs an Ed25519 key', () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    expect(() => ed25519Signer(privateKey)).toThrow(
      expect.objectContaining({ code: 'RECORDER_OPTIONS_INVALID' }),
    );
  });
});
