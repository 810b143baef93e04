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
  atBus, begin, busOn, changedOnce, clear, codeOf, domain, ground, recipient, sealed, secret, sender,
  sidecarOf,
} from './retrieval-fixture.ts';

beforeEach(begin);

describe('a sealed payload', () => {
  it('goes from sidecar to sidecar, is opened at the bus, and holds nothing in clear', async () => {
    const body = await sealed();
    expect(JSON.stringify(body)).not.toContain('diagnosis');
    expect(await atBus(body)).toMatchObject({ ok: true, body: { payload: { text: secret } } });
    const opened = await sidecarOf(recipient).open(body);
    expect(opened).toMatchObject({ ok: true, body: { payload: { text: secret } } });
  });

  it('is refused at the bus with one byte changed, wherever', async () => {
    const body = await sealed();
    for (const [what, changed] of changedOnce(body)) {
      // A bus that has not seen the key: it has to open key and payload.
      expect([what, codeOf(await busOn(new BatchedDatabase(':memory:'), ground.kms).open(changed, domain))])
        .toEqual([what, 'PROTECTION_KEY_ROTATED']);
      expect([what, codeOf(await ground.bus.open(changed, domain))]).toEqual([what, 'PROTECTION_SEAL_BROKEN']);
    }
    expect(codeOf(await ground.bus.open(body, domain))).toBe('opened');
  });

  it('is refused at the recipient with one byte changed', async () => {
    const body = await sealed();
    await atBus(body);
    const to = sidecarOf(recipient);
    for (const [what, changed] of changedOnce(body)) {
      // What is sealed to the bus is nothing to the recipient.
      const code = what.startsWith('bus') ? 'opened' : 'PROTECTION_SEAL_BROKEN';
      expect([what, codeOf(await to.open(changed))]).toEqual([what, code]);
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
    const body = await sealed();
    await atBus(body);
    const to = sidecarOf(recipient);
    await to.open(body);
    const swapped = { ...body, ...change };
    expect(codeOf(await ground.bus.open(swapped, domain))).toBe(code);
    expect(codeOf(await to.open(swapped))).toBe(code);
  });

  it('of other roles than the policy in force is refused', async () => {
    const body = await sealed();
    const narrowed: Domain = { ...domain, allowedRoles: ['RETRIEVER'] };
    expect(codeOf(await ground.bus.open(body, narrowed))).toBe('PROTECTION_KEY_FOREIGN');
  });

  it.each<[string, JsonValue]>([
    ['in clear', { text: secret }], ['empty', null], ['a list', []], ['cut', { sealed: 'retrieval/2' }],
  ])('%s is refused at both ends', async (_, payload) => {
    expect(codeOf(await ground.bus.open(clear({ payload }), domain))).toBe('PROTECTION_SEAL_MISSING');
    expect(codeOf(await sidecarOf(recipient).open(clear({ payload })))).toBe('PROTECTION_SEAL_MISSING');
  });

  it.each<[string, (text: string) => string]>([
    ['padded', (text) => `${text}=`],
    ['in the other alphabet', (text) => text.replaceAll('-', '+').replaceAll('_', '/')],
    ['with a space', (text) => ` ${text}`],
    ['empty', () => ''],
  ])('with its ciphertext written otherwise (%s) is refused at both ends', async (_, otherwise) => {
    const body = await sealed({ payload: { text: secret.repeat(20) } });
    await atBus(body);
    const payload = body.payload as { readonly ciphertext: string };
    const changed = { ...body, payload: { ...payload, ciphertext: otherwise(payload.ciphertext) } };
    expect(codeOf(await ground.bus.open(changed, domain))).toBe('PROTECTION_SEAL_BROKEN');
    expect(codeOf(await sidecarOf(recipient).open(changed))).toBe('PROTECTION_SEAL_BROKEN');
  });

  it('says nothing of its length but the class', async () => {
    const from = sidecarOf(sender);
    const lengthOf = async (text: string): Promise<number> => {
      const { payload } = await sealed({ payload: { text } }, from);
      return (payload as { readonly ciphertext: string }).ciphertext.length;
    };
    expect(await lengthOf('yes')).toBe(await lengthOf('no, and for a reason that takes some words'));
    expect(await lengthOf('x'.repeat(5000))).toBe(await lengthOf('x'.repeat(5040)));
    expect(await lengthOf('yes')).toBeLessThan(await lengthOf('x'.repeat(5000)));
  });

  it('with a member too many is refused', async () => {
    const body = await sealed();
    const payload = { ...(body.payload as object), more: 1 };
    expect(codeOf(await ground.bus.open({ ...body, payload }, domain))).toBe('PROTECTION_SEAL_MISSING');
  });

  it('uses one data key a lease and pair of ends, and another afterwards', async () => {
    const from = sidecarOf(sender);
    const keyOf = ({ payload }: EnvelopeBody): unknown => (payload as { key?: unknown }).key;
    const first = await sealed({}, from);
    expect(keyOf(await sealed({}, from))).toBe(keyOf(first));
    expect(keyOf(await sealed({ to: 'desk' }, from))).not.toBe(keyOf(first));
    ground.nowMs += leaseMsDefault;
    expect(keyOf(await sealed({}, from))).not.toBe(keyOf(first));
  });
});

describe('a release', () => {
  it('is refused to whom the policy refuses, and to everybody but the recipient', async () => {
    const body = await sealed();
    await atBus(body);
    ground.refusal = 'IDENTITY_REVOKED';
    expect(codeOf(await sidecarOf(recipient).open(body))).toBe('IDENTITY_REVOKED');
    ground.refusal = null;
    expect(codeOf(await sidecarOf(partyOf('desk')).open(body))).toBe('PROTECTION_RELEASE_DENIED');
    expect(codeOf(await sidecarOf(recipient).open(body))).toBe('opened');
  });

  it('is decided again after the key was unwrapped', async () => {
    const body = await sealed();
    await atBus(body);
    ground.nowMs += leaseMsDefault;
    let looks = 0;
    const request = {
      key: (body.payload as { key: string }).key, instance: recipient.peer.spiffeId,
      publicKey: await ground.bus.publicKey(), nonce: 'n', at: ground.nowMs,
    };
    const released = await ground.bus.release(request, () => (++looks > 1 ? 'PACE_STOPPED' : null));
    expect(released).toEqual({ ok: false, code: 'PACE_STOPPED' });
  });

  it('of a key that nobody saw is refused', async () => {
    expect(codeOf(await sidecarOf(recipient).open(await sealed()))).toBe('PROTECTION_KEY_UNKNOWN');
  });

  it('lasts one lease and no longer, by either clock, and ends when it is forgotten', async () => {
    const body = await sealed();
    await atBus(body);
    let asked = 0;
    const to = sidecarOf(recipient, () => void (asked += 1));
    await to.open(body);
    ground.nowMs += leaseMsDefault - 1;
    await to.open(body);
    expect(asked).toBe(1);
    ground.nowMs += 1;
    ground.refusal = 'BUS_ROLE_DENIED';
    expect(codeOf(await to.open(body))).toBe('BUS_ROLE_DENIED');
    ground.refusal = null;
    await to.open(body);
    to.forget();
    ground.refusal = 'IDENTITY_REVOKED';
    expect(codeOf(await to.open(body))).toBe('IDENTITY_REVOKED');
  });

  it('that answered another request is refused, and so is one made to look like it', async () => {
    const body = await sealed();
    await atBus(body);
    await sidecarOf(recipient).open(body);
    const [old] = ground.answers;
    if (old === undefined) throw new Error('nothing was released');
    ground.alter = () => old;
    expect(codeOf(await sidecarOf(recipient).open(body))).toBe('PROTECTION_RELEASE_REPLAYED');
    ground.alter = ({ nonce }) => ({ ...old, nonce });
    expect(codeOf(await sidecarOf(recipient).open(body))).toBe('PROTECTION_RELEASE_BROKEN');
  });

  it('with one byte changed, or a longer lease written on it, is refused', async () => {
    const body = await sealed();
    await atBus(body);
    ground.alter = (release) => ({ ...release, durationMs: release.durationMs + 1 });
    expect(codeOf(await sidecarOf(recipient).open(body))).toBe('PROTECTION_RELEASE_BROKEN');
    for (const member of ['enc', 'wrapped'] as const) {
      ground.alter = (release) => {
        const bytes = Buffer.from(release.sealed[member], 'base64url');
        bytes.writeUInt8(bytes.readUInt8(3) ^ 1, 3);
        return { ...release, sealed: { ...release.sealed, [member]: bytes.toString('base64url') } };
      };
      expect(codeOf(await sidecarOf(recipient).open(body))).toBe('PROTECTION_RELEASE_BROKEN');
    }
  });

  it('that comes after its lease is refused', async () => {
    const body = await sealed();
    await atBus(body);
    ground.alter = (release) => {
      ground.nowMs += leaseMsDefault;
      return release;
    };
    expect(codeOf(await sidecarOf(recipient).open(body))).toBe('PROTECTION_RELEASE_EXPIRED');
  });

  it('is not kept when it was forgotten on its way: it is asked whether it still may', async () => {
    const body = await sealed();
    await atBus(body);
    const to = sidecarOf(recipient);
    ground.alter = (release) => {
      ground.refusal = 'BUS_ROLE_DENIED';
      to.forget();
      return release;
    };
    expect(codeOf(await to.open(body))).toBe('BUS_ROLE_DENIED');
  });

  it('is asked for with a signature of the very identity', async () => {
    const body = await sealed();
    await atBus(body);
    const thief = { ...recipient, credential: { ...sender.credential, spiffeId: recipient.peer.spiffeId } };
    expect(codeOf(await sidecarOf(thief).open(body))).toBe('PROTECTION_RELEASE_FORGED');
  });
});
