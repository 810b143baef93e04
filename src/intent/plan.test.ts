// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { sampleMesh } from '../../test/mesh-files/sample.ts';
import type { Mesh } from '../mesh/mesh.ts';
import type { Milestone, Workflow } from '../mesh/workflow.ts';
import { conditionsAgainst } from './condition.ts';
import { evaluationsAfter } from './evaluate.ts';
import type { Mark, PlacedMark } from './progress.ts';
import { isConditioned } from './watched.ts';

const report: Milestone = { kind: 'message', schema: 'report/1', from: 'triage' };
const act = (action: string): Milestone => ({ kind: 'action', action });

function workflow(name: string, change: Partial<Workflow> = {}): Workflow {
  return {
    name, id: name, version: '1', goal: 'g', agents: ['triage', 'payments'], digest: 'd', sums: [], conflicts: [],
    criteria: [], phases: [],
    plan: [
      { id: 'read', does: report, optional: false },
      { id: 'ask', does: { kind: 'message', schema: 'ask/1', from: null }, optional: true },
      { id: 'look', does: act('check_payment'), optional: false },
      { id: 'pay', does: act('pay_invoice'), optional: false },
    ],
    ...change,
  };
}

function meshWith(...workflows: readonly Workflow[]): Mesh {
  return { ...sampleMesh(), workflows: new Map(workflows.map((one) => [one.name, one])) };
}

const placed = (...marks: readonly Mark[]): readonly PlacedMark[] =>
  marks.map((mark, index) => ({ mark, place: index + 1 }));
const message = (schema: string, from = 'triage'): Mark => ({ kind: 'message', schema, from });
const done = (action: string, by = 'triage'): Mark => ({ kind: 'action', action, by });

function against(mesh: Mesh, action: string, ...marks: readonly Mark[]) {
  const asked = { action, requester: 'triage', executor: 'payments' };
  return conditionsAgainst(asked, placed(...marks), mesh).map(({ outcome, code, of }) => [outcome, code, of]);
}

describe('a plan', () => {
  const mesh = meshWith(workflow('w'));

  it('puts a step before a person that comes while one before it is not done', () => {
    expect(against(mesh, 'check_payment')).toEqual([['ESCALATE', 'INTENT_STEP_EARLY', 'workflow/w/read']]);
    expect(against(mesh, 'pay_invoice', message('report/1')))
      .toEqual([['ESCALATE', 'INTENT_STEP_EARLY', 'workflow/w/look']]);
    expect(against(mesh, 'pay_invoice')).toHaveLength(2);
  });

  it('is kept with its optional steps or without them', () => {
    expect(against(mesh, 'check_payment', message('report/1'))).toEqual([]);
    expect(against(mesh, 'pay_invoice', message('report/1'), message('ask/1'), done('check_payment'))).toEqual([]);
  });

  it('takes no step of somebody else for its own', () => {
    expect(against(mesh, 'check_payment', message('report/1', 'stranger'))).toHaveLength(1);
    expect(against(mesh, 'pay_invoice', message('report/1'), done('check_payment', 'stranger'))).toHaveLength(1);
  });

  it('puts an action before a person that stands in none', () => {
    const short = meshWith(workflow('w', { plan: [{ id: 'read', does: report, optional: false }] }));
    expect(against(short, 'pay_invoice', message('report/1')))
      .toEqual([['ESCALATE', 'INTENT_STEP_UNPLANNED', 'workflow/w/pay_invoice']]);
  });

  it('of another workflow of the same agents is enough', () => {
    const two = meshWith(workflow('a', { plan: [{ id: 'read', does: report, optional: false }] }), workflow('b'));
    expect(against(two, 'pay_invoice', message('report/1'), done('check_payment'))).toEqual([]);
  });

  it('says nothing of agents that take no part in it', () => {
    const other = meshWith(workflow('w', { agents: ['clerk'] }));
    expect(against(other, 'pay_invoice')).toEqual([]);
  });

  it('makes every action ask the node first', () => {
    expect(isConditioned('pay_invoice', mesh)).toBe(true);
    expect(isConditioned('pay_invoice', meshWith())).toBe(false);
  });

  it('tells a message that comes too early at once, whatever the frequency, and only then', () => {
    const order = meshWith(workflow('w', { plan: [
      { id: 'read', does: report, optional: false },
      { id: 'sum', does: { kind: 'message', schema: 'sum/1', from: null }, optional: false },
    ] }));
    const rare: Mesh = { ...order, agents: new Map([...order.agents].map(([name, agent]) => [
      name, agent.oispec === null ? agent : { ...agent, oispec: { ...agent.oispec, evaluation: 'post_execution' as const } },
    ])) };
    for (const one of [order, rare]) {
      expect(evaluationsAfter(message('sum/1'), placed(message('sum/1')), one)).toMatchObject([
        { phase: 'running', outcome: 'ESCALATE', findings: [{ code: 'INTENT_STEP_EARLY', criterion: 'read' }] },
      ]);
      expect(evaluationsAfter(message('sum/1'), placed(message('report/1'), message('sum/1')), one)).toEqual([]);
    }
  });
});

describe('a question that is open', () => {
  const mesh: Mesh = { ...sampleMesh(), workflows: new Map() };
  const unclear: Mark = { kind: 'unclear', from: 'desk', to: 'triage' };
  const asks: Mark = { kind: 'clarification', by: 'triage', of: 'desk' };
  const told = (by = 'desk', agent = 'triage'): Mark => ({ kind: 'clarified', agent, by });
  const codes = (...marks: readonly Mark[]) => against(mesh, 'pay_invoice', ...marks).map(([, code]) => code);

  it('and one that nobody asked, put actions of the task before a person', () => {
    expect(codes(unclear)).toEqual(['INTENT_UNCLEAR']);
    expect(codes(asks)).toEqual(['INTENT_CLARIFICATION_OPEN']);
    expect(codes(unclear, asks)).toEqual(['INTENT_UNCLEAR', 'INTENT_CLARIFICATION_OPEN']);
  });

  it('is closed by whoever instructed, and by nobody else', () => {
    expect(codes(unclear, asks, told())).toEqual([]);
    expect(codes(unclear, asks, told('payments'))).toHaveLength(2);
    expect(codes(unclear, asks, told('desk', 'payments'))).toHaveLength(2);
  });

  it('is open again once something unclear, or another question, comes after the answer', () => {
    expect(codes(told(), unclear)).toEqual(['INTENT_UNCLEAR']);
    expect(codes(told(), asks)).toEqual(['INTENT_CLARIFICATION_OPEN']);
  });
});

describe('a phase that judges look at', () => {
  const mesh = meshWith(workflow('w', { plan: [] }));
  const judged = (outcome: 'GO' | 'NO-GO' | 'ESCALATE' | 'PENDING' | 'NONE') => (action: string) =>
    against(mesh, action, { kind: 'judged', workflow: 'w', phase: 'p', outcome }).map(([said, code]) => [said, code]);

  it.each([
    ['PENDING', [['ESCALATE', 'INTENT_PHASE_UNJUDGED']], []],
    ['NONE', [['ESCALATE', 'INTENT_PHASE_UNJUDGED']], []],
    ['ESCALATE', [['ESCALATE', 'INTENT_PHASE_DOUBTED']], [['ESCALATE', 'INTENT_PHASE_DOUBTED']]],
    ['NO-GO', [['NO-GO', 'INTENT_PHASE_REFUSED']], [['NO-GO', 'INTENT_PHASE_REFUSED']]],
    ['GO', [], []],
  ] as const)('%s: what cannot be undone, and what can', (outcome, high, low) => {
    expect(judged(outcome)('pay_invoice')).toEqual(high);
    expect(judged(outcome)('check_payment')).toEqual(low);
  });

  it('holds an action that nobody declared, and leaves other workflows alone', () => {
    expect(judged('PENDING')('made_up')).toEqual([['ESCALATE', 'INTENT_PHASE_UNJUDGED']]);
    const other = meshWith(workflow('w', { plan: [], agents: ['clerk'] }));
    expect(against(other, 'pay_invoice', { kind: 'judged', workflow: 'w', phase: 'p', outcome: 'NO-GO' })).toEqual([]);
  });
});
