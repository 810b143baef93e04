// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import { beforeEach, describe, expect, it } from 'vitest';
import { partyOf } from '../../test/sidecar-fixture/sidecar.ts';
import { BatchedDatabase } from '../adapters/sqlite-batch.ts';
import { leaseMsDefault } from '../identity/lease.ts';
import type { Domain } from '../mesh/mesh.ts';
import type { EnvelopeBody } from '../message/envelope.ts';
import type { JsonValue } from '../message/json.ts';
import {
  atBus, begin, busOn, changedOnce, clear, codeOf, domain, ground, openedBy, recipient, sealed, secret, sender,
  sidecarOf, type Travelling,
} from './retrieval-fixture.ts';

beforeEach(begin);

describe('a sealed payload', () => {
  it('goes from sidecar to sidecar, is opened at the bus, and holds nothing in clear', async () => {
    const message = await sealed();
    expect(Buffer.from(message.item, 'base64url').toString('latin1') + JSON.stringify(message.body))
      .not.toContain('diagnosis');
    expect(await atBus(message)).toMatchObject({ ok: true, body: { payload: { text: secret } } });
    const opened = await openedBy(sidecarOf(recipient), message);
    expect(opened).toMatchObject({ ok: true, body: { payload: { text: secret } } });
  });

  it('is refused at the bus with one byte changed, wherever', async () => {
    const message = await sealed();
    for (const [what, changed] of changedOnce(message)) {
      // A bus that has not seen the key: it has to open key and payload.
      expect([what, codeOf(await openedBy(busOn(new BatchedDatabase(':memory:'), ground.kms), changed))])
        .toEqual([what, 'PROTECTION_KEY_ROTATED']);
      expect([what, codeOf(await openedBy(ground.bus, changed))]).toEqual([what, 'PROTECTION_SEAL_BROKEN']);
    }
    expect(codeOf(await openedBy(ground.bus, message))).toBe('opened');
  });

  it('is refused at the recipient with one byte changed', async () => {
    const message = await sealed();
    await atBus(message);
    const to = sidecarOf(recipient);
    for (const [what, changed] of changedOnce(message)) {
      // What is sealed to the bus is nothing to the recipient.
      const code = what.startsWith('bus') ? 'opened' : 'PROTECTION_SEAL_BROKEN';
      expect([what, codeOf(await openedBy(to, changed))]).toEqual([what, code]);
    }
  });

  it.each<[string, Partial<EnvelopeBody>, string]>([
    ['another domain', { domain: 'payroll' }, 'PROTECTION_KEY_FOREIGN'],
    ['another recipient', { to: 'desk' }, 'PROTECTION_KEY_FOREIGN'],
    ['another sender', { from: 'desk' }, 'PROTECTION_KEY_FOREIGN'],
    ['another instance', { instance: 'spiffe://example.test/agent/triage/two' }, 'PROTECTION_KEY_FOREIGN'],
    ['a mandate', { mandate: 'e30.e30.e30' }, 'PROTECTION_KEY_FOREIGN'],
    ['a lower classification', { label: { classification: 'public', integrity: 'internal', origins: [] } },
      'PROTECTION_KEY_FOREIGN'],
    ['another task', { task: '0'.repeat(26) }, 'PROTECTION_SEAL_BROKEN'],
    ['another message', { id: '0'.repeat(26) }, 'PROTECTION_SEAL_BROKEN'],
    ['another schema', { schema: 'note/1' }, 'PROTECTION_SEAL_BROKEN'],
  ])('under %s is refused at both ends', async (_, change, code) => {
    const message = await sealed();
    await atBus(message);
    const to = sidecarOf(recipient);
    await openedBy(to, message);
    const swapped = { item: message.item, body: { ...message.body, ...change } };
    expect(codeOf(await openedBy(ground.bus, swapped))).toBe(code);
    expect(codeOf(await openedBy(to, swapped))).toBe(code);
  });

  it('of other roles than the policy in force is refused', async () => {
    const message = await sealed();
    const narrowed: Domain = { ...domain, allowedRoles: ['RETRIEVER'] };
    expect(codeOf(await openedBy(ground.bus, message, narrowed))).toBe('PROTECTION_KEY_FOREIGN');
  });

  it.each<[string, JsonValue]>([
    ['in clear', { text: secret }], ['empty', null], ['a list', []], ['cut', { sealed: 'retrieval/3' }],
  ])('%s is refused at both ends', async (_, payload) => {
    const { item } = await sealed();
    for (const beside of [null, item]) {
      const message = { body: clear({ payload }), item: beside };
      expect(codeOf(await openedBy(ground.bus, message))).toBe('PROTECTION_SEAL_MISSING');
      expect(codeOf(await openedBy(sidecarOf(recipient), message))).toBe('PROTECTION_SEAL_MISSING');
    }
  });

  it.each<[string, (text: string) => string]>([
    ['padded', (text) => `${text}=`],
    ['in the other alphabet', (text) => text.replaceAll('-', '+').replaceAll('_', '/')],
    ['with a space', (text) => ` ${text}`],
    ['empty', () => ''],
  ])('with its item written otherwise (%s) is refused at both ends', async (_, otherwise) => {
    const message = await sealed({ payload: { text: secret.repeat(20) } });
    await atBus(message);
    const changed = { body: message.body, item: otherwise(message.item) };
    expect(codeOf(await openedBy(ground.bus, changed))).toBe('PROTECTION_SEAL_BROKEN');
    expect(codeOf(await openedBy(sidecarOf(recipient), changed))).toBe('PROTECTION_SEAL_BROKEN');
  });

  it('without its item, or with that of another message, is refused at both ends', async () => {
    const from = sidecarOf(sender);
    const message = await sealed({}, from);
    const other = await sealed({ id: '1'.repeat(26) }, from);
    await atBus(message);
    for (const by of [ground.bus, sidecarOf(recipient)]) {
      expect(codeOf(await openedBy(by, { ...message, item: null }))).toBe('PROTECTION_SEAL_MISSING');
      expect(codeOf(await openedBy(by, { ...message, item: other.item }))).toBe('PROTECTION_SEAL_BROKEN');
    }
  });

  it('says nothing of its length but the class', async () => {
    const from = sidecarOf(sender);
    const lengthOf = async (text: string): Promise<number> =>
      (await sealed({ payload: { text } }, from)).item.length;
    expect(await lengthOf('yes')).toBe(await lengthOf('no, and for a reason that takes some words'));
    expect(await lengthOf('x'.repeat(5000))).toBe(await lengthOf('x'.repeat(5040)));
    expect(await lengthOf('yes')).toBeLessThan(await lengthOf('x'.repeat(5000)));
  });

  it('with a member too many is refused', async () => {
    const message = await sealed();
    const payload = { ...(message.body.payload as object), more: 1 };
    const longer = { item: message.item, body: { ...message.body, payload } };
    expect(codeOf(await openedBy(ground.bus, longer))).toBe('PROTECTION_SEAL_MISSING');
  });

  it('uses one data key a lease and pair of ends, and another afterwards', async () => {
    const from = sidecarOf(sender);
    const keyOf = ({ body }: Travelling): unknown => (body.payload as { key?: unknown }).key;
    const first = await sealed({}, from);
    expect(keyOf(await sealed({}, from))).toBe(keyOf(first));
    expect(keyOf(await sealed({ to: 'desk' }, from))).not.toBe(keyOf(first));
    ground.nowMs += leaseMsDefault;
    expect(keyOf(await sealed({}, from))).not.toBe(keyOf(first));
  });
});

describe('a release', () => {
  it('is refused to whom the policy refuses, and to everybody but the recipient', async () => {
    const message = await sealed();
    await atBus(message);
    ground.refusal = 'IDENTITY_REVOKED';
    expect(codeOf(await openedBy(sidecarOf(recipient), message))).toBe('IDENTITY_REVOKED');
    ground.refusal = null;
    expect(codeOf(await openedBy(sidecarOf(partyOf('desk')), message))).toBe('PROTECTION_RELEASE_DENIED');
    expect(codeOf(await openedBy(sidecarOf(recipient), message))).toBe('opened');
  });

  it('is decided again after the key was unwrapped', async () => {
    const message = await sealed();
    await atBus(message);
    ground.nowMs += leaseMsDefault;
    let looks = 0;
    const request = {
      key: (message.body.payload as { key: string }).key, instance: recipient.peer.spiffeId,
      publicKey: await ground.bus.publicKey(), nonce: 'n', at: ground.nowMs,
    };
    const released = await ground.bus.release(request, () => (++looks > 1 ? 'PACE_STOPPED' : null));
    expect(released).toEqual({ ok: false, code: 'PACE_STOPPED' });
  });

  it('of a key that nobody saw is refused', async () => {
    expect(codeOf(await openedBy(sidecarOf(recipient), await sealed()))).toBe('PROTECTION_KEY_UNKNOWN');
  });

  it('lasts one lease and no longer, by either clock, and ends when it is forgotten', async () => {
    const message = await sealed();
    await atBus(message);
    let asked = 0;
    const to = sidecarOf(recipient, () => void (asked += 1));
    await openedBy(to, message);
    ground.nowMs += leaseMsDefault - 1;
    await openedBy(to, message);
    expect(asked).toBe(1);
    ground.nowMs += 1;
    ground.refusal = 'BUS_ROLE_DENIED';
    expect(codeOf(await openedBy(to, message))).toBe('BUS_ROLE_DENIED');
    ground.refusal = null;
    await openedBy(to, message);
    to.forget();
    ground.refusal = 'IDENTITY_REVOKED';
    expect(codeOf(await openedBy(to, message))).toBe('IDENTITY_REVOKED');
  });

  it('that answered another request is refused, and so is one made to look like it', async () => {
    const message = await sealed();
    await atBus(message);
    await openedBy(sidecarOf(recipient), message);
    const [old] = ground.answers;
    if (old === undefined) throw new Error('nothing was released');
    ground.alter = () => old;
    expect(codeOf(await openedBy(sidecarOf(recipient), message))).toBe('PROTECTION_RELEASE_REPLAYED');
    ground.alter = ({ nonce }) => ({ ...old, nonce });
    expect(codeOf(await openedBy(sidecarOf(recipient), message))).toBe('PROTECTION_RELEASE_BROKEN');
  });

  it('with one byte changed, or a longer lease written on it, is refused', async () => {
    const message = await sealed();
    await atBus(message);
    ground.alter = (release) => ({ ...release, durationMs: release.durationMs + 1 });
    expect(codeOf(await openedBy(sidecarOf(recipient), message))).toBe('PROTECTION_RELEASE_BROKEN');
    for (const member of ['enc', 'wrapped'] as const) {
      ground.alter = (release) => {
        const bytes = Buffer.from(release.sealed[member], 'base64url');
        bytes.writeUInt8(bytes.readUInt8(3) ^ 1, 3);
        return { ...release, sealed: { ...release.sealed, [member]: bytes.toString('base64url') } };
      };
      expect(codeOf(await openedBy(sidecarOf(recipient), message))).toBe('PROTECTION_RELEASE_BROKEN');
    }
  });

  it('that comes after its lease is refused', async () => {
    const message = await sealed();
    await atBus(message);
    ground.alter = (release) => {
      ground.nowMs += leaseMsDefault;
      return release;
    };
    expect(codeOf(await openedBy(sidecarOf(recipient), message))).toBe('PROTECTION_RELEASE_EXPIRED');
  });

  it('is not kept when it was forgotten on its way: it is asked whether it still may', async () => {
    const message = await sealed();
    await atBus(message);
    const to = sidecarOf(recipient);
    ground.alter = (release) => {
      ground.refusal = 'BUS_ROLE_DENIED';
      to.forget();
      return release;
    };
    expect(codeOf(await openedBy(to, message))).toBe('BUS_ROLE_DENIED');
  });

  it('is asked for with a signature of the very identity', async () => {
    const message = await sealed();
    await atBus(message);
    const thief = { ...recipient, credential: { ...sender.credential, spiffeId: recipient.peer.spiffeId } };
    expect(codeOf(await openedBy(sidecarOf(thief), message))).toBe('PROTECTION_RELEASE_FORGED');
  });
});
