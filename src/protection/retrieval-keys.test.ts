// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { openKeyFileKms } from '../adapters/kms-encrypted-file.ts';
import { successiveKms } from '../adapters/kms-successive.ts';
import { systemRandom } from '../adapters/random-system.ts';
import type { Kms } from '../identity/credential.ts';
import { leaseMsDefault } from '../identity/lease.ts';
import {
  atBus, begin, busOn, codeOf, openedBy, ground, limits, recipient, sealed, sender, sidecarOf,
} from './retrieval-fixture.ts';

beforeEach(begin);

describe('keys that change', () => {
  it('a node that started anew has another key; what it kept it still releases', async () => {
    const message = await sealed();
    await atBus(message);
    const unseen = await sealed({ to: 'desk' });
    ground.bus = busOn(ground.database, ground.kms);
    expect(codeOf(await openedBy(sidecarOf(recipient), message))).toBe('opened');
    expect(codeOf(await openedBy(ground.bus, message))).toBe('opened');
    expect(codeOf(await openedBy(ground.bus, unseen))).toBe('PROTECTION_KEY_ROTATED');
  });

  it('wrapped again by another KMS, they open with that one alone, and messages go on', async () => {
    const message = await sealed();
    await atBus(message);
    const next = await openKeyFileKms(join(ground.folder, 'kms', 'next.key'), systemRandom);
    expect(await busOn(ground.database, successiveKms(next, [ground.kms])).rewrapAll()).toBe(1);
    ground.bus = busOn(ground.database, next);
    expect(codeOf(await openedBy(sidecarOf(recipient), message))).toBe('opened');
    ground.bus = busOn(ground.database, ground.kms);
    expect(codeOf(await openedBy(sidecarOf(recipient), message))).toBe('PROTECTION_KEY_LOST');
  });

  it('another KMS key opens nothing that was wrapped before', async () => {
    const message = await sealed();
    await atBus(message);
    ground.bus = busOn(ground.database, await openKeyFileKms(join(ground.folder, 'kms', 'other.key'), systemRandom));
    expect(codeOf(await openedBy(sidecarOf(recipient), message))).toBe('PROTECTION_KEY_LOST');
    expect(codeOf(await openedBy(ground.bus, message))).toBe('PROTECTION_KEY_LOST');
    expect(ground.reported).not.toHaveLength(0);
  });

  it('a new key is durable before its message counts, whoever else comes with it meanwhile', async () => {
    const from = sidecarOf(sender);
    const [first, second] = [await sealed({}, from), await sealed({ id: '1'.repeat(26) }, from)];
    const disk = Promise.withResolvers<void>();
    const write = ground.database.write.bind(ground.database);
    ground.database.write = (work) => disk.promise.then(() => write(work));
    const turned = await openedBy(ground.bus, first);
    const beside = await openedBy(ground.bus, second);
    if (!turned.ok || !beside.ok) throw new Error('refused');
    expect(codeOf(await openedBy(sidecarOf(recipient), first))).toBe('PROTECTION_KEY_UNKNOWN');
    expect(beside.kept).toBe(turned.kept);
    disk.resolve();
    await turned.kept;
    expect(codeOf(await openedBy(sidecarOf(recipient), first))).toBe('opened');
    expect(await openedBy(ground.bus, second)).not.toHaveProperty('kept');
  });

  it('a key that the disk did not take is learned and written again', async () => {
    const message = await sealed();
    let fails = true;
    const write = ground.database.write.bind(ground.database);
    ground.database.write = (work) => (fails ? Promise.reject(new Error('full')) : write(work));
    const turned = await openedBy(ground.bus, message);
    if (!turned.ok) throw new Error(turned.code);
    await expect(turned.kept).rejects.toThrow();
    expect(ground.reported).toHaveLength(1);
    fails = false;
    await atBus(message);
    ground.bus = busOn(ground.database, ground.kms);
    expect(codeOf(await openedBy(sidecarOf(recipient), message))).toBe('opened');
  });

  it('a KMS that fails refuses, and keeps nothing', async () => {
    const down: Kms = { wrap: () => Promise.reject(new Error('down')), unwrap: ground.kms.unwrap };
    ground.bus = busOn(ground.database, down);
    const message = await sealed();
    expect(codeOf(await openedBy(ground.bus, message))).toBe('PROTECTION_UNAVAILABLE');
    expect(codeOf(await openedBy(sidecarOf(recipient), message))).toBe('PROTECTION_KEY_UNKNOWN');
  });

  it('keys of messages that are over are dropped', async () => {
    const message = await sealed();
    await atBus(message);
    await ground.bus.prune(ground.nowMs + limits.messageLifetimeMs + leaseMsDefault + 2 * limits.clockSkewMs + 1);
    ground.database.flush();
    expect(codeOf(await openedBy(sidecarOf(recipient), message))).toBe('PROTECTION_KEY_UNKNOWN');
  });

  it('a stolen disk without the KMS key holds neither payload nor data key', async () => {
    let dataKey = Buffer.alloc(0);
    const spied: Kms = {
      wrap: (plain, context) => {
        dataKey = Buffer.from(plain);
        return ground.kms.wrap(plain, context);
      },
      unwrap: (wrapped, context) => ground.kms.unwrap(wrapped, context),
    };
    ground.bus = busOn(ground.database, spied);
    await atBus(await sealed());
    ground.database.flush();
    expect(dataKey).toHaveLength(32);
    const files = readdirSync(ground.folder).filter((name) => name.startsWith('node.sqlite'));
    expect(files.length).toBeGreaterThan(0);
    for (const file of files) {
      const bytes = readFileSync(join(ground.folder, file));
      expect(bytes.includes(dataKey)).toBe(false);
      expect(bytes.includes(dataKey.toString('base64url'))).toBe(false);
      expect(bytes.includes('diagnosis')).toBe(false);
    }
  });
});
