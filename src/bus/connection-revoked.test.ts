// SPDX-License-Identifier: Apache-2.0
import { InOrder } from './in-order.ts';
import { beforeEach, describe, expect, test } from 'vitest';
import { sampleMesh } from '../../test/mesh-files/sample.ts';
import { FakeRecorder, partyOf, startMs } from '../../test/sidecar-fixture/sidecar.ts';
import { grantOf, nonce, plainLeases, primaryBusPace } from '../../test/sidecar-fixture/lease.ts';
import { standingPolicy } from '../../test/sidecar-fixture/policy.ts';
import { RevocationList, type RevocationTarget } from '../identity/revocation.ts';
import type { NodeFrame, SidecarFrame } from '../wire/frame.ts';
import { admit } from './admit.ts';
import { BusConnection, type BusContext } from './connection.ts';

const mesh = sampleMesh();
const triage = partyOf('triage');
const desk = partyOf('desk');
const hello: SidecarFrame = { kind: 'hello', meshDigest: mesh.digest, policyVersion: 0, isolation: 'uid', runs: ['01K74F0Z00ABCDEFGHJKMNPQRS'], nonce };
let revocations: RevocationList;
let context: BusContext;
let recorder: FakeRecorder;

/** Only what a revoked connection may still touch is there: anything else would throw. */
beforeEach(() => {
  revocations = new RevocationList([], 0, startMs);
  recorder = new FakeRecorder();
  context = {
    mesh,
    policy: standingPolicy(mesh.digest),
    revocations,
    recorder,
    order: new InOrder(),
    clock: { nowMs: () => startMs },
    connected: new Map(),
    backbone: { watch: () => undefined, unwatch: () => undefined },
    pace: primaryBusPace,
    control: { ...plainLeases, boot: 'boot', operators: () => [], lastRun: () => null, noteRun: () => undefined, owedTo: () => [], putAside: () => [], runsAside: () => [] },
  } as unknown as BusContext;
});

function connect(party = triage) {
  const sent: NodeFrame[] = [];
  const dropped: string[] = [];
  const line = {
    send: (frame: NodeFrame) => void sent.push(frame),
    drop: (code: string) => void dropped.push(code),
    isAlive: async () => true,
  };
  return { sent, dropped, connection: new BusConnection(party.peer, line, context) };
}

function revoke(target: RevocationTarget): void {
  const version = revocations.version + 1;
  const signed = 'who asked for it';
  const change = { version, id: 'id', op: 'revoke' as const, target, at: startMs, signed };
  revocations.update({ since: version - 1, version, changes: [change] }, () => false);
  for (const connection of context.connected.values()) connection.revocationApplied(change);
}

const byName = { kind: 'agent', value: 'triage' } as const;
const kinds = (frames: readonly NodeFrame[]): readonly string[] => frames.map(({ kind }) => kind);

describe('a connection whose identity is revoked', () => {
  test('between its handshake and its hello is not welcomed', () => {
    const { sent, dropped, connection } = connect();
    revoke(byName);
    connection.receive(hello);
    expect(sent).toEqual([]);
    expect(dropped).toEqual(['IDENTITY_REVOKED']);
    expect(context.connected.size).toBe(0);
  });

  test.each<[string, SidecarFrame]>([
    ['publish', { kind: 'publish', number: 7, policyVersion: 1, envelope: 'e', entry: {} as never, resend: false }],
    ['record', { kind: 'record', number: 7, privileged: true, policyVersion: 1, entries: [] }],
    ['hold', { kind: 'hold', number: 7, hold: {} as never }],
    ['renew', { kind: 'renew', number: 7, csr: '' }],
    ['lease', { kind: 'lease', number: 7, policyVersion: 1, nonce }],
    ['delivered', { kind: 'delivered', number: 7, entries: [] }],
    ['keep', { kind: 'keep', number: 7, read: { call: '', task: '', tool: '', operation: '' }, first: 0, parts: 1, pieces: [] }],
  ])('has its next %s refused, and is ended', (_kind, frame) => {
    const { sent, dropped, connection } = connect();
    connection.receive(hello);
    context.connected.clear();
    revoke(byName);
    sent.length = 0;
    connection.receive(frame);
    expect(sent).toMatchObject([{ number: 7, code: 'IDENTITY_REVOKED' }]);
    expect(dropped).toEqual(['IDENTITY_REVOKED']);
  });

  test('is told, ended at once, and listened to no more; the others are told', () => {
    const one = connect();
    const other = connect(desk);
    for (const { connection } of [one, other]) connection.receive(hello);
    revoke({ kind: 'certificate', value: triage.peer.thumbprint });
    expect(one.dropped).toEqual(['IDENTITY_REVOKED']);
    expect(other.dropped).toEqual([]);
    expect(other.sent.at(-1)).toMatchObject({
      kind: 'revocations', since: 0, version: 1, changes: [{ op: 'revoke', signed: null }],
    });
    expect([...context.connected.keys()]).toEqual(['desk']);
    one.sent.length = 0;
    one.connection.receive({ kind: 'lease', number: 1, policyVersion: 1, nonce });
    expect(one.sent).toEqual([]);
  });

  test('has no message admitted, and what it tried is on record as compromise', async () => {
    revoke(byName);
    const publication = { envelope: 'e', policyVersion: 1, entry: {} as never, resend: false };
    const admission = await admit(triage.peer, publication, context);
    expect(admission).toEqual({ answer: 'refused', code: 'IDENTITY_REVOKED', drop: true });
    expect(recorder.codes('message.refused')).toEqual(['IDENTITY_REVOKED']);
    expect(recorder.codes('indicator.raised')).toEqual(['IDENTITY_REVOKED']);
  });
});

describe('whoever connects', () => {
  test('hears of all revocations, then gets a lease on them, before the welcome', () => {
    for (let index = 0; index < 250; index += 1) {
      revoke({ kind: 'instance', value: `spiffe://example.test/agent/triage/${index}` });
    }
    const { sent, connection } = connect();
    connection.receive(hello);
    expect(kinds(sent)).toEqual(['revocations', 'revocations', 'revocations', 'lease', 'welcome']);
    const copy = new RevocationList([], 0, startMs);
    for (const frame of sent) {
      if (frame.kind === 'revocations') expect(copy.update(frame, () => false)).not.toBeNull();
    }
    expect(copy.version).toBe(250);
    const lease = sent[3]?.kind === 'lease' ? sent[3] : null;
    expect(lease?.number).toBe(0);
    const said = grantOf(lease?.signed ?? '');
    expect(said).toMatchObject({ nonce, revocationVersion: 250, meshDigest: mesh.digest });
  });
});
