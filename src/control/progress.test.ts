// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, it } from 'vitest';
import { sampleMesh } from '../../test/mesh-files/sample.ts';
import type { Mesh } from '../mesh/mesh.ts';
import type { Milestone, Workflow } from '../mesh/workflow.ts';
import type { EnvelopeBody } from '../message/envelope.ts';
import { askAllotment, noteHandOver } from './allotments.ts';
import { approvalOf, boundedMesh, ownerOf, payAsk, startMs, taskAt, type Owner } from './bounds-fixture.ts';

const task = taskAt(startMs);
const report: Milestone = { kind: 'message', schema: 'report/1', from: null };
const base = boundedMesh(sampleMesh());
let messages = 0;

const workflow: Workflow = {
  name: 'w', id: 'w', version: '3', goal: 'g', agents: ['triage', 'payments'], digest: 'd', conflicts: [],
  criteria: [
    { id: 'read', text: 'r', kind: 'success', coveredBy: [], shownBy: [{ kind: 'message', schema: 'mail/1', from: null }] },
    { id: 'leak', text: 'l', kind: 'failure', coveredBy: [], shownBy: [{ kind: 'message', schema: 'leak/1', from: null }] },
  ],
  phases: [{ id: 'reading', endsWith: report, criteria: ['read'] }],
  sums: [{ id: 'all-payments', of: 'money', actions: ['pay_invoice'], most: 100 }],
};

function meshOf(change: Partial<Mesh> = {}): Mesh {
  return { ...base, workflows: new Map([['w', workflow]]), ...change };
}

function owner(mesh: Mesh): Owner {
  return ownerOf(mesh, () => startMs + 1000);
}

const say = (schema: string, { context }: Owner, change: Partial<EnvelopeBody> = {}) => noteHandOver({
  id: `m${++messages}`, task, from: 'triage', to: 'desk', schema, type: 'data', payload: {}, ...change,
} as EnvelopeBody, context);
const pay = (amount: number, { context }: Owner, change = {}) =>
  askAllotment('payments', payAsk(amount, { holder: `r${amount}`, ...change }), context);

let mine: Owner;
beforeEach(() => {
  mine = owner(meshOf());
});

describe('a workflow at the node', () => {
  it('refuses the action that takes a sum beyond it, though each keeps to its own bounds', async () => {
    expect(await pay(60, mine)).toMatchObject({ outcome: 'granted' });
    expect(await pay(50, mine)).toMatchObject({ outcome: 'refused', code: 'INTENT_SUM_EXCEEDED' });
    expect(await pay(50, owner(base))).toMatchObject({ outcome: 'granted' });
    expect(await pay(40, mine)).toMatchObject({ outcome: 'granted' });
  });

  it('goes on after a phase that shows its criteria, and is on record', async () => {
    await say('mail/1', mine);
    await say('report/1', mine);
    expect(mine.entries.filter(({ kind }) => kind === 'workflow.evaluated')).toMatchObject([
      { outcome: 'GO', code: null, task, detail: { workflow: 'w', version: '3', phase: 'reading', end: true, shown: ['read'] } },
    ]);
    expect(await pay(10, mine)).toMatchObject({ outcome: 'granted' });
  });

  it('puts the actions of a task before people once a phase shows nothing of a criterion', async () => {
    await say('report/1', mine);
    const ask = { outcome: 'escalate', code: 'INTENT_CRITERION_UNSHOWN' };
    expect(await pay(10, mine)).toMatchObject(ask);
    expect(await pay(10, mine, { task: taskAt(startMs, 1) })).toMatchObject({ outcome: 'granted' });
    const released = payAsk(10, { holder: 'r10', released: true });
    expect(await askAllotment('payments', released, mine.context)).toMatchObject(ask);
    mine.approvals.set('r10', approvalOf(released, { hold: { reasons: ['BOUNDS_HALF_REACHED'] } }));
    expect(await askAllotment('payments', released, mine.context)).toMatchObject(ask);
    mine.approvals.set('r10', approvalOf(released, { hold: { reasons: ['INTENT_CRITERION_UNSHOWN'] } }));
    expect(await askAllotment('payments', released, mine.context)).toMatchObject({ outcome: 'granted' });
  });

  it('tells people of every doubt at once, since they decide once', async () => {
    const clear = { ...base, schemas: new Map([...base.schemas, ['order/1', { id: 'order/1', type: 'instruction' as const, schema: {}, unclearWithout: ['/criteria'] }]]) };
    const two = owner({ ...clear, workflows: new Map([['w', workflow]]) });
    await say('order/1', two, { type: 'instruction', from: 'desk', to: 'triage' });
    await say('report/1', two);
    expect(two.entries).toContainEqual(expect.objectContaining({ kind: 'indicator.raised', code: 'INTENT_UNCLEAR' }));
    const asked = await pay(10, two);
    expect(asked).toMatchObject({ outcome: 'escalate', code: 'INTENT_UNCLEAR', also: ['INTENT_CRITERION_UNSHOWN'] });
    const released = payAsk(10, { holder: 'r10', released: true });
    two.approvals.set('r10', approvalOf(released, { hold: { reasons: ['INTENT_UNCLEAR', 'INTENT_CRITERION_UNSHOWN'] } }));
    expect(await askAllotment('payments', released, two.context)).toMatchObject({ outcome: 'granted' });
  });

  it('ends the task that a failure criterion names', async () => {
    await say('leak/1', mine);
    expect(mine.ended).toEqual([`${task} w`]);
    expect(await pay(10, mine)).toMatchObject({ outcome: 'refused', code: 'INTENT_CRITERION_BROKEN' });
    expect(mine.entries.some(({ code, kind }) => kind === 'workflow.evaluated' && code === 'INTENT_CRITERION_BROKEN')).toBe(true);
  });

  it('admits nothing that it cannot remember', async () => {
    const broken = owner(meshOf());
    const store = broken.context.progress.store;
    store.add = () => Promise.reject(new Error('disk'));
    await expect(say('report/1', broken)).rejects.toThrow();
    store.of = () => {
      throw new Error('disk');
    };
    expect(await pay(10, broken)).toMatchObject({ outcome: 'refused', code: 'BOUNDS_STORE_UNAVAILABLE' });
  });
});
