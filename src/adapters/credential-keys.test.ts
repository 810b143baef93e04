// SPDX-License-Identifier: Apache-2.0
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Credential } from '../identity/credential.ts';
import { credentialFromPem } from '../identity/credential-pem.ts';
import { openBuiltinAuthority } from './authority-builtin.ts';
import { loadCredential, newKey, saveCredential } from './credential-keys.ts';
import { openKeyFileKms } from './kms-encrypted-file.ts';
import { loadOperatorKey, loadOrCreateOperatorKey } from './operator-keys.ts';
import { systemRandom } from './random-system.ts';

const clock = { nowMs: () => 1_760_000_000_000 };
let directory = '';
let path = '';

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'maso-credential-'));
  path = join(directory, 'triage', 'credential.pem');
});

afterEach(() => rm(directory, { recursive: true }));

async function newCredential(): Promise<Credential> {
  const trustDomain = 'maso.local';
  const kms = await openKeyFileKms(join(directory, 'kms.key'), systemRandom);
  const authority = await openBuiltinAuthority({
    directory: join(directory, 'authority'),
    trustDomain,
    kms,
    clock,
    random: systemRandom,
  });
  const { csrPem, privateKey } = await newKey();
  const spiffeId = `spiffe://${trustDomain}/agent/triage/i-1`;
  const { chainPem } = await authority.issue({ csrPem, spiffeId, lifetimeMs: 60_000 });
  return credentialFromPem(chainPem, privateKey);
}

describe('a saved credential', () => {
  it.each([
    ['empty', () => ''],
    ['cut in the key', (text: string) => text.slice(0, 60)],
    ['cut in the chain', (text: string) => text.slice(0, -60)],
    ['without a chain', (text: string) => text.slice(0, text.indexOf('-----BEGIN CERT'))],
    ['changed in the key', (text: string) => text.replace('MC4CAQ', 'MC4CAA')],
    ['noise', () => '\u0000'.repeat(10_000)],
  ])('is refused when it is %s', async (_name, damage) => {
    await saveCredential(path, await newCredential());
    await writeFile(path, damage(await readFile(path, 'latin1')));
    await expect(loadCredential(path)).rejects.toMatchObject({
      code: 'IDENTITY_CREDENTIAL_CORRUPT',
    });
  });

  it('is refused when key and certificate are of two credentials', async () => {
    const one = await newCredential();
    const two = await newCredential();
    await saveCredential(path, { ...one, privateKey: two.privateKey });
    await expect(loadCredential(path)).rejects.toMatchObject({
      code: 'IDENTITY_CREDENTIAL_CORRUPT',
    });
  });

  it('is refused when others may read it', async () => {
    await saveCredential(path, await newCredential());
    await chmod(path, 0o644);
    await expect(loadCredential(path)).rejects.toMatchObject({
      code: 'IDENTITY_CREDENTIAL_EXPOSED',
    });
  });

  it('is null when there is none, and unavailable when its directory is a file', async () => {
    expect(await loadCredential(path)).toBeNull();
    await writeFile(join(directory, 'file'), '');
    const below = join(directory, 'file', 'credential.pem');
    const code = 'IDENTITY_CREDENTIAL_UNAVAILABLE';
    await expect(loadCredential(below)).rejects.toMatchObject({ code });
    await expect(saveCredential(below, await newCredential())).rejects.toMatchObject({ code });
  });

  it('is loaded as it was saved, and replaced as a whole', async () => {
    const first = await newCredential();
    const second = await newCredential();
    await saveCredential(path, first);
    await saveCredential(path, second);
    const { privateKey, ...loaded } = (await loadCredential(path)) ?? first;
    const { privateKey: expectedKey, ...expected } = second;
    expect(loaded).toEqual(expected);
    expect(privateKey.equals(expectedKey)).toBe(true);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await stat(join(directory, 'triage'))).mode & 0o777).toBe(0o700);
    expect(await readdir(join(directory, 'triage'))).toEqual(['credential.pem']);
  });
});

describe('an operator key file', () => {
  it('is refused when absent, damaged or exposed', async () => {
    const file = join(directory, 'alice.jwk');
    const code = 'IDENTITY_OPERATOR_KEY_INVALID';
    await expect(loadOperatorKey(file)).rejects.toMatchObject({ code });
    await writeFile(file, '{"kty":"OKP"}', { mode: 0o600 });
    await expect(loadOperatorKey(file)).rejects.toMatchObject({ code });
    await expect(loadOrCreateOperatorKey(file)).rejects.toMatchObject({ code });
    await chmod(file, 0o640);
    await expect(loadOperatorKey(file)).rejects.toMatchObject({
      code: 'IDENTITY_CREDENTIAL_EXPOSED',
    });
  });

  it('is made once, with mode 0600, and gives only the public part to the mesh file', async () => {
    const file = join(directory, 'keys', 'alice.jwk');
    const made = await loadOrCreateOperatorKey(file);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await loadOrCreateOperatorKey(file)).toEqual(made);
    expect(Object.keys(made.publicJwk)).toEqual(['kty', 'crv', 'x']);
  });
});
