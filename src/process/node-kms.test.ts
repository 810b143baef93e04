// SPDX-License-Identifier: Apache-2.0
import { chmodSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { vaultStandIn, type KmsStandIn } from '../../test/kms-standins/kms-standins.ts';
import { openBuiltinAuthority, rewrapAuthority } from '../adapters/authority-builtin.ts';
import { openKms } from '../adapters/kms-file.ts';
import { systemRandom } from '../adapters/random-system.ts';
import { IdentityError } from '../identity/identity-error.ts';
import { NodeKms } from './node-kms.ts';

const startMs = 1_790_000_000_000;
let nowMs: number;
const clock = { nowMs: () => nowMs };
const secret = Buffer.from('a data key of no importance');
let folder: string;
let vault: KmsStandIn;
let kms: NodeKms;
let reported: unknown[];
let counts: number[];

const keyFile = { provider: 'key-file' } as const;
const inVault = () => ({ provider: 'vault-transit', address: vault.address, key: 'maso', token_file: 'token' });
const write = (content: object): void => writeFileSync(join(folder, 'kms.json'), JSON.stringify(content));
/** What the file names, as a node that starts with it has it. */
const asNamed = () => openKms(join(folder, 'kms.json'), join(folder, 'kms.key'), systemRandom, clock);
const codes = () => reported.map((failure) => (failure instanceof IdentityError ? failure.code : failure));

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'maso-kms-'));
  vault = await vaultStandIn('s.token', 'maso');
  writeFileSync(join(folder, 'token'), 's.token', { mode: 0o600 });
  write(keyFile);
  [reported, counts, nowMs] = [[], [], startMs];
  kms = await NodeKms.open({
    file: join(folder, 'kms.json'), keyFile: join(folder, 'kms.key'), random: systemRandom, clock,
    report: (failure) => void reported.push(failure), left: (count) => void counts.push(count),
  });
});

afterEach(async () => {
  await vault.close();
  rmSync(folder, { recursive: true });
});

/** Something stored, wrapped again whenever it is asked for. */
async function stored(): Promise<{ wrapped: Uint8Array; times: number; fails: boolean }> {
  const row = { wrapped: await kms.wrap(secret, 'row'), times: 0, fails: false };
  await kms.keep(async () => {
    row.times += 1;
    if (row.fails) return [{ wrapped: row.wrapped, context: 'row' }];
    row.wrapped = await kms.wrap(await kms.unwrap(row.wrapped, 'row'), 'row');
    return [];
  }, false);
  return row;
}

test.each<[string, () => void, string]>([
  ['does not name the one before it', () => write(inVault()), 'KMS_UNWRAP_FAILED'],
  ['is none', () => write({ provider: 'tin' }), 'KMS_KEY_INVALID'],
  ['is gone', () => rmSync(join(folder, 'kms.json')), 'KMS_KEY_INVALID'],
  ['names one that refuses', () => {
    writeFileSync(join(folder, 'token'), 's.other', { mode: 0o600 });
    write({ ...inVault(), earlier: [keyFile] });
  }, 'KMS_UNAVAILABLE'],
])('a file that %s is not taken, and said so', async (_, change, code) => {
  const row = await stored();
  change();
  expect(await kms.renew()).toBe(false);
  expect([codes(), row.times]).toEqual([[code], 0]);
  expect(Buffer.from(await kms.unwrap(row.wrapped, 'row'))).toEqual(secret);
});

test('another file is in force without a start, and then opens alone what was stored', async () => {
  const row = await stored();
  expect(await kms.renew()).toBe(false);
  write({ ...inVault(), earlier: [keyFile] });
  expect([await kms.renew(), await kms.renew(), await kms.renew()]).toEqual([true, false, false]);
  // Once more afterwards, for what was being wrapped while it was replaced.
  expect(row.times).toBe(2);
  write(inVault());
  expect(Buffer.from(await (await asNamed()).unwrap(row.wrapped, 'row'))).toEqual(secret);
  expect(await kms.renew()).toBe(true);
  expect(Buffer.from(await kms.unwrap(row.wrapped, 'row'))).toEqual(secret);
  expect(reported).toEqual([]);
});

test('what could not be wrapped again keeps nothing else from it, and opens as before', async () => {
  await kms.keep(() => Promise.reject(new Error('the disk is full')), false);
  const row = await stored();
  write({ ...inVault(), earlier: [keyFile] });
  expect(await kms.renew()).toBe(true);
  expect([reported.length, row.times]).toEqual([1, 1]);
});

describe('a key that could not be wrapped again', () => {
  test('keeps a file that drops its KMS from being taken, until it is wrapped by another', async () => {
    const row = await stored();
    row.fails = true;
    write({ ...inVault(), earlier: [keyFile] });
    expect([await kms.renew(), kms.standing.left]).toEqual([true, 1]);
    write(inVault());
    expect([await kms.renew(), codes()]).toEqual([false, ['KMS_STILL_NEEDED']]);
    expect(Buffer.from(await kms.unwrap(row.wrapped, 'row'))).toEqual(secret);
    row.fails = false;
    expect([await kms.renew(), kms.standing]).toEqual([true, { left: 0, retryAt: null }]);
    expect(Buffer.from(await kms.unwrap(row.wrapped, 'row'))).toEqual(secret);
    expect(counts).toEqual([1, 0]);
  });

  test('that nobody opens any more keeps no file from being taken', async () => {
    const row = await stored();
    row.fails = true;
    row.wrapped = await kms.wrap(secret, 'another row');
    write({ ...inVault(), earlier: [keyFile] });
    await kms.renew();
    write(inVault());
    expect([await kms.renew(), codes()]).toEqual([true, []]);
  });

  test('keeps a file from being taken that names another for its KMS, which does not answer', async () => {
    const row = await stored();
    write({ ...inVault(), earlier: [keyFile] });
    await kms.renew();
    row.fails = true;
    write({ ...keyFile, earlier: [inVault()] });
    await kms.renew();
    write({ ...keyFile, earlier: [{ ...inVault(), address: 'http://127.0.0.1:1' }] });
    expect([await kms.renew(), codes()]).toEqual([false, ['KMS_STILL_NEEDED']]);
    expect(Buffer.from(await kms.unwrap(row.wrapped, 'row'))).toEqual(secret);
  });

  test('and cannot be named keeps every file from being taken, until it is wrapped or can be', async () => {
    const { options, before } = await keptAuthority();
    const file = join(options.directory, readdirSync(options.directory)[0] ?? '');
    chmodSync(file, 0o644);
    write({ ...inVault(), earlier: [keyFile] });
    expect([await kms.renew(), kms.standing.left]).toEqual([true, 1]);
    write(inVault());
    expect([await kms.renew(), codes()]).toEqual([false, [expect.any(String), expect.any(String), 'KMS_STILL_NEEDED']]);
    chmodSync(file, 0o600);
    expect([await kms.renew(), kms.standing.left]).toEqual([true, 0]);
    const after = await openBuiltinAuthority({ ...options, kms: await asNamed() });
    expect(after.bundlePem()).toBe(before.bundlePem());
  });

  test('is tried again after a while, and less and less often', async () => {
    const row = await stored();
    write({ ...inVault(), earlier: [keyFile] });
    row.fails = true;
    await kms.renew();
    const tries: number[] = [];
    for (let second = 0; second < 1_500; second += 10) {
      const before = row.times;
      nowMs = startMs + second * 1000;
      await kms.renew();
      if (row.times > before) tries.push(second);
    }
    expect(tries).toEqual([0, 20, 60, 140, 300, 620, 1220]);
    expect(kms.standing).toEqual({ left: 1, retryAt: startMs + 1_820_000 });
  });

  test('at the start is left, too, and is seen', async () => {
    await kms.keep(async () => [{ wrapped: new Uint8Array(1), context: 'row' }], true);
    expect([kms.standing.left, counts]).toEqual([1, [1]]);
  });
});

test('a file that changes again at once does not leave behind what was stored meanwhile', async () => {
  const row = await stored();
  write({ ...inVault(), earlier: [keyFile] });
  const late = await kms.wrap(secret, 'row');
  await kms.renew();
  // Begun under the KMS before, and stored only now.
  row.wrapped = late;
  write(inVault());
  expect(await kms.renew()).toBe(true);
  expect(Buffer.from(await kms.unwrap(row.wrapped, 'row'))).toEqual(secret);
});

test('the key of the authority is wrapped again while it goes on, and opens under the new one alone', async () => {
  const { options, before } = await keptAuthority();
  write({ ...inVault(), earlier: [keyFile] });
  await kms.renew();
  write(inVault());
  const after = await openBuiltinAuthority({ ...options, kms: await asNamed() });
  expect(after.bundlePem()).toBe(before.bundlePem());
  expect(reported).toEqual([]);
});

/** An authority whose key is wrapped again with all else that the KMS keeps. */
async function keptAuthority() {
  const options = {
    directory: join(folder, 'authority'), trustDomain: 'example.test', kms, clock, random: systemRandom,
  };
  const before = await openBuiltinAuthority(options);
  await kms.keep(() => rewrapAuthority(options, (failure) => void reported.push(failure)), false);
  return { options, before };
}
