// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sampleMesh } from '../../test/mesh-files/sample.ts';
import { FakeSidecar, partyOf, startMs, type Party } from '../../test/sidecar-fixture/sidecar.ts';
import { SqliteDataKeyStore } from '../adapters/data-key-store-sqlite.ts';
import { hpkeKeyAgreement } from '../adapters/key-agreement-hpke.ts';
import { openKeyFileKms } from '../adapters/kms-encrypted-file.ts';
import { systemRandom } from '../adapters/random-system.ts';
import { BatchedDatabase } from '../adapters/sqlite-batch.ts';
import type { Kms } from '../identity/credential.ts';
import type { Domain } from '../mesh/mesh.ts';
import type { EnvelopeBody } from '../message/envelope.ts';
import type { JsonValue } from '../message/json.ts';
import { EnforcementKeys } from './enforcement-keys.ts';
import { HeldKeys, type KeyPort } from './held-keys.ts';
import type { NewKey, Opened, Protection } from './protection.ts';
import { verifyReleaseRequest, type Release } from './release.ts';

export const { limits } = sampleMesh();
export const secret = 'the diagnosis of patient 4711';
export const domain: Domain = {
  name: 'billing', tier: 'RETRIEVAL', allowedRoles: ['RETRIEVER', 'EXECUTOR'], metadataMasking: true,
  auditLevel: 'FULL_MESH', maxTokenAgeMs: 600_000, attestationRequired: false, classification: 'internal',
};
export const sender = partyOf('triage');
export const recipient = partyOf('payments');
const bodies = new FakeSidecar('payments');

/** What tests change while it runs; made anew by `begin`. */
type Ground = {
  nowMs: number;
  folder: string;
  kms: Kms;
  database: BatchedDatabase;
  bus: EnforcementKeys;
  /** What the bus reported. */
  reported: unknown[];
  /** What stands against every release. */
  refusal: string | null;
  answers: Release[];
  /** Where the sidecar of an agent hears of a key that is new, the newest sidecar of each. */
  ahead: Map<string, (key: NewKey) => void>;
  /** Between the bus and the sidecar that asked. */
  alter: (release: Release) => Release | { readonly code: string } | null;
  /** Asks that the bus refuses to answer now, as it does over its rate. */
  overRate: number;
  /** What sidecars waited between two asks; each moves the clock. */
  pauses: number[];
};

export let ground: Ground;

/** Begins a test; what it gives ends it. */
export async function begin(): Promise<() => void> {
  const folder = mkdtempSync(join(tmpdir(), 'maso-keys-'));
  const kms = await openKeyFileKms(join(folder, 'kms', 'kms.key'), systemRandom);
  const database = new BatchedDatabase(join(folder, 'node.sqlite'));
  ground = {
    nowMs: startMs, folder, kms, database, bus: busOn(database, kms), reported: [], refusal: null,
    answers: [], ahead: new Map(), alter: (release) => release,
    overRate: 0, pauses: [],
  };
  return () => {
    database.close();
    rmSync(folder, { recursive: true });
  };
}

export function busOn(store: BatchedDatabase, using: Kms): EnforcementKeys {
  return new EnforcementKeys({
    agreement: hpkeKeyAgreement,
    kms: using,
    store: new SqliteDataKeyStore(store),
    clock: { nowMs: () => ground.nowMs },
    limits: () => limits,
    report: (failure) => void ground.reported.push(failure),
  });
}

/** The sidecar of one party; what it asks goes to whatever bus is there at the moment. */
export function sidecarOf(party: Party, isAsked = (): void => undefined): HeldKeys {
  const port: KeyPort = {
    onAhead: (listener) => void ground.ahead.set(party.peer.name, listener),
    busKey: () => ground.bus.publicKey(),
    async release(signed) {
      isAsked();
      const request = verifyReleaseRequest(signed, party.peer);
      if (request === null) return { code: 'PROTECTION_RELEASE_FORGED' };
      if (ground.overRate > 0) {
        ground.overRate -= 1;
        return { code: 'BUS_RATE_LIMITED' };
      }
      const released = await ground.bus.release(request, (bound) =>
        bound.to === party.peer.name ? ground.refusal : 'PROTECTION_RELEASE_DENIED');
      if (!released.ok) return { code: released.code };
      ground.answers.push(released.release);
      return ground.alter(released.release);
    },
  };
  const now = () => ({ wallMs: ground.nowMs, monotonicMs: ground.nowMs });
  const pause = async (ms: number): Promise<void> => {
    ground.pauses.push(ms);
    ground.nowMs += ms;
  };
  const credential = () => party.credential;
  return new HeldKeys(
    { agreement: hpkeKeyAgreement, random: systemRandom, port, credential, now, pause }, () => limits,
  );
}

export const clear = (change: Partial<EnvelopeBody> = {}): EnvelopeBody =>
  bodies.bodyFrom(sender, { payload: { text: secret }, ...change });
export const codeOf = (opened: Opened): string => (opened.ok ? 'opened' : opened.code);

/** A message as it travels. */
export type Travelling = { readonly body: EnvelopeBody; readonly item: string };

export async function sealed(change: Partial<EnvelopeBody> = {}, by = sidecarOf(sender)): Promise<Travelling> {
  const done = await by.seal(clear(change), domain);
  if (!done.ok || done.item === null) throw new Error(done.ok ? 'nothing was sealed' : done.code);
  return { body: done.body, item: done.item };
}

/** Opened at the bus and durable there, as an admitted message is. */
export async function atBus(message: Travelling, by = ground.bus): Promise<Opened> {
  const opened = await openedBy(by, message);
  if (opened.ok) await opened.kept;
  return opened;
}

/** As a node or a sidecar reads it. */
export async function openedBy(
  by: Protection,
  { body, item }: { readonly body: EnvelopeBody; readonly item: string | null },
  where = domain,
): Promise<Opened> {
  return by.open(body, item, where);
}

/** Every way to change one byte of what is sealed, and of what belongs to it in the body. */
export function* changedOnce({ body, item }: Travelling): Generator<readonly [string, Travelling]> {
  const payload = body.payload as { readonly [member: string]: JsonValue };
  const inBus = payload['bus'] as { readonly [member: string]: JsonValue };
  const flip = (text: string, at: number): string =>
    text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1);
  for (let at = 0; at < item.length; at += 7) yield [`item ${at}`, { body, item: flip(item, at) }];
  const nonce = String(payload['nonce']);
  for (let at = 0; at < nonce.length; at += 7) {
    yield [`nonce ${at}`, { item, body: { ...body, payload: { ...payload, nonce: flip(nonce, at) } } }];
  }
  for (const member of ['enc', 'wrapped'] as const) {
    const text = String(inBus[member]);
    for (let at = 0; at < text.length; at += 7) {
      const changed = { ...payload, bus: { ...inBus, [member]: flip(text, at) } };
      yield [`bus ${member} ${at}`, { item, body: { ...body, payload: changed } }];
    }
  }
}

