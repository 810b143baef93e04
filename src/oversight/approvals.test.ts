// SPDX-License-Identifier: Apache-2.0
import { generateKeyPairSync } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import { BatchedDatabase } from '../adapters/sqlite-batch.ts';
import { SqliteApprovalStore } from '../adapters/control-store-sqlite.ts';
import { FakeRecorder, startMs } from '../../test/sidecar-fixture/sidecar.ts';
import { signOperatorDecision } from '../identity/operator-signature.ts';
import type { JsonObject } from '../message/json.ts';
import type { RecordedEntry } from '../recorder/entry.ts';
import { noApprover, type Notice } from './approver.ts';
import {
  decide, expire, hold, plantProbe, type Approval, type ApprovalsContext,
} from './approvals.ts';
import { decidedFrame } from '../process/node-approvals.ts';
import { makeProbe, shownApproval, stepsOfProbe, type Probe } from './probe.ts';
import type { Hold } from './hold.ts';
import { OpenedCards } from './opened-cards.ts';
import { Turns } from './turns.ts';

const keys = new Map(['alice', 'bob'].map((name) => [name, generateKeyPairSync('ed25519')]));
const digest = 'd'.repeat(43);

let recorder: FakeRecorder;
let database: BatchedDatabase;
let settled: Approval[];
let nowMs: number;
let told: Notice[];
let context: ApprovalsContext;

beforeEach(() => {
  recorder = new FakeRecorder();
  database = new BatchedDatabase(':memory:');
  settled = [];
  told = [];
  nowMs = startMs;
  let minted = 0;
  context = {
    store: new SqliteApprovalStore(database),
    recorder,
    clock: { nowMs: () => nowMs },
    operators: new Map(
      [...keys].map(([name, { publicKey }]) => [
        name,
        { name, publicKey: publicKey.export({ format: 'jwk' }) as JsonObject },
      ]),
    ),
    pendingMax: 3,
    mintId: () => `approval-${(minted += 1)}`,
    turns: new Turns(),
    approver: { ...noApprover, waiting: async (notice) => void told.push(notice) },
    approversOf: () => [],
    opened: new OpenedCards(),
    settled: (approval) => void settled.push(approval),
  };
});

function held(change: Partial<Hold> = {}): Hold {
  return {
    message: 'm1',
    task: 't1',
    executor: 'payments',
    requester: 'triage',
    rootOrigin: 'tool:mail',
    action: 'pay_invoice',
    risk: 'HIGH',
    reversibility: 'irreversible',
    parameters: { amount: 5000 },
    digest,
    approvalsNeeded: 1,
    reasons: [],
    expiresAt: startMs + 60_000,
    ...change,
  };
}

function signed(
  operator: string,
  decision: 'approve' | 'deny' = 'approve',
  change: { readonly approval?: string; readonly digest?: string } = {},
): string {
  const pair = keys.get(operator);
  if (pair === undefined) throw new Error('no such operator');
  const publicJwk = pair.publicKey.export({ format: 'jwk' }) as JsonObject;
  const key = { privateKey: pair.privateKey, publicJwk };
  const statement = { approval: 'approval-1', digest, decision, operator, at: nowMs, reason: '' };
  return signOperatorDecision({ ...statement, ...change }, key);
}

const codeOf = async (text: string): Promise<string | null> => {
  const answer = await decide(text, context);
  return answer.ok ? null : answer.code;
};

describe('a decision is refused', () => {
  beforeEach(() => hold(held({ approvalsNeeded: 2 }), context));

  test.each<[string, () => string]>([
    ['OVERSIGHT_APPROVAL_UNKNOWN', () => signed('alice', 'approve', { approval: 'approval-9' })],
    ['OVERSIGHT_APPROVAL_DIGEST_MISMATCH', () => signed('alice', 'approve', { digest: 'e'.repeat(43) })],
    ['IDENTITY_DECISION_MALFORMED', () => 'not.a.decision'],
  ])('%s', async (code, text) => {
    expect(await codeOf(text())).toBe(code);
    expect(recorder.codes('identity.refused')).toEqual([code]);
    expect(context.store.get('approval-1')?.decisions).toEqual([]);
  });

  test('by one person twice, also at the same instant', async () => {
    const codes = await Promise.all([codeOf(signed('alice')), codeOf(signed('alice'))]);
    expect(codes).toEqual([null, 'OVERSIGHT_APPROVAL_SAME_PERSON']);
    expect(context.store.get('approval-1')?.state).toBe('pending');
  });

  test('after another one closed it', async () => {
    await decide(signed('alice', 'deny'), context);
    expect(await codeOf(signed('bob'))).toBe('OVERSIGHT_APPROVAL_CLOSED');
  });

  test('too late, and then nobody can any more', async () => {
    nowMs += 60_000;
    expect(await codeOf(signed('alice'))).toBe('OVERSIGHT_APPROVAL_EXPIRED');
    expect(settled.map((approval) => approval.state)).toEqual(['expired']);
    expect(recorder.codes('approval.expired')).toEqual(['OVERSIGHT_APPROVAL_EXPIRED']);
  });

  test('when it comes while another person denies', async () => {
    await Promise.all([decide(signed('alice', 'deny'), context), decide(signed('bob'), context)]);
    expect(context.store.get('approval-1')?.state).toBe('denied');
    expect(settled.map((approval) => approval.state)).toEqual(['denied']);
  });
});

describe('nothing holds that is not on record', () => {
  test('an approval that was not recorded', async () => {
    await hold(held(), context);
    recorder.isBroken = () => true;
    await expect(decide(signed('alice'), context)).rejects.toMatchObject({ code: 'RECORDER_NOT_DURABLE' });
    expect(context.store.get('approval-1')?.state).toBe('pending');
    expect(context.store.byMessage('m1', 'payments')?.state).toBe('pending');
    recorder.isBroken = () => false;
    expect(await codeOf(signed('bob'))).toBeNull();
    expect(settled).toHaveLength(1);
  });

  test('a hold that was not recorded, so that it is recorded when it comes again', async () => {
    recorder.isBroken = () => true;
    await expect(hold(held(), context)).rejects.toMatchObject({ code: 'RECORDER_NOT_DURABLE' });
    recorder.isBroken = () => false;
    await hold(held(), context);
    expect(recorder.codes('approval.held')).toHaveLength(1);
  });

  test('an expiry that was not recorded: the next sweep does it', async () => {
    await hold(held(), context);
    nowMs += 60_000;
    recorder.isBroken = () => true;
    await expect(expire(context)).rejects.toMatchObject({ code: 'RECORDER_NOT_DURABLE' });
    expect(settled).toEqual([]);
    recorder.isBroken = () => false;
    await expire(context);
    expect(settled.map((approval) => approval.state)).toEqual(['expired']);
  });
});

describe('people are told', () => {
  test('once, of a hold that waits, with references and no value', async () => {
    await hold(held(), context);
    await hold(held(), context);
    expect(told).toEqual([{
      waits: 'action',
      approval: 'approval-1',
      action: 'pay_invoice',
      risk: 'HIGH',
      executor: 'payments',
      expiresAt: startMs + 60_000,
    }]);
  });

  test('of nothing that a flood brought', async () => {
    for (const message of ['m1', 'm2', 'm3', 'm4']) await hold(held({ message }), context);
    expect(told.map((notice) => (notice.waits === 'action' ? notice.approval : ''))).toEqual(['approval-1', 'approval-2', 'approval-3']);
  });

  test('and where that fails the action still waits, and the record says so', async () => {
    const waiting = () => Promise.reject(new Error('no way to anybody'));
    context = { ...context, approver: { name: 'pager', configured: true, waiting, alarm: waiting } };
    expect((await hold(held(), context)).state).toBe('pending');
    await new Promise(setImmediate);
    expect(recorder.codes('indicator.raised')).toEqual(['OVERSIGHT_APPROVER_FAILED']);
  });
});

describe('a hold', () => {
  test('of the fourth action is denied at once as a flood, by requester and by root origin', async () => {
    for (const message of ['m1', 'm2', 'm3']) await hold(held({ message }), context);
    expect((await hold(held({ message: 'm4', rootOrigin: 'tool:web' }), context)).state).toBe('denied');
    expect((await hold(held({ message: 'm5', requester: 'desk' }), context)).state).toBe('denied');
    expect(recorder.codes('indicator.raised')).toEqual(Array(2).fill('OVERSIGHT_APPROVAL_FLOOD'));
    expect(settled).toHaveLength(2);
  });

  test('of the same message is found again, also by a request that comes meanwhile', async () => {
    const [first, second] = await Promise.all([hold(held(), context), hold(held(), context)]);
    expect(second.id).toBe(first.id);
    expect(recorder.codes('approval.held')).toHaveLength(1);
  });

  test('cannot be put in the place of another executor\'s, with other words for the same digest', async () => {
    await hold(held({ executor: 'triage', parameters: { amount: 1 }, risk: 'LOW' }), context);
    const own = await hold(held(), context);
    expect(own.hold.parameters).toEqual({ amount: 5000 });
    expect(context.store.byMessage('m1', 'payments')?.id).toBe(own.id);
  });

  test('is there after a restart, with what people said so far', async () => {
    await hold(held({ approvalsNeeded: 2 }), context);
    await decide(signed('alice'), context);
    const again = new SqliteApprovalStore(database);
    expect(again.byMessage('m1', 'payments')?.decisions.map((made) => made.operator)).toEqual(['alice']);
    expect(again.pending()).toHaveLength(1);
  });
});

describe('a change', () => {
  const change = (operator: string, of: Hold = held(), approval = 'approval-1'): string => {
    const pair = keys.get(operator);
    if (pair === undefined) throw new Error('no such operator');
    const key = { privateKey: pair.privateKey, publicJwk: pair.publicKey.export({ format: 'jwk' }) as JsonObject };
    return signOperatorDecision({
      approval, digest: of.digest, decision: 'modify', operator, at: nowMs, reason: '',
      parameters: { amount: 10 },
    }, key);
  };
  const changed = held({ digest: 'e'.repeat(43), parameters: { amount: 10 }, modifiedBy: ['alice'] });

  test('closes the question, and the one it makes is not its maker\'s to approve', async () => {
    await hold(held(), context);
    expect(await codeOf(change('alice'))).toBeNull();
    expect(settled.map(({ state }) => state)).toEqual(['modified']);
    const next = await hold(changed, context);
    expect(next).toMatchObject({ state: 'pending', modifications: [{ operator: 'alice' }] });
    const own = { approval: next.id, digest: changed.digest };
    expect(await codeOf(signed('alice', 'approve', own))).toBe('OVERSIGHT_APPROVAL_OWN_CAUSE');
    expect(await codeOf(signed('bob', 'approve', own))).toBeNull();
    expect(context.store.get(next.id)?.state).toBe('approved');
  });

  test('is told again to a sidecar that still offers what was asked for first', async () => {
    await hold(held(), context);
    await decide(change('alice'), context);
    const next = await hold(changed, context);
    expect((await hold(held(), context)).state).toBe('modified');
    expect(context.store.get(next.id)?.state).toBe('pending');
  });

  test('that nobody else could approve is refused', async () => {
    context = { ...context, operators: new Map([...context.operators].filter(([name]) => name === 'alice')) };
    await hold(held(), context);
    expect(await codeOf(change('alice'))).toBe('OVERSIGHT_MODIFIED_BY_NOBODY_ELSE');
  });

  test('does not lend its maker\'s name to a request that its sidecar did not change', async () => {
    await hold(held(), context);
    await decide(change('alice'), context);
    const other = await hold(held({ digest: 'f'.repeat(43) }), context);
    expect(other.modifications).toBeUndefined();
  });
});

describe('a probe', () => {
  const probe = (): Probe => {
    const made = makeProbe([held({ parameters: { payee: 'Northwind', amount: 100 } })], {
      mintId: () => 'probe-message', bytes: (count) => new Uint8Array(count), nowMs,
      deadlineMs: () => 60_000,
    });
    if (made === null) throw new Error('no probe');
    return made;
  };

  test('is made of a real question, and of none without one', () => {
    expect(makeProbe([], { mintId: () => 'x', bytes: () => new Uint8Array(32), nowMs, deadlineMs: () => 1 }))
      .toBeNull();
    expect(probe().hold).toMatchObject({ action: 'pay_invoice', message: 'probe-message' });
    expect(probe().hold.parameters).not.toEqual({ payee: 'Northwind', amount: 100 });
  });

  test('looks like any other question until it is answered, and then says so', async () => {
    const planted = await plantProbe(probe(), context);
    expect(JSON.stringify(shownApproval(planted))).not.toContain('probe"');
    expect(recorder.codes('approval.held')).toHaveLength(1);
    await decide(signed('alice', 'approve', { approval: planted.id, digest: planted.hold.digest }), context);
    const answered = context.store.get(planted.id);
    expect(answered === null ? null : shownApproval(answered)).toMatchObject({ probe: true, state: 'approved' });
    expect(recorder.entries.at(-1)?.detail).toMatchObject({ probe: true, caught: false });
  });

  test('reaches no executor, approved or not', async () => {
    const planted = await plantProbe(probe(), context);
    for (const state of ['approved', 'denied', 'expired', 'modified', 'pending'] as const) {
      expect(decidedFrame({ ...planted, state })).toBeNull();
    }
  });

  test('has the past of the question that it was made of, under names and times of its own', async () => {
    const { hold: asked } = probe();
    const of = { message: '01K00000000000000000REAL01', task: '01K00000000000000000REAL02' };
    nowMs += 500_000;
    const planted = await plantProbe({ hold: asked, of }, context);
    const entry = (sequence: number, kind: RecordedEntry['kind'], detail: JsonObject = {}): RecordedEntry => ({
      sequence, kind, id: `${of.message}.${kind}`, at: startMs + sequence, recordedAt: startMs + sequence, actor: 'sidecar:payments',
      task: of.task, message: of.message, causedBy: [`${of.message}.before`], outcome: null, code: null, verdicts: [], tookUs: null, detail,
    });
    const steps = stepsOfProbe(planted, of, [
      entry(1, 'request.reviewed', { causes: [{ by: of.message }] }), entry(2, 'approval.held', { approval: 'REAL-APPROVAL' }),
      entry(3, 'approval.decided', { approval: 'REAL-APPROVAL' }), entry(4, 'tool.outcome'),
    ]);
    expect(steps.map(({ kind }) => kind)).toEqual(['request.reviewed', 'approval.held']);
    expect(steps.at(-1)).toMatchObject({
      message: planted.hold.message, task: planted.hold.task, at: planted.heldAt, detail: { approval: planted.id },
    });
    const late = stepsOfProbe(planted, of, [
      entry(1, 'approval.held', { approval: 'REAL-APPROVAL' }), entry(2, 'request.reviewed'), entry(3, 'request.reviewed'),
    ]);
    expect(late.map(({ kind }) => kind)).toEqual(['request.reviewed', 'approval.held']);
    expect(JSON.stringify(steps)).not.toContain('REAL');
    expect(JSON.stringify(shownApproval(planted))).not.toContain('REAL');
  });

  test('takes no place among the three that one agent may have waiting', async () => {
    for (let index = 0; index < 3; index += 1) {
      const { hold: asked, of } = probe();
      await plantProbe({ hold: { ...asked, message: `p${index}` }, of }, context);
    }
    expect((await hold(held(), context)).state).toBe('pending');
  });
});

test('what the disk did not take is not seen either', async () => {
  const approval = await hold(held(), context);
  database.close();
  await expect(context.store.save({ ...approval, state: 'approved' })).rejects.toThrow('closed');
  expect(context.store.get(approval.id)?.state).toBe('pending');
});
