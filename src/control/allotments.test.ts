// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, it } from 'vitest';
import { sampleMesh } from '../../test/mesh-files/sample.ts';
import type { AllotmentAsk } from '../bounds/ask.ts';
import type { Charge } from '../bounds/charge.ts';
import { askAllotment, noteHandOver, settleAllotment, usedByAgent } from './allotments.ts';
import { approvalOf, boundedMesh, hourMs, limits, ownerOf, payAsk, startMs, taskAt, type Owner } from './bounds-fixture.ts';
import type { EnvelopeBody } from '../message/envelope.ts';

const mesh = boundedMesh(sampleMesh());
let owner: Owner;
let nowMs: number;
let asked: number;

beforeEach(() => {
  nowMs = startMs;
  asked = 0;
  owner = ownerOf(mesh, () => nowMs);
});

/** Another request for so much; its task, unless a test says so, is one of its own. */
async function pay(
  amount: number,
  change: Partial<AllotmentAsk> & { readonly executor?: string } = {},
): Promise<string> {
  const { executor = 'payments', ...rest } = change;
  asked += 1;
  const own = { holder: `r${asked}`, task: taskAt(startMs, asked) };
  const answer = await askAllotment(executor, payAsk(amount, { ...own, ...rest }), owner.context);
  return answer.outcome === 'granted' ? 'granted' : `${answer.code} ${answer.bound.split('/').slice(0, 2).join('/')}`;
}

async function handOver(from: string, to: string, change: Partial<EnvelopeBody> = {}): Promise<void> {
  const body = { task: taskAt(startMs), from, to, goalHash: 'goal', schema: 'invoice/1', ...change };
  await noteHandOver(body as EnvelopeBody, owner.context);
}

describe('the owner of the bounds, attacked', () => {
  it('by splitting an amount over executors', async () => {
    expect(await pay(400)).toBe('granted');
    expect(await pay(400, { executor: 'vault', requester: 'helper' })).toBe('granted');
    expect(await pay(201, { executor: 'vault', requester: 'helper' }))
      .toBe('BOUNDS_EXCEEDED action/pay_invoice');
    expect(await pay(200, { executor: 'vault', requester: 'helper' })).toBe('granted');
  });

  it('by splitting it over tasks', async () => {
    expect(await pay(400)).toBe('granted');
    expect(await pay(301)).toBe('BOUNDS_EXCEEDED agent/triage');
    expect(await pay(300)).toBe('granted');
  });

  it('by splitting it over requests of one task', async () => {
    const task = taskAt(startMs);
    expect(await pay(300, { task })).toBe('granted');
    expect(await pay(201, { task, requester: 'helper' })).toMatch(/^BOUNDS_EXCEEDED task/);
    expect(await pay(200, { task, requester: 'helper' })).toBe('granted');
  });

  it('by repeating a key of one task in another, which would take the charge along', async () => {
    const key = { holder: 'm1', idempotencyKey: 'k' };
    const task = taskAt(startMs);
    expect(await pay(300, { ...key, task })).toBe('granted');
    expect(await pay(300, { ...key, holder: 'm2', task: taskAt(startMs, 9) })).toBe('granted');
    expect(await pay(201, { task, requester: 'helper' })).toMatch(/^BOUNDS_EXCEEDED task/);
  });

  it('by splitting it over agents of one sub-tree, also as data and in tasks of their own', async () => {
    const task = taskAt(startMs);
    await handOver('desk', 'triage', { type: 'data' });
    await handOver('triage', 'helper');
    expect(await pay(450, { task })).toBe('granted');
    const other = taskAt(startMs, 9);
    await handOver('helper', 'triage', { task: other, goalHash: null });
    expect(await pay(451, { task: other, requester: 'helper' })).toBe('BOUNDS_EXCEEDED subtree/desk');
    expect(await pay(450, { task: other, requester: 'helper' })).toBe('granted');
  });

  it('by splitting it over agents that were spawned for it', async () => {
    const { context } = owner;
    owner = { ...owner, context: { ...context, spawnedBy: (agent) => agent === 'helper' ? ['desk'] : [] } };
    expect(await pay(450, { requester: 'helper' })).toBe('granted');
    await handOver('helper', 'triage', { task: taskAt(startMs, 9) });
    expect(await pay(451, { task: taskAt(startMs, 9) })).toBe('BOUNDS_EXCEEDED subtree/desk');
  });

  it('by ending the child through which it was handed on', async () => {
    let lives = true;
    const spawnedBy = (agent: string) => (lives && agent === 'helper' ? ['desk'] : []);
    owner = { ...owner, context: { ...owner.context, spawnedBy } };
    await handOver('desk', 'helper');
    await handOver('helper', 'triage');
    const task = taskAt(startMs);
    expect(await pay(450, { task, requester: 'helper' })).toBe('granted');
    lives = false;
    const other = taskAt(startMs, 9);
    await handOver('triage', 'payments', { task: other, goalHash: null });
    expect(await pay(451, { task: other })).toBe('BOUNDS_EXCEEDED subtree/desk');
    expect(await pay(450, { task: other })).toBe('granted');
  });

  it('by reading again and again under one key, which nobody remembers of a read', async () => {
    const read: Partial<AllotmentAsk> = {
      action: 'check_payment', operation: 'bank.status', amounts: {}, task: taskAt(startMs),
      idempotencyKey: 'k',
    };
    // Its repeat after a crash is the same request, and one charge.
    for (let repeat = 0; repeat < 3; repeat += 1) {
      expect(await pay(0, { ...read, holder: 'first' })).toBe('granted');
    }
    for (let call = 1; call < limits.ownCalls; call += 1) expect(await pay(0, read)).toBe('granted');
    expect(await pay(0, read)).toBe('BOUNDS_EXCEEDED agent/triage');
  });

  it('by calls of nothing', async () => {
    for (let call = 0; call < limits.ownCalls; call += 1) expect(await pay(0)).toBe('granted');
    expect(await pay(0)).toBe('BOUNDS_EXCEEDED agent/triage');
  });

  it.each([-1, Number.NaN, Infinity, 1e300])('by an amount of %d', async (amount) => {
    expect(await pay(amount)).toMatch(/^BOUNDS_(AMOUNT_INVALID|STORE_UNAVAILABLE)/);
    expect(usedByAgent('triage', owner.context)).toMatchObject([{ used: 0 }, { used: 0 }]);
  });

  it('by leaving the amount out, or naming that of another parameter', async () => {
    expect(await pay(1, { amounts: {} })).toMatch(/^BOUNDS_/);
    expect(await pay(1, { amounts: { quantity: 1 } })).toMatch(/^BOUNDS_/);
  });

  it.each<[string, Partial<AllotmentAsk> & { readonly executor?: string }]>([
    ['an action that nobody may request of it', { requester: 'desk' }],
    ['an action that the mesh does not know', { action: 'wire_money' }],
    ['another operation than the action\'s', { operation: 'bank.status' }],
    ['more than one call of an action', { calls: 2 }],
    ['a write as a read', { action: null, requester: 'payments' }],
    ['reads of a tool that it does not hold',
      { action: null, requester: 'triage', executor: 'triage', operation: 'bank.status' }],
    ['reads for somebody else',
      { action: null, requester: 'helper', executor: 'triage', operation: 'mail.read_file' }],
    ['sums of the mesh file', { charges: [{
      key: 'agent/triage/money', amount: 0, most: 1, windowMs: hourMs, untilMs: 0,
      escalateAt: null, code: 'X',
    }] }],
    ...[
      'request vault pay_invoice/uses', 'request payments check_payment/uses', 'perform check_payment/uses',
      'perform pay_invoice/uses', 'request payments pay_invoice/uses/x', 'request payments pay_invoice', 'request payments pay_invoice/total/',
    ].map((right): [string, Partial<AllotmentAsk>] =>
      [`the use of a mandate that is not its own: ${right}`, { charges: [chargeOf(right)] }]),
    ['a task without a time', { task: 'task' }],
  ])('by a sidecar that asks for %s', async (_, change) => {
    expect(await pay(1, change)).toBe('BOUNDS_ASK_REFUSED ask');
    expect(owner.entries).toMatchObject([{ kind: 'indicator.raised', code: 'BOUNDS_ASK_REFUSED' }]);
  });

  it('by who may charge a mandate: it charges the right to what it was asked for', async () => {
    for (const right of ['request payments pay_invoice/uses', 'request payments pay_invoice/total/amount']) {
      expect(await pay(1, { charges: [chargeOf(right)] })).not.toContain('BOUNDS_ASK_REFUSED');
    }
    // The register of this test gave all mandates to the vault.
    const perform = { charges: [chargeOf('perform pay_invoice/uses')], executor: 'vault' };
    expect(await pay(1, perform)).not.toContain('BOUNDS_ASK_REFUSED');
  });

  it('by a crash between grant and call: asked again, it is charged once', async () => {
    const ask = payAsk(400);
    await askAllotment('payments', ask, owner.context);
    await askAllotment('payments', ask, owner.context);
    expect(usedByAgent('triage', owner.context)).toMatchObject([{ used: 400 }, { used: 1 }]);
  });

  it('by a report on the call of somebody else', async () => {
    const ask = payAsk(400);
    await askAllotment('payments', ask, owner.context);
    const report = { ask, end: 'not-run', unusedShare: 1 } as const;
    await settleAllotment('vault', report, owner.context);
    expect(usedByAgent('triage', owner.context)).toMatchObject([{ used: 400 }, { used: 1 }]);
    await settleAllotment('payments', report, owner.context);
    expect(usedByAgent('triage', owner.context)).toMatchObject([{ used: 0 }, { used: 0 }]);
  });

  it('by a clock that is set back', async () => {
    await pay(700, { task: taskAt(startMs) });
    expect(await pay(450)).toBe('granted');
    nowMs -= 10 * hourMs;
    expect(await pay(260)).toBe('BOUNDS_EXCEEDED agent/triage');
  });

  it('hands out nothing that is not durable', async () => {
    const failing = { ...owner.context.ledger, change: () => Promise.reject(new Error('disk')) };
    const context = { ...owner.context, ledger: failing };
    expect(await askAllotment('payments', payAsk(1), context))
      .toMatchObject({ outcome: 'refused', code: 'BOUNDS_STORE_UNAVAILABLE' });
    await expect(settleAllotment('payments', { ask: payAsk(1), end: 'done', unusedShare: 0 }, context))
      .rejects.toThrow();
  });
});

describe('the owner of the bounds', () => {
  it('records who ran into which bound, and nothing of the amount', async () => {
    await pay(400);
    await pay(499);
    expect(owner.entries).toMatchObject([
      { code: 'BOUNDS_EXCEEDED', detail: { agent: 'triage', executor: 'payments', indicator: 'BLAST_RADIUS' } },
    ]);
    expect(JSON.stringify(owner.entries)).not.toContain('499');
  });

  it('pauses an agent whose calls fail, before the operation is lost to the others', async () => {
    const { agentFailures } = mesh.bounds.breaker;
    for (let call = 0; call < agentFailures; call += 1) {
      const ask = payAsk(1, { holder: `f${call}`, task: taskAt(startMs, call) });
      expect(await askAllotment('payments', ask, owner.context)).toMatchObject({ outcome: 'granted' });
      await settleAllotment('payments', { ask, end: 'failed', unusedShare: 1 }, owner.context);
    }
    expect(await pay(1)).toBe('BOUNDS_AGENT_PAUSED agent/triage');
    expect(await pay(1, { requester: 'helper' })).toBe('granted');
    const breaker = 'agent/triage';
    const turns = () => owner.entries.filter(({ kind }) => kind === 'breaker.changed');
    expect(turns()).toMatchObject([{ detail: { breaker, to: 'open', agent: 'triage', executor: 'payments' } }]);
    const { openMs, probes } = mesh.bounds.breaker;
    nowMs += openMs;
    for (let call = 0; call < probes; call += 1) {
      const ask = payAsk(1, { holder: `p${call}`, task: taskAt(nowMs, call) });
      expect(await askAllotment('payments', ask, owner.context)).toMatchObject({ outcome: 'granted' });
      await settleAllotment('payments', { ask, end: 'done', unusedShare: 1 }, owner.context);
    }
    expect(turns().at(-1)).toMatchObject({ detail: { breaker, to: 'closed' } });
    expect(turns()).toHaveLength(2);
  });

  it('asks a person once beyond half of a cap', async () => {
    owner = ownerOf(boundedMesh(sampleMesh(), { escalateAt: 0.5 }), () => nowMs);
    expect(await pay(250)).toBe('granted');
    expect(await pay(101)).toBe('BOUNDS_HALF_REACHED agent/triage');
    const ask = payAsk(101, { holder: 'held', task: taskAt(startMs, 50), released: true });
    owner.approvals.set('held', approvalOf(ask));
    expect(await askAllotment('payments', ask, owner.context)).toMatchObject({ outcome: 'granted' });
    expect(await pay(100)).toBe('granted');
  });

  it.each<[string, Parameters<typeof approvalOf>[1] | null]>([
    ['no approval', null],
    ['one that nobody decided yet', { state: 'pending' }],
    ['one that was denied', { state: 'denied' }],
    ['one that expired', { state: 'expired' }],
    ['one for another reason', { hold: { reasons: ['POLICY_ENDORSEMENT_REQUIRED'] } }],
    ['one of another executor', { hold: { executor: 'vault' } }],
    ['one of another message', { hold: { message: 'other' } }],
    ['one of another task', { hold: { task: taskAt(startMs, 60) } }],
    ['one of another requester', { hold: { requester: 'helper' } }],
    ['one of another action', { hold: { action: 'check_payment' } }],
  ])('opens no sum to everybody on the word of a sidecar with %s', async (_, change) => {
    owner = ownerOf(boundedMesh(sampleMesh(), { escalateAt: 0.5 }), () => nowMs);
    const ask = payAsk(351, { holder: 'held', task: taskAt(startMs, 50), released: true });
    if (change !== null) owner.approvals.set('held', approvalOf(ask, change));
    expect(await askAllotment('payments', ask, owner.context))
      .toMatchObject({ outcome: 'escalate', code: 'BOUNDS_HALF_REACHED' });
    expect(await pay(351)).toMatch(/^BOUNDS_HALF_REACHED/);
  });

  it('asks nobody before a cap is reached at tier 3, and stops at the cap; CRITICAL asks at every tier', async () => {
    const mesh = { ...boundedMesh(sampleMesh(), { escalateAt: 0.5 }), autonomyTier: 3 } as const;
    owner = ownerOf(mesh, () => nowMs);
    expect(await pay(250)).toBe('granted');
    expect(await pay(101)).toBe('granted');
    expect(await pay(1e6)).toContain('BOUNDS_EXCEEDED');
    const critical = new Map([...mesh.actions].map(([name, action]) => [name, { ...action, risk: 'CRITICAL' as const }]));
    owner = ownerOf({ ...mesh, actions: critical }, () => nowMs);
    expect(await pay(250)).toBe('granted');
    expect(await pay(101)).toBe('BOUNDS_HALF_REACHED agent/triage');
  });
});

function chargeOf(right: string): Charge {
  return {
    key: `mandate/${'m'.repeat(43)}/${right}`, amount: 1, most: 5, windowMs: null, untilMs: startMs + hourMs,
    escalateAt: null, code: 'MANDATE_COUNT_EXCEEDED',
  };
}
