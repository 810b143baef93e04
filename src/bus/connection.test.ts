// SPDX-License-Identifier: Apache-2.0
import { noInjectionModel } from '../firewall/injection-model.ts';
import { InOrder } from './in-order.ts';
import { ScanShare } from './crossing.ts';
import { ContagionMonitor, defaultContagionLimits } from '../contagion/monitor.ts';
import { beforeEach, describe, expect, test } from 'vitest';
import { BatchedDatabase } from '../adapters/sqlite-batch.ts';
import { SqliteMessageQueue } from '../adapters/queue-sqlite.ts';
import { systemRandom } from '../adapters/random-system.ts';
import { sampleMesh } from '../../test/mesh-files/sample.ts';
import { FakeRecorder, FakeSidecar, partyOf, settled, startMs } from '../../test/sidecar-fixture/sidecar.ts';
import { scannerFor } from '../../test/sidecar-fixture/scanner.ts';
import { nonce, plainLeases, primaryBusPace } from '../../test/sidecar-fixture/lease.ts';
import { standingPolicy } from '../../test/sidecar-fixture/policy.ts';
import { noAttestor } from '../identity/attestor.ts';
import type { PeerIdentity } from '../identity/credential.ts';
import { RevocationList } from '../identity/revocation.ts';
import type { Hold } from '../oversight/hold.ts';
import { plaintextProtection } from '../protection/protection.ts';
import type { EntryDraft } from '../recorder/entry.ts';
import { TokenBuckets } from '../scanner/rate.ts';
import { createSchemaRegistry } from '../scanner/schema-registry.ts';
import type { NodeFrame } from '../wire/frame.ts';
import { BusConnection, type BusContext } from './connection.ts';
import { LocalBackbone } from './local-backbone.ts';

const mesh = sampleMesh();
const payments = partyOf('payments', startMs + 60_000);
const triage = partyOf('triage', startMs + 60_000);
const outgoing = new FakeSidecar('payments');

let nowMs: number;
let recorder: FakeRecorder;
let queue: SqliteMessageQueue;
let held: Hold[];
let context: BusContext;
let endedSessions: string[];
let refusedLate: string[];
let lastRuns: Map<string, string>;
let forked: string[];
/** Whether lines answer when they are asked. */
let alive: boolean;

beforeEach(() => {
  nowMs = startMs;
  recorder = new FakeRecorder();
  queue = new SqliteMessageQueue(new BatchedDatabase(':memory:'), startMs - 1_000_000, systemRandom);
  held = [];
  [endedSessions, forked, refusedLate] = [[], [], []];
  lastRuns = new Map();
  alive = true;
  context = {
    mesh,
    policy: standingPolicy(mesh.digest),
    clock: { nowMs: () => nowMs },
    pace: primaryBusPace,
    schemas: createSchemaRegistry(mesh.schemas.values()),
    protection: plaintextProtection,
    keys: null,
    keyRates: new TokenBuckets({ perSecond: 1000, burst: 1000 }),
    attestor: noAttestor,
    rates: new TokenBuckets({ perSecond: 1000, burst: 1000 }),
    recordRates: new TokenBuckets({ perSecond: 1, burst: 2 }),
    askRates: new TokenBuckets({ perSecond: 1, burst: 2 }),
    queue,
    recorder,
    order: new InOrder(), scanner: () => scannerFor(mesh), scanShare: new ScanShare(),
    secondReader: { model: noInjectionModel },
    contagion: new ContagionMonitor(defaultContagionLimits, new Uint8Array(32), startMs),
    patientRecorder: recorder,
    revocations: new RevocationList([], 0, startMs),
    keyAhead: () => undefined, noteHandOver: async () => undefined, isRunAside: () => false,
    identityOf: () => null,
    lineageOf: () => null,
    mandates: { refusal: () => null, register: async () => undefined },
    payloads: { keep: () => null, keepRead: () => null },
    backbone: new LocalBackbone(queue),
    connected: new Map(),
    control: {
      ...plainLeases,
      boot: 'boot',
      operators: () => [],
      hold: async (hold) => ({ approval: `of ${held.push(hold)}` }),
      decided: () => null,
      heardOfCalls: () => undefined,
      owedTo: () => [], putAside: () => [], runsAside: () => [], isPutAside: () => false,
      allot: async () => ({ outcome: 'granted', probe: false }),
      settle: async () => undefined,
      endTask: async () => null,
      renew: async () => null,
      chainOf: () => 'chain',
      spawn: async () => ({ code: 'CONTROL_SPAWN_DENIED' }),
      changeWorkflow: async () => ({ code: 'CONTROL_WORKFLOW_DENIED' }),
      endChild: async () => 0,
      refusedLate: (agent, task, message) => void refusedLate.push(`${agent} ${task} ${message}`),
      sessionEnded: (_peer, incarnation) => void endedSessions.push(incarnation),
      lastRun: (spiffeId) => lastRuns.get(spiffeId) ?? null,
      noteRun: (spiffeId, run) => void lastRuns.set(spiffeId, run),
      knowledge: async () => ({ ok: false, code: 'KNOWLEDGE_DENIED' }),
      forked: (peer) => void forked.push(peer.spiffeId),
    },
  };
});

type Connected = { connection: BusConnection; sent: NodeFrame[]; dropped: string[] };

const runs = ['01K74F0Z00ABCDEFGHJKMNPQRS', '01K74F0Z01ABCDEFGHJKMNPQRS', '01K74F0Z02ABCDEFGHJKMNPQRS'];

function connect(peer: PeerIdentity, meshDigest = mesh.digest, ran = runs.slice(0, 1)): Connected {
  const sent: NodeFrame[] = [];
  const dropped: string[] = [];
  const connection = new BusConnection(
    peer,
    { send: (frame) => void sent.push(frame), drop: (code) => void dropped.push(code), isAlive: async () => alive },
    context,
  );
  connection.receive({ kind: 'hello', meshDigest, policyVersion: 0, isolation: 'uid', runs: ran, nonce });
  return { connection, sent, dropped };
}

async function enqueue(): Promise<void> {
  const body = outgoing.bodyFrom(triage);
  const message = await queue.enqueue(body, `${'e'.repeat(10)}.b.s`);
  queue.release(message);
  context.backbone.publish(message);
}

const entry = (actor: string): EntryDraft => ({
  kind: 'message.delivered',
  id: 'm.received',
  at: startMs,
  actor,
  task: null,
  message: null,
  causedBy: [],
  outcome: 'GO',
  code: null,
  verdicts: [],
  tookUs: null,
  detail: {},
});

const hold = (change: Partial<Hold> = {}): Hold => ({
  message: 'm',
  task: 't',
  executor: 'payments',
  requester: 'triage',
  rootOrigin: 'tool:mail',
  action: 'pay_invoice',
  risk: 'HIGH',
  reversibility: 'irreversible',
  parameters: {},
  digest: 'd'.repeat(43),
  approvalsNeeded: 1,
  reasons: [],
  expiresAt: startMs + 1,
  ...change,
});

describe('an identity that two sidecars hold', () => {
  const [one = '', two = '', three = ''] = runs;

  test('BUS_IDENTITY_CLONED: the second is refused while the first is alive', async () => {
    const first = connect(payments.peer, mesh.digest, [one]);
    const second = connect(payments.peer, mesh.digest, [one, two]);
    await settled();
    expect([first.dropped, second.dropped]).toEqual([[], ['BUS_IDENTITY_CLONED']]);
    expect(second.sent).toEqual([]);
    expect(context.connected.get('payments')).toBe(first.connection);
    await settled();
    expect(recorder.entries.map(({ kind, code }) => [kind, code])).toEqual([
      ['identity.refused', 'BUS_IDENTITY_CLONED'], ['indicator.raised', 'BUS_IDENTITY_CLONED'],
    ]);
    expect(forked).toEqual([]);
  });

  test('a sidecar that was killed and started again takes over', async () => {
    const first = connect(payments.peer, mesh.digest, [one]);
    alive = false;
    const second = connect(payments.peer, mesh.digest, [one, two]);
    await settled();
    expect([first.dropped, second.dropped]).toEqual([['BUS_ALREADY_CONNECTED'], []]);
    expect(context.connected.get('payments')).toBe(second.connection);
    expect(lastRuns.get(payments.peer.spiffeId)).toBe(two);
  });

  test('BUS_IDENTITY_CLONED: a copy is found out when the other goes on, and neither keeps it', async () => {
    connect(payments.peer, mesh.digest, [one]).connection.closed();
    const copy = connect(payments.peer, mesh.digest, [one, two]);
    const original = connect(payments.peer, mesh.digest, [one, three]);
    expect([copy.dropped, original.dropped]).toEqual([[], ['BUS_IDENTITY_CLONED']]);
    expect(forked).toEqual([payments.peer.spiffeId]);
    copy.connection.closed();
    expect(connect(payments.peer, mesh.digest, [one, three]).dropped).toEqual(['BUS_IDENTITY_CLONED']);
  });

  test('nothing is decided twice, or for a line that is gone', async () => {
    const first = connect(payments.peer, mesh.digest, [one]);
    alive = false;
    const second = connect(payments.peer, mesh.digest, [one, two]);
    second.connection.receive({ kind: 'hello', meshDigest: mesh.digest, policyVersion: 0, isolation: 'uid', runs: [one, two], nonce });
    await settled();
    expect(second.dropped).toEqual(['BUS_FRAME_MALFORMED']);
    expect([first.dropped, second.sent]).toEqual([[], []]);
  });
});

test('what was put aside while a sidecar was away is said before its welcome, and before anything is delivered', async () => {
  const asked: string[] = [];
  context = {
    ...context,
    control: {
      ...context.control,
      putAside: (agent) => [`${agent} ${asked.push(agent)}`], runsAside: () => Array.from({ length: 1_001 }, (_, at) => `run-${at}`),
    },
  };
  const { sent } = connect(payments.peer);
  await settled();
  const kinds = sent.map(({ kind }) => kind);
  expect(kinds.filter((kind) => kind === 'quarantine')).toHaveLength(2);
  expect(kinds.lastIndexOf('quarantine')).toBeLessThan(kinds.indexOf('welcome'));
  expect(sent.find(({ kind }) => kind === 'quarantine')).toMatchObject({ messages: ['payments 1'] });
});

describe('the line is dropped', () => {
  test('BUS_FRAME_MALFORMED: before hello, and on a second one', () => {
    const { connection, dropped } = connect(payments.peer);
    connection.receive({ kind: 'hello', meshDigest: mesh.digest, policyVersion: 0, isolation: 'uid', runs, nonce });
    expect(dropped).toEqual(['BUS_FRAME_MALFORMED']);
    const silent: string[] = [];
    const line = { send: () => undefined, drop: (code: string) => void silent.push(code), isAlive: async () => true };
    const early = new BusConnection(triage.peer, line, context);
    early.receive({ kind: 'record', number: 1, privileged: true, policyVersion: 1, entries: [] });
    expect(silent).toEqual(['BUS_FRAME_MALFORMED']);
  });

  test('BUS_MESH_MISMATCH', () => {
    expect(connect(payments.peer, 'other').dropped).toEqual(['BUS_MESH_MISMATCH']);
  });

  test('BUS_ALREADY_CONNECTED: for a second instance; for the older line of the same one', () => {
    const first = connect(payments.peer);
    const other = connect({ ...payments.peer, spiffeId: 'spiffe://example.test/agent/payments/two' });
    expect([first.dropped, other.dropped]).toEqual([[], ['BUS_ALREADY_CONNECTED']]);
    const renewed = connect(payments.peer);
    expect([first.dropped, renewed.dropped]).toEqual([['BUS_ALREADY_CONNECTED'], []]);
  });

  test('BUS_CREDENTIAL_EXPIRED: it is handed nothing and records nothing any more', async () => {
    const { connection, sent, dropped } = connect(payments.peer);
    nowMs = payments.peer.expiresAtMs;
    await enqueue();
    expect(sent.filter((frame) => frame.kind === 'deliver')).toEqual([]);
    expect(dropped).toEqual(['BUS_CREDENTIAL_EXPIRED']);
    expect(queue.pendingCount('payments')).toBe(1);
    connection.receive({ kind: 'record', number: 1, privileged: true, policyVersion: 1, entries: [entry('agent:payments')] });
    const other = connect(triage.peer);
    expect(other.dropped).toEqual(['BUS_CREDENTIAL_EXPIRED']);
    await settled();
    expect(recorder.entries.filter((one) => one.kind === 'message.delivered')).toEqual([]);
  });

  test.each<[string, (connection: BusConnection) => void]>([
    [
      'recording for another',
      (connection) =>
        connection.receive({ kind: 'record', number: 1, privileged: false, policyVersion: 1, entries: [entry('agent:triage')] }),
    ],
    [
      'settling what it was not handed',
      (connection) =>
        connection.receive({ kind: 'delivered', number: 7, entries: [entry('sidecar:payments')] }),
    ],
    [
      'a hold for another executor',
      (connection) => connection.receive({ kind: 'hold', number: 1, hold: hold({ executor: 'triage' }) }),
    ],
    [
      'a hold of what nobody may ask of it',
      (connection) => connection.receive({ kind: 'hold', number: 1, hold: hold({ requester: 'desk' }) }),
    ],
    [
      'a hold of an action that is not on the edge',
      (connection) => connection.receive({ kind: 'hold', number: 1, hold: hold({ action: 'drop_all' }) }),
    ],
  ])('BUS_ENTRY_FORGED: %s', async (_, attack) => {
    const { connection, dropped } = connect(payments.peer);
    attack(connection);
    await settled();
    expect(dropped).toEqual(['BUS_ENTRY_FORGED']);
    expect(held).toEqual([]);
    expect(recorder.codes('indicator.raised')).toEqual(['BUS_ENTRY_FORGED']);
  });
});

test('RECORDER_OVERLOADED: a sidecar that records without end keeps its entries to itself', async () => {
  const { connection, sent } = connect(payments.peer);
  for (let number = 1; number <= 3; number += 1) {
    const entries = [entry('agent:payments')];
    connection.receive({ kind: 'record', number, privileged: false, policyVersion: 1, entries });
  }
  await settled();
  expect(sent).toContainEqual({ kind: 'recorded', number: 3, code: 'RECORDER_OVERLOADED' });
  expect(sent).not.toContainEqual({ kind: 'recorded', number: 2, code: 'RECORDER_OVERLOADED' });
});

test.each(['lease', 'renew'] as const)('BUS_RATE_LIMITED: %s, asked for without end', async (kind) => {
  const { connection, sent } = connect(payments.peer);
  for (let number = 1; number <= 3; number += 1) {
    connection.receive(kind === 'lease' ? { kind, number, policyVersion: 1, nonce } : { kind, number, csr: 'csr' });
  }
  await settled();
  expect(sent).toContainEqual({ kind: 'refused', number: 3, code: 'BUS_RATE_LIMITED' });
  expect(sent).not.toContainEqual({ kind: 'refused', number: 2, code: 'BUS_RATE_LIMITED' });
});

describe('a message', () => {
  test('stays queued until the recipient\'s account of it is on record', async () => {
    recorder.isBroken = (entries) => entries.some(({ kind }) => kind === 'message.delivered');
    const { connection, sent } = connect(payments.peer);
    await enqueue();
    const delivered = sent.find((frame) => frame.kind === 'deliver');
    const number = delivered?.kind === 'deliver' ? delivered.number : -1;
    connection.receive({ kind: 'delivered', number, entries: [entry('sidecar:payments')] });
    await settled();
    expect(queue.pendingCount('payments')).toBe(1);
    expect(sent.filter((frame) => frame.kind === 'deliver')).toHaveLength(1);
  });

  test('waits for the recipient, is handed over once and settled', async () => {
    await enqueue();
    const { connection, sent } = connect(payments.peer);
    const delivered = sent.filter((frame) => frame.kind === 'deliver');
    expect(delivered).toHaveLength(1);
    connection.receive({ kind: 'delivered', number: delivered[0]?.number ?? -1, entries: [] });
    await settled();
    expect(queue.pendingCount('payments')).toBe(0);
  });
});

test('a hold along an edge reaches people', async () => {
  const { connection, sent } = connect(payments.peer);
  connection.receive({ kind: 'hold', number: 5, hold: hold() });
  await settled();
  expect(held).toHaveLength(1);
  expect(sent).toContainEqual({ kind: 'held', number: 5, approval: 'of 1' });
});

test('the end of a session is told once it is on record, and not before', async () => {
  const ended: EntryDraft = { ...entry('agent:payments'), kind: 'session.ended', detail: { incarnation: 'run-1' } };
  const { connection } = connect(payments.peer);
  recorder.isBroken = () => true;
  connection.receive({ kind: 'record', number: 1, privileged: false, policyVersion: 1, entries: [ended] });
  await settled();
  expect(endedSessions).toEqual([]);
  recorder.isBroken = () => false;
  connection.receive({ kind: 'record', number: 2, privileged: false, policyVersion: 1, entries: [ended] });
  await settled();
  expect(endedSessions).toEqual(['run-1']);
});

test('a late NO-GO of a judge is heeded once it is on record, and only that', async () => {
  const { connection } = connect(payments.peer);
  const ruled = (id: string, outcome: 'GO' | 'NO-GO', mode: string): EntryDraft => ({
    ...entry('sidecar:payments'), kind: 'judge.ruled', id, message: id, task: `task of ${id}`, outcome, detail: { mode },
  });
  recorder.isBroken = () => true;
  connection.receive({ kind: 'record', number: 1, privileged: false, policyVersion: 1, entries: [ruled('a', 'NO-GO', 'late')] });
  await settled();
  expect(refusedLate).toEqual([]);
  recorder.isBroken = () => false;
  const entries = [ruled('b', 'NO-GO', 'held'), ruled('c', 'GO', 'late'), ruled('d', 'NO-GO', 'late')];
  connection.receive({ kind: 'record', number: 2, privileged: false, policyVersion: 1, entries });
  await settled();
  expect(refusedLate).toEqual(['payments task of d d']);
});
