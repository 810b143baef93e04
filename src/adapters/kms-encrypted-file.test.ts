// SPDX-License-Identifier: Apache-2.0
import { chmod, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { kmsSuite } from '../identity/kms.suite.ts';
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

kmsSuite('a key file', async () => {
  const other = join(directory, 'other.key');
  return { open, other: () => openKeyFileKms(other, systemRandom) };
});
kmsSuite('a passphrase', async () => ({
  open: () => openPassphraseKms(passphrase, systemRandom),
  other: () => openPassphraseKms(`${passphrase}!`, systemRandom),
}));

describe('a KMS with a key file', () => {
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
});

describe('a KMS with a passphrase', () => {
  it('refuses a short passphrase', async () => {
    await expect(openPassphraseKms('short', systemRandom)).rejects.toMatchObject({
      code: 'KMS_KEY_INVALID',
    });
  });

  it('opens nothing that a key file wrapped', async () => {
    const wrapped = await (await open()).wrap(secret, 'root');
    const kms = await openPassphraseKms(passphrase, systemRandom);
    await expect(kms.unwrap(wrapped, 'root')).rejects.toMatchObject({ code: 'KMS_UNWRAP_FAILED' });
  });
});
