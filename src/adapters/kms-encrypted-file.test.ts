// SPDX-License-Identifier: Apache-2.0
import { chmod, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openKeyFileKms, openPassphraseKms } from './kms-encrypted-file.ts';
import { systemRandom } from './random-system.ts';

const secret = Buffer.from('a secret of no importance');
const passphrase = 'correct horse battery';
let directory = '';
let keyFile = '';

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'maso-kms-'));
  keyFile = join(directory, 'kms.key');
});

afterEach(() => rm(directory, { recursive: true }));

function open() {
  return openKeyFileKms(keyFile, systemRandom);
}

describe('a KMS with a key file', () => {
  it('opens nothing that was changed in any byte, cut or extended', async () => {
    const kms = await open();
    const wrapped = await kms.wrap(secret, 'root');
    for (let at = 0; at < wrapped.length; at += 1) {
      const changed = Buffer.from(wrapped);
      changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
      await expect(kms.unwrap(changed, 'root')).rejects.toMatchObject({
        code: 'KMS_UNWRAP_FAILED',
      });
      await expect(kms.unwrap(wrapped.subarray(0, at), 'root')).rejects.toMatchObject({
        code: 'KMS_UNWRAP_FAILED',
      });
    }
    const longer = Buffer.concat([wrapped, Buffer.from([0])]);
    await expect(kms.unwrap(longer, 'root')).rejects.toMatchObject({ code: 'KMS_UNWRAP_FAILED' });
  });

  it('opens nothing under another context, also one that shifts the border', async () => {
    const kms = await open();
    const wrapped = await kms.wrap(secret, 'root');
    for (const context of ['', 'Root', 'root ', 'roo']) {
      await expect(kms.unwrap(wrapped, context)).rejects.toMatchObject({
        code: 'KMS_UNWRAP_FAILED',
      });
    }
  });

  it('opens nothing of another key', async () => {
    const wrapped = await (await open()).wrap(secret, 'root');
    const other = await openKeyFileKms(join(directory, 'other.key'), systemRandom);
    await expect(other.unwrap(wrapped, 'root')).rejects.toMatchObject({
      code: 'KMS_UNWRAP_FAILED',
    });
  });

  it.each([0o640, 0o604, 0o660, 0o644])('refuses a key file of mode %o', async (mode) => {
    await open();
    await chmod(keyFile, mode);
    await expect(open()).rejects.toMatchObject({ code: 'KMS_KEY_EXPOSED' });
  });

  it('refuses a link and a directory in the place of the key file', async () => {
    await open();
    await symlink(keyFile, join(directory, 'link'));
    for (const path of [join(directory, 'link'), directory]) {
      await expect(openKeyFileKms(path, systemRandom)).rejects.toMatchObject({
        code: 'KMS_KEY_EXPOSED',
      });
    }
  });

  it.each([0, 31, 33])('refuses, and does not replace, a key file of %d bytes', async (count) => {
    await writeFile(keyFile, new Uint8Array(count), { mode: 0o600 });
    await expect(open()).rejects.toMatchObject({ code: 'KMS_KEY_INVALID' });
    expect((await readFile(keyFile)).length).toBe(count);
  });

  it('makes a key of mode 0600 and finds it again, also when two start together', async () => {
    const [one, two] = await Promise.all([open(), open()]);
    expect((await stat(keyFile)).mode & 0o777).toBe(0o600);
    expect(await two.unwrap(await one.wrap(secret, 'root'), 'root')).toEqual(secret);
    expect(await (await open()).unwrap(await one.wrap(secret, 'root'), 'root')).toEqual(secret);
  });

  it('wraps the same secret differently every time, and an empty one too', async () => {
    const kms = await open();
    const one = Buffer.from(await kms.wrap(secret, 'root'));
    expect(one.equals(await kms.wrap(secret, 'root'))).toBe(false);
    expect(one.includes(secret)).toBe(false);
    expect(await kms.unwrap(await kms.wrap(new Uint8Array(), 'x'), 'x')).toHaveLength(0);
  });
});

describe('a KMS with a passphrase', () => {
  it('refuses a short passphrase', async () => {
    await expect(openPassphraseKms('short', systemRandom)).rejects.toMatchObject({
      code: 'KMS_KEY_INVALID',
    });
  });

  it('opens what it wrapped before a restart, nothing of another passphrase or kind', async () => {
    const wrapped = await (await openPassphraseKms(passphrase, systemRandom)).wrap(secret, 'root');
    const again = await openPassphraseKms(passphrase, systemRandom);
    expect(await again.unwrap(wrapped, 'root')).toEqual(secret);
    for (const other of [await openPassphraseKms(`${passphrase}!`, systemRandom), await open()]) {
      await expect(other.unwrap(wrapped, 'root')).rejects.toMatchObject({
        code: 'KMS_UNWRAP_FAILED',
      });
    }
  });
});
