// SPDX-License-Identifier: Apache-2.0
import { generateKeyPairSync } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { OutsideAuthority, writeSvid, type WrittenSvid } from '../../test/mesh-harness/svid-files.ts';
import { systemClock } from '../adapters/clock-system.ts';
import { SvidSource } from '../process/svid-source.ts';
import { readTrustBundle } from './peer.ts';
import { createReplaceableVerifier } from './replaceable-verifier.ts';
import { readSvidFiles, type SvidHolder } from './svid-files.ts';

const trustDomain = 'example.test';
const spiffeId = `spiffe://${trustDomain}/agent/triage/one`;
const holder: SvidHolder = {
  trustDomain, kind: 'agent', name: 'triage', spiffeId: null, lifetimes: () => 600_000,
};
const clock = systemClock();
let folder: string;
let outside: OutsideAuthority;
let stranger: OutsideAuthority;
let written: WrittenSvid;
let other: WrittenSvid;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'maso-svid-'));
  outside = await OutsideAuthority.found(folder, trustDomain);
  stranger = await OutsideAuthority.found(folder, trustDomain);
  written = await outside.issue(spiffeId);
  other = await outside.issue(spiffeId);
});
afterAll(() => rmSync(folder, { recursive: true }));

function codeOf(change: Partial<WrittenSvid>, of: Partial<SvidHolder> = {}, nowMs = clock.nowMs()): string | null {
  const { svid, key, bundle } = { ...written, ...change };
  const reading = readSvidFiles({ chainPem: svid, keyPem: key, bundlePem: bundle }, { ...holder, ...of }, nowMs);
  return reading.ok ? null : reading.code;
}

describe('an identity in files', () => {
  it('is refused half-written, mixed, foreign, over its time, and by whom nobody trusts', async () => {
    expect(codeOf({ svid: written.svid.slice(0, 300) })).toBe('IDENTITY_CERTIFICATE_MALFORMED');
    expect(codeOf({ svid: '' })).toBe('IDENTITY_CERTIFICATE_MALFORMED');
    expect(codeOf({ key: written.key.slice(0, 60) })).toBe('IDENTITY_CREDENTIAL_CORRUPT');
    expect(codeOf({ key: '' })).toBe('IDENTITY_CREDENTIAL_CORRUPT');
    expect(codeOf({ key: other.key })).toBe('IDENTITY_CREDENTIAL_CORRUPT');
    expect(codeOf({ bundle: '' })).toBe('IDENTITY_BUNDLE_INVALID');
    expect(codeOf({ bundle: written.bundle.slice(0, 200) })).toBe('IDENTITY_BUNDLE_INVALID');
    expect(codeOf({ bundle: written.svid })).toBe('IDENTITY_BUNDLE_INVALID');
    expect(codeOf({ bundle: stranger.bundlePem })).toBe('IDENTITY_CERTIFICATE_UNTRUSTED');
    expect(codeOf({}, { name: 'payments' })).toBe('IDENTITY_CREDENTIAL_FOREIGN');
    expect(codeOf({}, { kind: 'node' })).toBe('IDENTITY_CREDENTIAL_FOREIGN');
    expect(codeOf({}, { spiffeId: `${spiffeId}x` })).toBe('IDENTITY_CREDENTIAL_FOREIGN');
    expect(codeOf({}, { trustDomain: 'other.test' })).toBe('IDENTITY_TRUST_DOMAIN_FOREIGN');
    expect(codeOf({}, { lifetimes: () => 300_000 })).toBe('IDENTITY_LIFETIME_EXCEEDED');
    expect(codeOf({}, {}, clock.nowMs() + 600_000)).toBe('IDENTITY_CERTIFICATE_EXPIRED');
    expect(codeOf({}, {}, clock.nowMs() - 60_000)).toBe('IDENTITY_CERTIFICATE_NOT_YET_VALID');
    const pemOf = (namedCurve: string): string => {
      const { privateKey } = generateKeyPairSync('ec', { namedCurve });
      return String(privateKey.export({ format: 'pem', type: 'pkcs8' }));
    };
    expect(codeOf({ key: pemOf('P-256') })).toBe('IDENTITY_CREDENTIAL_CORRUPT');
    expect(codeOf({ key: pemOf('P-521') })).toBe('IDENTITY_KEY_UNSUPPORTED');
  });

  it('is taken whole', () => {
    expect(codeOf({})).toBeNull();
    expect(codeOf({}, { spiffeId })).toBeNull();
    expect(codeOf({ bundle: `${stranger.bundlePem}${outside.bundlePem}` })).toBeNull();
  });
});

describe('a source of identities', () => {
  let directory: string;
  let refused: string[];
  let changed: number;
  beforeEach(async () => {
    directory = mkdtempSync(join(folder, 'given-'));
    [refused, changed] = [[], 0];
    await writeSvid(directory, written);
  });
  const open = (): Promise<SvidSource> => SvidSource.open({
    directory, clock, holder,
    changed: () => void (changed += 1),
    refused: (code) => void refused.push(code),
  });

  it('does not open without the files, or with a key that others may read', async () => {
    chmodSync(join(directory, 'svid_key.pem'), 0o644);
    await expect(open()).rejects.toMatchObject({ code: 'IDENTITY_CREDENTIAL_EXPOSED' });
    unlinkSync(join(directory, 'svid_key.pem'));
    await expect(open()).rejects.toMatchObject({ code: 'IDENTITY_CREDENTIAL_UNAVAILABLE' });
    symlinkSync('/etc/hostname', join(directory, 'svid_key.pem'));
    await expect(open()).rejects.toMatchObject({ code: 'IDENTITY_CREDENTIAL_EXPOSED' });
  });

  it('keeps what it has while the files are no identity, and takes the next whole set', async () => {
    const source = await open();
    try {
      const before = source.given.credential.thumbprint;
      writeFileSync(join(directory, 'svid.pem'), other.svid);
      await source.look();
      await source.look();
      expect(refused).toEqual(['IDENTITY_CREDENTIAL_CORRUPT']);
      writeFileSync(join(directory, 'svid.pem'), other.svid.slice(0, 100));
      await source.look();
      unlinkSync(join(directory, 'bundle.pem'));
      await source.look();
      mkdirSync(join(directory, 'bundle.pem'));
      await source.look();
      expect(refused.slice(1)).toEqual(['IDENTITY_CERTIFICATE_MALFORMED', 'IDENTITY_CREDENTIAL_UNAVAILABLE']);
      expect([source.given.credential.thumbprint, changed]).toEqual([before, 0]);
      rmSync(join(directory, 'bundle.pem'), { recursive: true });
      await writeSvid(directory, other);
      await source.look();
      expect(changed).toBe(1);
      expect(source.given.credential.thumbprint).not.toBe(before);
      await writeSvid(directory, await outside.issue(`${spiffeId}-two`));
      await source.look();
      expect(refused.at(-1)).toBe('IDENTITY_CREDENTIAL_FOREIGN');
      expect(changed).toBe(1);
    } finally {
      source.close();
    }
  });
});

describe('a verifier whose bundle is replaced', () => {
  it('keeps the peers that the new bundle vouches for, and no others', async () => {
    const foreign = await stranger.issue(spiffeId);
    const both = readTrustBundle(`${outside.bundlePem}${stranger.bundlePem}`, trustDomain);
    const verifier = createReplaceableVerifier(both, clock);
    const thumbprints = [written, foreign].map(({ svid }) => {
      const verdict = verifier.verifyPem(svid);
      return verdict.ok ? verdict.peer.thumbprint : verdict.code;
    });
    expect(thumbprints.map((one) => verifier.byThumbprint(one) !== null)).toEqual([true, true]);
    verifier.replace(readTrustBundle(outside.bundlePem, trustDomain));
    expect(thumbprints.map((one) => verifier.byThumbprint(one) !== null)).toEqual([true, false]);
    expect(verifier.verifyPem(foreign.svid)).toEqual({ ok: false, code: 'IDENTITY_CERTIFICATE_UNTRUSTED' });
    expect(verifier.verifyPem('')).toEqual({ ok: false, code: 'IDENTITY_CERTIFICATE_MALFORMED' });
  });
});
