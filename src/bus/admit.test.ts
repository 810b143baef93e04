// SPDX-License-Identifier: Apache-2.0
import type { InjectionModel } from '../firewall/injection-model.ts';
import { ContagionMonitor, defaultContagionLimits } from '../contagion/monitor.ts';
import { beforeEach, describe, expect, test } from 'vitest';
import { BatchedDatabase } from '../adapters/sqlite-batch.ts';
import { SqliteMessageQueue } from '../adapters/queue-sqlite.ts';
import { systemRandom } from '../adapters/random-system.ts';
import { sampleMesh } from '../../test/mesh-files/sample.ts';
import { admissionFor } from '../../test/sidecar-fixture/admission.ts';
import { FakeRecorder, FakeSidecar, partyOf, settled, startMs } from '../../test/sidecar-fixture/sidecar.ts';
import type { Party } from '../../test/sidecar-fixture/sidecar.ts';
import { signEnvelope } from '../identity/sign-envelope.ts';
import type { Domain, Mesh } from '../mesh/mesh.ts';
import type { EnvelopeBody } from '../message/envelope.ts';
import type { EntryDraft } from '../recorder/entry.ts';
import { TokenBuckets } from '../scanner/rate.ts';
import { admit, type Admission, type AdmitContext, type Publication } from './admit.ts';

const triage = partyOf('triage');
const desk = partyOf('desk');
const outgoing = new FakeSidecar('payments');
const action = { action: 'check_payment', parameters: { invoice: '42' }, idempotencyKey: 'k', evidence: [] };
const request = {
  type: 'instruction',
  schema: 'action-request/1',
  payload: action,
  label: { classification: 'internal', integrity: 'untrusted', origins: ['tool:mail'] },
} as const;

let recorder: FakeRecorder;
let queue: SqliteMessageQueue;
let context: AdmitContext;
let nowMs: number;

function contextOf(mesh: Mesh, change: Partial<AdmitContext> = {}): AdmitContext {
  return admissionFor(mesh, { clock: { nowMs: () => nowMs }, queue, recorder, ...change });
}

beforeEach(() => {
  nowMs = startMs;
  outgoing.clock.ms = startMs;
  recorder = new FakeRecorder();
  queue = new SqliteMessageQueue(new BatchedDatabase(':memory:'), startMs - 1_000_000, systemRandom);
  context = contextOf(sampleMesh());
});

function publication(
  change: Partial<EnvelopeBody> = {},
  party: Party = triage,
  entry: Partial<EntryDraft> = {},
): Publication {
  const body = outgoing.bodyFrom(party, { ...request, ...change });
  return {
    envelope: signEnvelope(body, party.credential),
    resend: false,
    policyVersion: 1,
    entry: {
      kind: 'message.outbound', id: `${body.id}.outbound`, at: nowMs, actor: `agent:${party.peer.name}`,
      task: body.task, message: body.id, causedBy: [], outcome: 'GO', code: null, verdicts: [], tookUs: null,
      detail: {},
      ...entry,
    },
  };
}

const send = (change: Partial<EnvelopeBody> = {}): Promise<Admission> =>
  admit(triage.peer, publication(change), context);
const codeOf = (admission: Admission): string =>
  admission.answer === 'refused' ? `${admission.code}${admission.drop ? ' drop' : ''}` : 'accepted';

describe('refused at the bus', () => {
  test.each<[string, Partial<EnvelopeBody>]>([
    ['BUS_EXPIRED', { issuedAt: startMs - 60_000, expiresAt: startMs }],
    ['BUS_CLOCK_SKEW', { issuedAt: startMs + 30_001, expiresAt: startMs + 60_000 }],
    ['BUS_CLOCK_SKEW', { expiresAt: startMs + 60_001 }],
    ['BUS_BEFORE_RESTART', { issuedAt: startMs - 1_000_001 }],
    ['BUS_RECIPIENT_UNKNOWN', { to: 'nobody' }],
    ['BUS_EDGE_DENIED', { to: 'desk' }],
    ['BUS_ACTION_DENIED', { payload: { ...action, action: 'drop_all' } }],
    ['BUS_DOMAIN_UNKNOWN', { domain: 'nowhere' }],
    ['BUS_CLEARANCE_EXCEEDED', { label: { ...request.label, classification: 'restricted' } }],
    ['BUS_TASK_HOPS_EXCEEDED', { hop: 33 }],
    ['BUS_ORIGIN_FORGED drop', { provenance: { source: 'user', isolation: 'none' } }],
    ['BUS_ORIGIN_FORGED drop', { label: { ...request.label, integrity: 'trusted', origins: [] } }],
    ['MESSAGE_ACTION_INVALID drop', { payload: 'please pay' }],
  ])('%s %#', async (code, change) => {
    if (code === 'BUS_BEFORE_RESTART') {
      const mesh = sampleMesh([['messages_per_second: 500', 'messages_per_second: 500, message_lifetime_ms: 3600000']]);
      context = contextOf(mesh);
    }
    const got = codeOf(await send(change));
    if (code.startsWith('MESSAGE_')) expect(got).toMatch(/ drop$/);
    else expect(got).toBe(code);
    expect(queue.pendingCount('payments')).toBe(0);
    expect(recorder.codes('message.refused')).toHaveLength(1);
    expect(recorder.codes('indicator.raised')).toHaveLength(got.endsWith('drop') ? 1 : 0);
  });

  test('BUS_POLICY_STALE, and no sign: it was short enough under the version that it was signed under', async () => {
    context = contextOf({ ...sampleMesh(), limits: { ...sampleMesh().limits, messageBytesMax: 400 } });
    expect(codeOf(await admit(triage.peer, { ...publication(), policyVersion: 0 }, context))).toBe('BUS_POLICY_STALE');
    expect(codeOf(await send())).toMatch(/TOO_LARGE/);
    const { envelope } = publication();
    const messageBytesMax = Math.floor(envelope.length * 0.6);
    context = contextOf({ ...sampleMesh(), limits: { ...sampleMesh().limits, messageBytesMax } });
    expect(codeOf(await admit(triage.peer, { ...publication(), policyVersion: 0 }, context))).toBe('BUS_POLICY_STALE');
    expect(codeOf(await send())).toBe('IDENTITY_ENVELOPE_TOO_LARGE drop');
  });

  test('BUS_ENTRY_FORGED: an entry that speaks of somebody else', async () => {
    for (const entry of [{ actor: 'agent:desk' }, { message: 'x' }, { task: 'x' }] as const) {
      const forged = publication({}, triage, entry);
      expect(codeOf(await admit(triage.peer, forged, context))).toBe('BUS_ENTRY_FORGED drop');
    }
  });

  test('BUS_CREDENTIAL_EXPIRED and BUS_CREDENTIAL_TOO_OLD', async () => {
    const expired = { ...triage.peer, expiresAtMs: startMs };
    const old = { ...triage.peer, notBeforeMs: startMs - 600_001 };
    expect(codeOf(await admit(expired, publication(), context))).toBe('BUS_CREDENTIAL_EXPIRED drop');
    expect(codeOf(await admit(old, publication(), context))).toBe('BUS_CREDENTIAL_TOO_OLD');
  });

  test('an envelope that another agent signed, whoever brings it', async () => {
    const foreign = publication({}, desk);
    expect(codeOf(await admit(triage.peer, foreign, context))).toBe('IDENTITY_SIGNER_UNKNOWN drop');
    context = contextOf(context.mesh, { identityOf: () => desk.peer });
    expect(codeOf(await admit(triage.peer, foreign, context))).toBe('IDENTITY_SIGNER_UNKNOWN drop');
  });

  test('BUS_TOO_LARGE, before anything of it is read', async () => {
    const large = { ...publication(), envelope: 'x'.repeat(1_000_000) };
    expect(codeOf(await admit(triage.peer, large, context))).toBe('BUS_TOO_LARGE');
  });

  test('BUS_RATE_LIMITED and PACE_STOPPED', async () => {
    const rates = new TokenBuckets({ perSecond: 1, burst: 1 });
    context = contextOf(context.mesh, { rates });
    expect([codeOf(await send()), codeOf(await send())]).toEqual(['accepted', 'BUS_RATE_LIMITED']);
    const pace = { clamp: () => ({ phase: 'EMERGENCY', allows: 'nothing' }) as const };
    context = contextOf(context.mesh, { pace });
    expect(codeOf(await send())).toBe('PACE_STOPPED');
  });

  test('BUS_ROLE_DENIED, BUS_NOT_ATTESTED and a tier that this build lacks', async () => {
    const mesh = sampleMesh();
    const billing = mesh.domains.get('billing');
    if (billing === undefined) throw new Error('no domain');
    const codeWith = async (change: Partial<Domain>): Promise<string> => {
      context = contextOf({ ...mesh, domains: new Map([['billing', { ...billing, ...change }]]) });
      return codeOf(await send());
    };
    expect(await codeWith({ allowedRoles: ['ORCHESTRATOR', 'EXECUTOR'] })).toBe('BUS_ROLE_DENIED');
    expect(await codeWith({ allowedRoles: ['RETRIEVER'] })).toBe('BUS_ROLE_DENIED');
    expect(await codeWith({ attestationRequired: true })).toBe('BUS_NOT_ATTESTED');
    expect(await codeWith({ tier: 'FHE' })).toBe('PROTECTION_TIER_UNAVAILABLE');
  });
});

describe('a message that comes twice', () => {
  test('is BUS_REPLAY, also at the same instant, by id and by nonce', async () => {
    const first = publication();
    const both = await Promise.all([
      admit(triage.peer, first, context),
      admit(triage.peer, first, context),
    ]);
    expect(both.map(codeOf)).toEqual(['accepted', 'BUS_REPLAY']);
    const nonce = 'n'.repeat(22);
    expect([codeOf(await send({ nonce })), codeOf(await send({ nonce }))]).toEqual(['accepted', 'BUS_REPLAY']);
  });

  test('is accepted and not queued again when its sender never saw the answer', async () => {
    const first = publication();
    await admit(triage.peer, first, context);
    const again = await admit(triage.peer, { ...first, resend: true }, context);
    expect(again).toEqual({ answer: 'accepted', message: null });
    expect(queue.pendingCount('payments')).toBe(1);
  });

  test('is not accepted before the first copy is on disk, and not when that one was withdrawn', async () => {
    const first = publication();
    let withdraw: (reason: Error) => void = () => undefined;
    context = contextOf(sampleMesh(), {
      recorder: { record: () => new Promise((_, reject) => (withdraw = reject)) },
    });
    const one = admit(triage.peer, first, context);
    await settled();
    withdraw(new Error('the disk is full'));
    const again = admit(triage.peer, { ...first, resend: true }, { ...context, recorder });
    expect([codeOf(await one), codeOf(await again)]).toEqual(['BUS_UNAVAILABLE', 'BUS_UNAVAILABLE']);
    expect(queue.pendingCount('payments')).toBe(0);
  });

  test('is BUS_REPLAY when it says that it is a repeat and is not', async () => {
    const first = publication();
    await admit(triage.peer, first, context);
    const { id } = JSON.parse(Buffer.from(first.envelope.split('.')[1] ?? '', 'base64url').toString());
    const other = { ...publication({ id }), resend: true };
    expect(codeOf(await admit(triage.peer, other, context))).toBe('BUS_REPLAY');
  });
});

describe('what is not on record is not admitted', () => {
  test('BUS_UNAVAILABLE, and the same message is admitted once it can be recorded', async () => {
    recorder.isBroken = () => true;
    const first = publication();
    expect(codeOf(await admit(triage.peer, first, context))).toBe('BUS_UNAVAILABLE');
    expect(queue.pending('payments', new Set(), 10)).toEqual([]);
    recorder.isBroken = () => false;
    expect(codeOf(await admit(triage.peer, { ...first, resend: true }, context))).toBe('accepted');
    expect(queue.pending('payments', new Set(), 10)).toHaveLength(1);
  });
});

describe('a message under a new data key', () => {
  const invoice = { type: 'data', schema: 'invoice/1', payload: { text: 'sealed' }, to: 'triage' } as const;

  function opening(kept: Promise<void>): AdmitContext {
    const [name = '', domain] = [...sampleMesh().domains][0] ?? [];
    if (domain === undefined) throw new Error('no domain');
    const mesh = { ...sampleMesh(), domains: new Map([[name, { ...domain, tier: 'RETRIEVAL' as const }]]) };
    const open = (body: EnvelopeBody) => Promise.resolve({ ok: true as const, body, kept });
    return contextOf(mesh, { protection: { refusal: () => null, open } });
  }

  test('is not accepted before the key is durable', async () => {
    const disk = Promise.withResolvers<void>();
    context = opening(disk.promise);
    let answered = false;
    const admission = admit(desk.peer, publication(invoice, desk), context).finally(() => (answered = true));
    await settled();
    expect([answered, queue.pendingCount('triage')]).toEqual([false, 0]);
    disk.resolve();
    expect(codeOf(await admission)).toBe('accepted');
  });

  test('is not accepted as a repeat either, and is BUS_UNAVAILABLE where the key never is', async () => {
    const disk = Promise.withResolvers<void>();
    context = opening(disk.promise);
    const one = publication(invoice, desk);
    const both = [one, { ...one, resend: true }].map((copy) => admit(desk.peer, copy, context));
    await settled();
    disk.reject(new Error('full'));
    expect((await Promise.all(both)).map(codeOf)).toEqual(['BUS_UNAVAILABLE', 'BUS_UNAVAILABLE']);
    expect(queue.pending('triage', new Set(), 10)).toEqual([]);
  });

  test('BUS_UNAVAILABLE where the key is not, and it is not delivered', async () => {
    context = opening(Promise.reject(new Error('full')));
    const one = publication(invoice, desk);
    expect(codeOf(await admit(desk.peer, one, context))).toBe('BUS_UNAVAILABLE');
    expect(queue.pending('triage', new Set(), 10)).toEqual([]);
    context = opening(Promise.resolve());
    expect(codeOf(await admit(desk.peer, { ...one, resend: true }, context))).toBe('accepted');
  });
});

describe('a full queue', () => {
  const twoSenders = [
    ['messages_per_second: 500', 'messages_per_second: 500, queued_messages_max: 8'],
    ['    - { from: triage, to: payments,', '    - { from: desk, to: payments, may_request: [check_payment] }\n    - { from: triage, to: payments,'],
  ] as const;

  test('BUS_QUEUE_FULL for the one that filled it, and not for another one', async () => {
    context = contextOf(sampleMesh(twoSenders));
    const flood = [];
    for (let number = 0; number < 10; number += 1) flood.push(codeOf(await send()));
    expect(flood.filter((code) => code === 'accepted')).toHaveLength(4);
    expect(flood.at(-1)).toBe('BUS_QUEUE_FULL');
    const quiet = publication({}, desk);
    expect(codeOf(await admit(desk.peer, quiet, context))).toBe('accepted');
  });

  test('is not full for its only sender before the limit, and has room again once settled', async () => {
    context = contextOf(sampleMesh([twoSenders[0]]));
    const codes = [];
    for (let number = 0; number < 9; number += 1) codes.push(codeOf(await send()));
    expect(codes).toEqual([...Array(8).fill('accepted'), 'BUS_QUEUE_FULL']);
    const [oldest] = queue.pending('payments', new Set(), 1);
    await queue.settle(oldest?.position ?? -1);
    expect(codeOf(await send())).toBe('accepted');
    expect(queue.pendingCountFrom('payments', 'triage')).toBe(8);
  });
});

test('BUS_RUN_QUARANTINED for what a run says that was put aside, but not for a repeat of what was admitted', async () => {
  const ofRun = { detail: { incarnation: 'run-1' } };
  const first = publication({}, triage, ofRun);
  expect(codeOf(await admit(triage.peer, first, context))).toBe('accepted');
  context = contextOf(context.mesh, { isRunAside: (run) => run === 'run-1' });
  expect(codeOf(await admit(triage.peer, { ...first, resend: true }, context))).toBe('accepted');
  expect(codeOf(await admit(triage.peer, publication({}, triage, ofRun), context))).toBe('BUS_RUN_QUARANTINED');
  expect(codeOf(await send())).toBe('accepted');
});

test('PROTECTION_ITEM_FOREIGN where something sealed travels beside a message in clear', async () => {
  const own = { ...request, id: '01K74F0Z00ABCDEFGHJKMNPQRS', task: '01K74F0Z00ZZZZZZZZZZZZZZZZ' };
  const envelope = signEnvelope(outgoing.bodyFrom(triage, own), triage.credential, 'QUJD');
  const sent = { ...publication(own), envelope };
  expect(codeOf(await admit(triage.peer, sent, context))).toBe('PROTECTION_ITEM_FOREIGN');
});

test('no refusal on record holds what the message said', async () => {
  const secret = 'sk-very-secret-value';
  await send({ payload: { ...action, parameters: { [secret]: secret } }, to: 'desk' });
  await send({ payload: { [secret]: { deep: secret } } as never });
  expect(JSON.stringify(recorder.entries)).not.toContain(secret);
});

describe('a message that the model at the bus reads', () => {
  const untrusted = { ...request.label, integrity: 'untrusted' } as const;
  const desk = partyOf('desk');
  const note = { to: 'triage', type: 'data', schema: 'invoice/1', payload: { text: 'please read this' } } as const;
  const text = { ...note, label: untrusted };
  const own = { ...note, label: { ...untrusted, integrity: 'internal' } } as const;

  function reading(gate: Promise<void>): AdmitContext {
    const model: InjectionModel = {
      name: 'test',
      configured: true,
      classify: async () => {
        await gate;
        return { status: 'ok', probability: 0, version: '1' };
      },
    };
    const timing = {
      nowUs: () => 0,
      within: async <Value>(promise: Promise<Value>) => ({ late: false as const, value: await promise }),
    };
    return contextOf(sampleMesh(), { secondReader: { model, timing } });
  }

  test('is admitted once, though its twin came while it was read', async () => {
    const gate = Promise.withResolvers<void>();
    context = reading(gate.promise);
    const one = publication(text, desk);
    const both = [one, { ...one, resend: true }, one].map((copy) => admit(desk.peer, copy, context));
    gate.resolve();
    const codes = (await Promise.all(both)).map(codeOf);
    expect(codes).toEqual(['accepted', 'accepted', 'BUS_REPLAY']);
    expect(queue.pendingCount('triage')).toBe(1);
  });

  test('keeps its place before what the same sender sent after it', async () => {
    const gate = Promise.withResolvers<void>();
    context = reading(gate.promise);
    const first = admit(desk.peer, publication(text, desk), context);
    const second = admit(desk.peer, publication(own, desk), context);
    await settled();
    expect(queue.pendingCount('triage')).toBe(0);
    gate.resolve();
    const [one, two] = await Promise.all([first, second]);
    const place = (admission: Admission): number =>
      admission.answer === 'accepted' ? (admission.message?.position ?? -1) : -1;
    expect(place(one)).toBeGreaterThan(-1);
    expect(place(two)).toBeGreaterThan(place(one));
  });

  test('is counted by the contagion monitor before it is durable, so that what comes beside it counts too', async () => {
    const steps: string[] = [];
    const contagion = new ContagionMonitor(defaultContagionLimits, new Uint8Array(32), startMs);
    const review: ContagionMonitor['review'] = (message) => {
      const reviewed = contagion.review(message);
      steps.push('review');
      return { ...reviewed, carried: () => steps.push('carried') };
    };
    const watched = { ...context, contagion: { review } as ContagionMonitor };
    const both = [publication(), publication()].map((one) => admit(triage.peer, one, watched));
    expect((await Promise.all(both)).map(codeOf)).toEqual(['accepted', 'accepted']);
    expect(steps).toEqual(['review', 'carried', 'review', 'carried']);
  });

  test('is refused when its sender was revoked while it was read', async () => {
    const gate = Promise.withResolvers<void>();
    context = reading(gate.promise);
    const waiting = admit(desk.peer, publication(text, desk), context);
    const target = { kind: 'agent', value: 'desk' } as const;
    const change = { version: 1, id: 'r1', op: 'revoke', target, at: nowMs, signed: null } as const;
    context.revocations.update({ since: 0, version: 1, changes: [change] }, () => true);
    gate.resolve();
    expect(codeOf(await waiting)).toBe('IDENTITY_REVOKED drop');
  });
});
