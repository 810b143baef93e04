// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { awsStandIn, vaultStandIn, type KmsStandIn } from '../../test/kms-standins/kms-standins.ts';
import { kmsSuite } from '../identity/kms.suite.ts';
import type { Kms } from '../identity/credential.ts';
import { awsKms } from './kms-aws.ts';
import { openKeyFileKms } from './kms-encrypted-file.ts';
import { openKms } from './kms-file.ts';
import { successiveKms } from './kms-successive.ts';
import { vaultTransitKms } from './kms-vault-transit.ts';
import { systemRandom } from './random-system.ts';

const access = { id: 'AKIDEXAMPLE', secret: 'not a real secret' };
const clock = { nowMs: () => 1_790_000_000_000 };
const open: KmsStandIn[] = [];
const folders: string[] = [];
const secret = Buffer.from('a secret of no importance');
const refused = { code: 'KMS_UNWRAP_FAILED' };

afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

async function vault(): Promise<KmsStandIn> {
  const standIn = await vaultStandIn('s.token', 'maso');
  open.push(standIn);
  return standIn;
}

async function aws(): Promise<KmsStandIn> {
  const standIn = await awsStandIn(access, 'alias/maso');
  open.push(standIn);
  return standIn;
}

const vaultAt = ({ address }: KmsStandIn, token = 's.token', key = 'maso'): Kms =>
  vaultTransitKms({ address, mount: 'transit', key, namespace: null, token: async () => token });
const awsAt = ({ address }: KmsStandIn, secretAccessKey = access.secret): Kms =>
  awsKms({
    region: 'eu-central-1', keyId: 'alias/maso', endpoint: address, clock,
    credentials: async () => ({ accessKeyId: access.id, secretAccessKey, sessionToken: 'token' }),
  });

kmsSuite('Vault transit', async () => {
  const [own, other] = [await vault(), await vault()];
  return { open: async () => vaultAt(own), other: async () => vaultAt(other) };
});
kmsSuite('AWS KMS', async () => {
  const [own, other] = [await aws(), await aws()];
  return { open: async () => awsAt(own), other: async () => awsAt(other) };
});

describe.each([
  ['Vault transit', vault, vaultAt, (one: KmsStandIn) => vaultAt(one, 's.other')],
  ['AWS KMS', aws, awsAt, (one: KmsStandIn) => awsAt(one, 'another secret')],
])('%s', (_, start, at, unknownAt) => {
  it('opens what an earlier version wrapped after a rotation, and not once that is retired', async () => {
    const standIn = await start();
    const kms = at(standIn);
    const before = await kms.wrap(secret, 'root');
    standIn.rotate();
    expect(await kms.unwrap(before, 'root')).toEqual(secret);
    const after = await kms.wrap(secret, 'root');
    standIn.retire();
    await expect(kms.unwrap(before, 'root')).rejects.toMatchObject(refused);
    expect(await kms.unwrap(after, 'root')).toEqual(secret);
  });

  it('is unavailable to whoever it does not know, and when it is down: no wrong secret', async () => {
    const standIn = await start();
    const wrapped = await at(standIn).wrap(secret, 'root');
    const unavailable = { code: 'KMS_UNAVAILABLE' };
    await expect(unknownAt(standIn).wrap(secret, 'root')).rejects.toMatchObject(unavailable);
    await expect(unknownAt(standIn).unwrap(wrapped, 'root')).rejects.toMatchObject(unavailable);
    await standIn.close();
    open.splice(open.indexOf(standIn), 1);
    await expect(at(standIn).unwrap(wrapped, 'root')).rejects.toMatchObject(unavailable);
  });

  it('is told no name of the context', async () => {
    const standIn = await start();
    await at(standIn).wrap(secret, 'data-key of agent payments');
    expect(standIn.asked.join()).not.toContain('payments');
  });
});

it.each(['http://vault.example', 'ftp://127.0.0.1', 'nonsense'])('refuses the address %s', (address) => {
  const make = (): Kms =>
    vaultTransitKms({ address, mount: 'transit', key: 'maso', namespace: null, token: async () => '' });
  expect(make).toThrow(expect.objectContaining({ code: 'KMS_KEY_INVALID' }));
});

describe('one after another', () => {
  it('wraps with the first, opens with either, and does not take an outage for a wrong secret', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'maso-kms-'));
    folders.push(folder);
    const earlier = await openKeyFileKms(join(folder, 'k', 'kms.key'), systemRandom);
    const standIn = await vault();
    const both = successiveKms(vaultAt(standIn), [earlier]);
    const before = await earlier.wrap(secret, 'root');
    expect(await both.unwrap(before, 'root')).toEqual(secret);
    const after = await both.wrap(secret, 'root');
    await expect(earlier.unwrap(after, 'root')).rejects.toMatchObject(refused);
    expect(await both.unwrap(after, 'root')).toEqual(secret);
    await expect(both.unwrap(before, 'other')).rejects.toMatchObject(refused);
  });
});

describe('the file that names a KMS', () => {
  const fileOf = (kms: object): string => {
    const folder = mkdtempSync(join(tmpdir(), 'maso-kms-'));
    folders.push(folder);
    writeFileSync(join(folder, 'token'), 's.token\n', { mode: 0o600 });
    writeFileSync(join(folder, 'aws.json'), JSON.stringify({ accessKeyId: access.id, secretAccessKey: access.secret }), { mode: 0o600 });
    writeFileSync(join(folder, 'kms.json'), JSON.stringify(kms));
    return join(folder, 'kms.json');
  };
  const keyFile = '/nowhere/kms.key';

  it('opens Vault, AWS and earlier ones, with credentials from files beside it', async () => {
    const [one, two] = [await vault(), await aws()];
    const file = fileOf({
      provider: 'vault-transit', address: one.address, key: 'maso', token_file: 'token',
      earlier: [{ provider: 'aws-kms', region: 'eu-central-1', key: 'alias/maso', endpoint: two.address, credentials_file: 'aws.json' }],
    });
    const kms = await openKms(file, keyFile, systemRandom, clock);
    const wrapped = await kms.wrap(secret, 'root');
    expect(Buffer.from(wrapped).toString()).toMatch(/^vault:v1:/);
    expect(await kms.unwrap(wrapped, 'root')).toEqual(secret);
    expect(await kms.unwrap(await awsAt(two).wrap(secret, 'root'), 'root')).toEqual(secret);
  });

  it.each([
    {}, { provider: 'tin-foil' }, { provider: 'vault-transit', address: 'https://v', key: 'k' },
    { provider: 'key-file', key: 'x' }, { provider: 'key-file', earlier: 1 },
  ])('refuses %j', async (kms) => {
    await expect(openKms(fileOf(kms), keyFile, systemRandom, clock)).rejects.toMatchObject({ code: 'KMS_KEY_INVALID' });
  });

  it('refuses a token that others may read', async () => {
    const one = await vault();
    const file = fileOf({ provider: 'vault-transit', address: one.address, key: 'maso', token_file: 'open' });
    writeFileSync(join(file, '..', 'open'), 's.token', { mode: 0o644 });
    const kms = await openKms(file, keyFile, systemRandom, clock);
    await expect(kms.wrap(secret, 'x')).rejects.toMatchObject({ code: 'KMS_KEY_EXPOSED' });
  });
});
