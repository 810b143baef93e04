// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { sampleMesh } from '../../test/mesh-files/sample.ts';
import { FakeSidecar, partyOf, startMs, type Party } from '../../test/sidecar-fixture/sidecar.ts';
import { SqliteDataKeyStore } from '../adapters/data-key-store-sqlite.ts';
import { hpkeKeyAgreement } from '../adapters/key-agreement-hpke.ts';
import { openKeyFileKms } from '../adapters/kms-encrypted-file.ts';
import { successiveKms } from '../adapters/kms-successive.ts';
import { systemRandom } from '../adapters/random-system.ts';
import { BatchedDatabase } from '../adapters/sqlite-batch.ts';
import type { Kms } from '../identity/credential.ts';
import { leaseMsDefault } from '../identity/lease.ts';
import type { Domain } from '../mesh/mesh.ts';
import type { EnvelopeBody } from '../message/envelope.ts';
import type { JsonValue } from '../message/json.ts';
import { EnforcementKeys } from './enforcement-keys.ts';
import { HeldKeys, type KeyPort } from './held-keys.ts';
import type { Turned } from './protection.ts';
import { verifyReleaseRequest, type Release } from './release.ts';

const { limits } = sampleMesh();
const secret = 'the diagnosis of patient 4711';
const domain: Domain = {
  name: 'billing', tier: 'RETRIEVAL', allowedRoles: ['RETRIEVER', 'EXECUTOR'], metadataMasking: true,
  auditLevel: 'FULL_MESH', maxTokenAgeMs: 600_000, attestationRequired: false, classification: 'internal',
};
const sender = partyOf('triage');
const recipient = partyOf('payments');
const bodies = new FakeSidecar('payments');

let nowMs: number;
let folder: string;
let kms: Kms;
let database: BatchedDatabase;
let bus: EnforcementKeys;
let reported: unknown[];
let refusal: string | null;
let answers: Release[];
let alter: (release: Release) => Release | { readonly code: string } | null;

function busOn(store: BatchedDatabase, using: Kms): EnforcementKeys {
  return new EnforcementKeys({
    agreement: hpkeKeyAgreement,
    kms: using,
    store: new SqliteDataKeyStore(store),
    clock: { nowMs: () => nowMs },
    limits: () => limits,
    report: (failure) => void reported.push(failure),
  });
}

/** The sidecar of one party; what it asks goes to whatever bus is there at the moment. */
function sidecarOf(party: Party, isAsked = (): void => undefined): HeldKeys {
  const port: KeyPort = {
    busKey: () => bus.publicKey(),
    async release(signed) {
      isAsked();
      const request = verifyReleaseRequest(signed, party.peer);
      if (request === null) return { code: 'PROTECTION_RELEASE_FORGED' };
      const released = await bus.release(request, (bound) =>
        bound.to === party.peer.name ? refusal : 'PROTECTION_RELEASE_DENIED');
      if (!released.ok) return { code: released.code };
      answers.push(released.release);
      return alter(released.release);
    },
  };
  const now = () => ({ wallMs: nowMs, monotonicMs: nowMs });
  const credential = () => party.credential;
  return new HeldKeys(
    { agreement: hpkeKeyAgreement, random: systemRandom, port, credential, now }, () => limits,
  );
}

beforeEach(async () => {
  nowMs = startMs;
  reported = [];
  refusal = null;
  answers = [];
  alter = (release) => release;
  folder = mkdtempSync(join(tmpdir(), 'maso-keys-'));
  kms = await openKeyFileKms(join(folder, 'kms', 'kms.key'), systemRandom);
  database = new BatchedDatabase(join(folder, 'node.sqlite'));
  bus = busOn(database, kms);
  return () => {
    database.close();
    rmSync(folder, { recursive: true });
  };
});

const clear = (change: Partial<EnvelopeBody> = {}): EnvelopeBody =>
  bodies.bodyFrom(sender, { payload: { text: secret }, ...change });
const codeOf = (turned: Turned): string => (turned.ok ? 'opened' : turned.code);

async function sealed(change: Partial<EnvelopeBody> = {}, by = sidecarOf(sender)): Promise<EnvelopeBody> {
  const turned = await by.seal(clear(change), domain);
  if (!turned.ok) throw new Error(turned.code);
  return turned.body;
}

/** Opened at the bus and durable there, as an admitted message is. */
async function atBus(body: EnvelopeBody, by = bus): Promise<Turned> {
  const turned = await by.open(body, domain);
  if (turned.ok) await turned.kept;
  return turned;
}

/** Every way to change one byte of the base64url members of a sealed payload. */
function* changedOnce(body: EnvelopeBody): Generator<readonly [string, EnvelopeBody]> {
  const payload = body.payload as { readonly [member: string]: JsonValue };
  const inBus = payload['bus'] as { readonly [member: string]: JsonValue };
  const flip = (text: string, at: number): string =>
    text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1);
  for (const member of ['ciphertext', 'nonce'] as const) {
    const text = String(payload[member]);
    for (let at = 0; at < text.length; at += 7) {
      yield [`${member} ${at}`, { ...body, payload: { ...payload, [member]: flip(text, at) } }];
    }
  }
  for (const member of ['enc', 'wrapped'] as const) {
    const text = String(inBus[member]);
    for (let at = 0; at < text.length; at += 7) {
      const changed = { ...payload, bus: { ...inBus, [member]: flip(text, at) } };
      yield [`bus ${member} ${at}`, { ...body, payload: changed }];
    }
  }
}

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
      expect([what, codeOf(await busOn(new BatchedDatabase(':memory:'), kms).open(changed, domain))])
        .toEqual([what, 'PROTECTION_KEY_ROTATED']);
      expect([what, codeOf(await bus.open(changed, domain))]).toEqual([what, 'PROTECTION_SEAL_BROKEN']);
    }
    expect(codeOf(await bus.open(body, domain))).toBe('opened');
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
    expect(codeOf(await bus.open(swapped, domain))).toBe(code);
    expect(codeOf(await to.open(swapped))).toBe(code);
  });

  it('of other roles than the policy in force is refused', async () => {
    const body = await sealed();
    const narrowed: Domain = { ...domain, allowedRoles: ['RETRIEVER'] };
    expect(codeOf(await bus.open(body, narrowed))).toBe('PROTECTION_KEY_FOREIGN');
  });

  it.each<[string, JsonValue]>([
    ['in clear', { text: secret }], ['empty', null], ['a list', []], ['cut', { sealed: 'retrieval/2' }],
  ])('%s is refused at both ends', async (_, payload) => {
    expect(codeOf(await bus.open(clear({ payload }), domain))).toBe('PROTECTION_SEAL_MISSING');
    expect(codeOf(await sidecarOf(recipient).open(clear({ payload })))).toBe('PROTECTION_SEAL_MISSING');
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
    expect(codeOf(await bus.open({ ...body, payload }, domain))).toBe('PROTECTION_SEAL_MISSING');
  });

  it('uses one data key a lease and pair of ends, and another afterwards', async () => {
    const from = sidecarOf(sender);
    const keyOf = ({ payload }: EnvelopeBody): unknown => (payload as { key?: unknown }).key;
    const first = await sealed({}, from);
    expect(keyOf(await sealed({}, from))).toBe(keyOf(first));
    expect(keyOf(await sealed({ to: 'desk' }, from))).not.toBe(keyOf(first));
    nowMs += leaseMsDefault;
    expect(keyOf(await sealed({}, from))).not.toBe(keyOf(first));
  });
});

describe('a release', () => {
  it('is refused to whom the policy refuses, and to everybody but the recipient', async () => {
    const body = await sealed();
    await atBus(body);
    refusal = 'IDENTITY_REVOKED';
    expect(codeOf(await sidecarOf(recipient).open(body))).toBe('IDENTITY_REVOKED');
    refusal = null;
    expect(codeOf(await sidecarOf(partyOf('desk')).open(body))).toBe('PROTECTION_RELEASE_DENIED');
    expect(codeOf(await sidecarOf(recipient).open(body))).toBe('opened');
  });

  it('is decided again after the key was unwrapped', async () => {
    const body = await sealed();
    await atBus(body);
    nowMs += leaseMsDefault;
    let looks = 0;
    const request = {
      key: (body.payload as { key: string }).key, instance: recipient.peer.spiffeId,
      publicKey: await bus.publicKey(), nonce: 'n', at: nowMs,
    };
    const released = await bus.release(request, () => (++looks > 1 ? 'PACE_STOPPED' : null));
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
    nowMs += leaseMsDefault - 1;
    await to.open(body);
    expect(asked).toBe(1);
    nowMs += 1;
    refusal = 'BUS_ROLE_DENIED';
    expect(codeOf(await to.open(body))).toBe('BUS_ROLE_DENIED');
    refusal = null;
    await to.open(body);
    to.forget();
    refusal = 'IDENTITY_REVOKED';
    expect(codeOf(await to.open(body))).toBe('IDENTITY_REVOKED');
  });

  it('that answered another request is refused, and so is one made to look like it', async () => {
    const body = await sealed();
    await atBus(body);
    await sidecarOf(recipient).open(body);
    const [old] = answers;
    if (old === undefined) throw new Error('nothing was released');
    alter = () => old;
    expect(codeOf(await sidecarOf(recipient).open(body))).toBe('PROTECTION_RELEASE_REPLAYED');
    alter = ({ nonce }) => ({ ...old, nonce });
    expect(codeOf(await sidecarOf(recipient).open(body))).toBe('PROTECTION_RELEASE_BROKEN');
  });

  it('with one byte changed, or a longer lease written on it, is refused', async () => {
    const body = await sealed();
    await atBus(body);
    alter = (release) => ({ ...release, durationMs: release.durationMs + 1 });
    expect(codeOf(await sidecarOf(recipient).open(body))).toBe('PROTECTION_RELEASE_BROKEN');
    for (const member of ['enc', 'wrapped'] as const) {
      alter = (release) => {
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
    alter = (release) => {
      nowMs += leaseMsDefault;
      return release;
    };
    expect(codeOf(await sidecarOf(recipient).open(body))).toBe('PROTECTION_RELEASE_EXPIRED');
  });

  it('is not kept when it was forgotten on its way: it is asked whether it still may', async () => {
    const body = await sealed();
    await atBus(body);
    const to = sidecarOf(recipient);
    alter = (release) => {
      refusal = 'BUS_ROLE_DENIED';
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

describe('keys that change', () => {
  it('a node that started anew has another key; what it kept it still releases', async () => {
    const body = await sealed();
    await atBus(body);
    const unseen = await sealed({ to: 'desk' });
    bus = busOn(database, kms);
    expect(codeOf(await sidecarOf(recipient).open(body))).toBe('opened');
    expect(codeOf(await bus.open(body, domain))).toBe('opened');
    expect(codeOf(await bus.open(unseen, domain))).toBe('PROTECTION_KEY_ROTATED');
  });

  it('wrapped again by another KMS, they open with that one alone, and messages go on', async () => {
    const body = await sealed();
    await atBus(body);
    const next = await openKeyFileKms(join(folder, 'kms', 'next.key'), systemRandom);
    expect(await busOn(database, successiveKms(next, [kms])).rewrapAll()).toBe(1);
    bus = busOn(database, next);
    expect(codeOf(await sidecarOf(recipient).open(body))).toBe('opened');
    bus = busOn(database, kms);
    expect(codeOf(await sidecarOf(recipient).open(body))).toBe('PROTECTION_KEY_LOST');
  });

  it('another KMS key opens nothing that was wrapped before', async () => {
    const body = await sealed();
    await atBus(body);
    bus = busOn(database, await openKeyFileKms(join(folder, 'kms', 'other.key'), systemRandom));
    expect(codeOf(await sidecarOf(recipient).open(body))).toBe('PROTECTION_KEY_LOST');
    expect(codeOf(await bus.open(body, domain))).toBe('PROTECTION_KEY_LOST');
    expect(reported).not.toHaveLength(0);
  });

  it('a new key is durable before its message counts, whoever else comes with it meanwhile', async () => {
    const from = sidecarOf(sender);
    const [first, second] = [await sealed({}, from), await sealed({ id: '1'.repeat(26) }, from)];
    const disk = Promise.withResolvers<void>();
    const write = database.write.bind(database);
    database.write = (work) => disk.promise.then(() => write(work));
    const turned = await bus.open(first, domain);
    const beside = await bus.open(second, domain);
    if (!turned.ok || !beside.ok) throw new Error('refused');
    expect(codeOf(await sidecarOf(recipient).open(first))).toBe('PROTECTION_KEY_UNKNOWN');
    expect(beside.kept).toBe(turned.kept);
    disk.resolve();
    await turned.kept;
    expect(codeOf(await sidecarOf(recipient).open(first))).toBe('opened');
    expect(await bus.open(second, domain)).not.toHaveProperty('kept');
  });

  it('a key that the disk did not take is learned and written again', async () => {
    const body = await sealed();
    let fails = true;
    const write = database.write.bind(database);
    database.write = (work) => (fails ? Promise.reject(new Error('full')) : write(work));
    const turned = await bus.open(body, domain);
    if (!turned.ok) throw new Error(turned.code);
    await expect(turned.kept).rejects.toThrow();
    expect(reported).toHaveLength(1);
    fails = false;
    await atBus(body);
    bus = busOn(database, kms);
    expect(codeOf(await sidecarOf(recipient).open(body))).toBe('opened');
  });

  it('a KMS that fails refuses, and keeps nothing', async () => {
    const down: Kms = { wrap: () => Promise.reject(new Error('down')), unwrap: kms.unwrap };
    bus = busOn(database, down);
    const body = await sealed();
    expect(codeOf(await bus.open(body, domain))).toBe('PROTECTION_UNAVAILABLE');
    expect(codeOf(await sidecarOf(recipient).open(body))).toBe('PROTECTION_KEY_UNKNOWN');
  });

  it('keys of messages that are over are dropped', async () => {
    const body = await sealed();
    await atBus(body);
    await bus.prune(nowMs + limits.messageLifetimeMs + leaseMsDefault + 2 * limits.clockSkewMs + 1);
    database.flush();
    expect(codeOf(await sidecarOf(recipient).open(body))).toBe('PROTECTION_KEY_UNKNOWN');
  });

  it('a stolen disk without the KMS key holds neither payload nor data key', async () => {
    let dataKey = Buffer.alloc(0);
    const spied: Kms = {
      wrap: (plain, context) => {
        dataKey = Buffer.from(plain);
        return kms.wrap(plain, context);
      },
      unwrap: (wrapped, context) => kms.unwrap(wrapped, context),
    };
    bus = busOn(database, spied);
    await atBus(await sealed());
    database.flush();
    expect(dataKey).toHaveLength(32);
    const files = readdirSync(folder).filter((name) => name.startsWith('node.sqlite'));
    expect(files.length).toBeGreaterThan(0);
    for (const file of files) {
      const bytes = readFileSync(join(folder, file));
      expect(bytes.includes(dataKey)).toBe(false);
      expect(bytes.includes(dataKey.toString('base64url'))).toBe(false);
      expect(bytes.includes('diagnosis')).toBe(false);
    }
  });
});
