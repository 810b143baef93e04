// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { openKeyFileKms } from '../adapters/kms-encrypted-file.ts';
import { successiveKms } from '../adapters/kms-successive.ts';
import { systemRandom } from '../adapters/random-system.ts';
import type { Kms } from '../identity/credential.ts';
import { until } from '../../test/mesh-harness/running-mesh.ts';
import { settled } from '../../test/sidecar-fixture/sidecar.ts';
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
    expect(await busOn(ground.database, successiveKms(next, [ground.kms])).rewrapAll()).toEqual([]);
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
    expect(beside.kept).toBe(turned.kept);
    disk.resolve();
    await turned.kept;
    expect(codeOf(await openedBy(sidecarOf(recipient), first))).toBe('opened');
    expect(await openedBy(ground.bus, second)).not.toHaveProperty('kept');
  });

  it('a key that is new is released while it is made durable, and its message then waits for nothing', async () => {
    let asks = 0;
    const to = sidecarOf(recipient, () => void (asks += 1));
    const message = await sealed();
    const disk = Promise.withResolvers<void>();
    const write = ground.database.write.bind(ground.database);
    ground.database.write = (work) => disk.promise.then(() => write(work));
    const turned = await openedBy(ground.bus, message);
    if (!turned.ok || turned.newKey === undefined) throw new Error('nothing is new');
    ground.ahead.get(recipient.peer.name)?.(turned.newKey);
    await until('a release', async () => (ground.answers.length > 0 ? true : null));
    await settled();
    const opened = to.open(message.body, message.item);
    expect([opened instanceof Promise, codeOf(await opened), asks]).toEqual([false, 'opened', 1]);
    disk.resolve();
    await turned.kept;
    expect(await openedBy(ground.bus, message)).not.toHaveProperty('newKey');
  });

  it.each<[string, () => void, string]>([
    ['the policy refuses it', () => void (ground.refusal = 'BUS_EDGE_DENIED'), 'BUS_EDGE_DENIED'],
    ['the answer is another one\'s', () => void (ground.alter = (release) => ({ ...release, nonce: 'x' })), 'PROTECTION_RELEASE_REPLAYED'],
  ])('what is said ahead opens nothing where %s', async (_, change, code) => {
    const to = sidecarOf(recipient);
    const message = await sealed();
    const turned = await openedBy(ground.bus, message);
    if (!turned.ok || turned.newKey === undefined) throw new Error('nothing is new');
    change();
    ground.ahead.get(recipient.peer.name)?.(turned.newKey);
    await settled();
    expect(codeOf(await openedBy(to, message))).toBe(code);
  });

  it('a key that is said to be bound to something else opens no message', async () => {
    const to = sidecarOf(recipient);
    const message = await sealed();
    const turned = await openedBy(ground.bus, message);
    if (!turned.ok || turned.newKey === undefined) throw new Error('nothing is new');
    const { key, binding } = turned.newKey;
    ground.ahead.get(recipient.peer.name)?.({ key, binding: binding.replace('internal', 'public') });
    expect(codeOf(await openedBy(to, message))).toBe('PROTECTION_RELEASE_BROKEN');
    expect(codeOf(await openedBy(to, message))).toBe('opened');
  });

  it('a key that the node is asked for too often is asked for again, less and less often', async () => {
    const message = await sealed();
    await atBus(message);
    ground.overRate = 9;
    expect(codeOf(await openedBy(sidecarOf(recipient), message))).toBe('opened');
    expect(ground.pauses).toEqual([50, 100, 200, 400, 800, 1_600, 2_000, 2_000, 2_000]);
  });

  it('a message whose key the node does not release before it is over stays closed', async () => {
    const message = await sealed();
    await atBus(message);
    const from = ground.nowMs;
    ground.overRate = Number.POSITIVE_INFINITY;
    expect(codeOf(await openedBy(sidecarOf(recipient), message))).toBe('PROTECTION_RELEASE_LATE');
    expect(ground.nowMs - from).toBe(message.body.expiresAt - from);
    expect(ground.answers).toEqual([]);
    const over = ground.pauses.length;
    expect(codeOf(await openedBy(sidecarOf(recipient), message))).toBe('PROTECTION_RELEASE_LATE');
    expect(ground.pauses).toHaveLength(over);
  });

  it('a node that is away while a key is asked for again has decided nothing', async () => {
    const message = await sealed();
    await atBus(message);
    ground.overRate = 2;
    ground.alter = () => null;
    expect(codeOf(await openedBy(sidecarOf(recipient), message))).toBe('PROTECTION_UNAVAILABLE');
    expect(ground.pauses).toEqual([50, 100]);
  });

  it('a refusal that comes after a rate was kept is final', async () => {
    const message = await sealed();
    await atBus(message);
    ground.overRate = 1;
    ground.refusal = 'IDENTITY_REVOKED';
    expect(codeOf(await openedBy(sidecarOf(recipient), message))).toBe('IDENTITY_REVOKED');
  });

  it('a key that was released ahead is void once the policy changed, like any', async () => {
    const to = sidecarOf(recipient);
    const message = await sealed();
    const turned = await openedBy(ground.bus, message);
    if (!turned.ok || turned.newKey === undefined) throw new Error('nothing is new');
    ground.ahead.get(recipient.peer.name)?.(turned.newKey);
    await until('a release', async () => (ground.answers.length > 0 ? true : null));
    await settled();
    to.forget();
    ground.refusal = 'IDENTITY_REVOKED';
    expect(codeOf(await openedBy(to, message))).toBe('IDENTITY_REVOKED');
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
