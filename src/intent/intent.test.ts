// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { sampleMesh } from '../../test/mesh-files/sample.ts';
import type { Mesh } from '../mesh/mesh.ts';
import type { OISpec } from '../mesh/oispec.ts';
import type { Milestone, Workflow } from '../mesh/workflow.ts';
import { conditionsAgainst } from './condition.ts';
import { evaluationsAfter } from './evaluate.ts';
import type { Mark, PlacedMark } from './progress.ts';
import { isConditioned } from './watched.ts';

const base = sampleMesh();
const report: Milestone = { kind: 'message', schema: 'report/1', from: 'triage' };
const paid: Milestone = { kind: 'action', action: 'pay_invoice' };
const checked: Milestone = { kind: 'action', action: 'check_payment' };

function workflow(change: Partial<Workflow> = {}): Workflow {
  const criterion = (id: string, kind: 'success' | 'failure', shownBy: readonly Milestone[]) =>
    ({ id, text: id, kind, coveredBy: [], shownBy });
  return {
    name: 'w', id: 'w', version: '1', goal: 'g', agents: ['triage', 'payments'], digest: 'd', sums: [], conflicts: [],
    criteria: [
      criterion('reported', 'success', [report]), criterion('looked', 'success', [checked]),
      criterion('twice', 'failure', [{ kind: 'message', schema: 'again/1', from: null }]),
      criterion('polite', 'success', []),
    ],
    phases: [
      { id: 'read', endsWith: report, criteria: ['reported'] },
      { id: 'done', endsWith: paid, criteria: [] },
    ],
    ...change,
  };
}

function meshWith(workflows: readonly Workflow[], oispec: Partial<OISpec> = {}, challengedBy: readonly string[] = []): Mesh {
  const agents = new Map([...base.agents].map(([name, agent]) =>
    [name, agent.oispec === null ? agent : { ...agent, oispec: { ...agent.oispec, ...oispec } }] as const));
  const pay = base.actions.get('pay_invoice');
  if (pay === undefined) throw new Error('the sample has changed');
  const assurance = { confidenceMin: null, unknownsMax: null, challengedBy };
  const actions = new Map([...base.actions, ['pay_invoice', challengedBy.length === 0 ? pay : { ...pay, assurance }]]);
  return { ...base, agents, actions, workflows: new Map(workflows.map((one) => [one.name, one])) };
}

const placed = (...marks: readonly Mark[]): readonly PlacedMark[] =>
  marks.map((mark, index) => ({ mark, place: index + 1 }));
const message = (schema: string, from = 'triage'): Mark => ({ kind: 'message', schema, from });
const done = (action: string, by = 'triage'): Mark => ({ kind: 'action', action, by });
const asked = { action: 'pay_invoice', requester: 'triage', executor: 'payments' };

function against(mesh: Mesh, ...marks: readonly Mark[]) {
  return conditionsAgainst(asked, placed(...marks), mesh).map(({ outcome, code, of }) => [outcome, code, of]);
}

function evaluated(mesh: Mesh, ...marks: readonly Mark[]) {
  const newest = marks.at(-1);
  if (newest === undefined) throw new Error('nothing happened');
  return evaluationsAfter(newest, placed(...marks), mesh)
    .map(({ phase, outcome, findings }) => [phase, outcome, ...findings.map(({ code, criterion }) => `${code} ${criterion}`)]);
}

describe('the order of actions', () => {
  const mesh = meshWith([], { actionOrder: [{ action: 'pay_invoice', after: ['check_payment'] }] });

  it('keeps an action back until what comes before it is done in the task', () => {
    expect(against(mesh)).toEqual([['NO-GO', 'INTENT_ORDER', 'check_payment']]);
    expect(against(mesh, done('pay_invoice'))).toEqual([['NO-GO', 'INTENT_ORDER', 'check_payment']]);
    expect(against(mesh, done('check_payment'))).toEqual([]);
  });

  it('is asked for where it says something, and nowhere else', () => {
    expect(isConditioned('pay_invoice', mesh)).toBe(true);
    expect([isConditioned('check_payment', mesh), isConditioned(null, mesh), isConditioned('pay_invoice', base)])
      .toEqual([false, false, false]);
  });
});

describe('a challenger', () => {
  const mesh = meshWith([], {}, ['desk']);
  const said = (standing: 'stands' | 'doubtful' | 'falls'): Mark => ({ kind: 'challenge', by: 'desk', standing });
  const claim: Mark = { kind: 'claim', from: 'triage' };

  it('has to answer, and to answer the newest claim', () => {
    const missing = [['NO-GO', 'INTENT_CHALLENGE_MISSING', 'desk']];
    expect(against(mesh)).toEqual(missing);
    expect(against(mesh, claim)).toEqual(missing);
    expect(against(mesh, said('stands'), claim)).toEqual(missing);
    expect(against(mesh, { kind: 'challenge', by: 'payments', standing: 'stands' })).toEqual(missing);
  });

  it('stops what falls, has people look at what is doubtful, and lets go on what stands', () => {
    expect(against(mesh, claim, said('falls'))).toEqual([['NO-GO', 'INTENT_CHALLENGE_FELL', 'desk']]);
    expect(against(mesh, claim, said('doubtful'))).toEqual([['ESCALATE', 'INTENT_CHALLENGE_DOUBTFUL', 'desk']]);
    expect(against(mesh, claim, said('stands'))).toEqual([]);
  });
});

describe('a workflow as a whole', () => {
  const mesh = meshWith([workflow()]);

  it('is evaluated at the end of each phase, and at its end for everything that can be seen', () => {
    expect(evaluated(mesh, message('report/1'))).toEqual([['read', 'GO']]);
    expect(evaluated(mesh, message('report/1'), done('pay_invoice')))
      .toEqual([['done', 'ESCALATE', 'INTENT_CRITERION_UNSHOWN looked']]);
    expect(evaluated(mesh, message('report/1'), done('check_payment'), done('pay_invoice'))).toEqual([['done', 'GO']]);
  });

  it('counts only what its own agents did', () => {
    const other = meshWith([workflow({ agents: ['payments'] })]);
    expect(evaluated(other, message('report/1'), done('pay_invoice'))).toEqual([]);
  });

  it('refuses at once what a failure criterion names, and says so once', () => {
    expect(evaluated(mesh, message('again/1'))).toEqual([['running', 'NO-GO', 'INTENT_CRITERION_BROKEN twice']]);
    const known: Mark = { kind: 'evaluated', workflow: 'w', phase: 'running', outcome: 'NO-GO' };
    expect(evaluated(mesh, message('again/1'), known, message('x/1'))).toEqual([]);
  });

  it('sees that two things which may each happen happened both', () => {
    const conflicts = [{ id: 'check-or-pay', between: [checked, paid] }];
    const torn = meshWith([workflow({ conflicts })]);
    expect(evaluated(torn, done('check_payment'))).toEqual([]);
    expect(evaluated(torn, done('check_payment'), message('report/1'), done('pay_invoice')))
      .toEqual([['done', 'ESCALATE', 'INTENT_CONFLICT check-or-pay']]);
  });

  it.each([
    ['every_action', 'running', 'read', 'done'],
    ['per_phase', null, 'read', 'done'],
    ['post_execution', null, null, 'done'],
  ] as const)('is evaluated as often as the agent says: %s', (evaluation, between, phase, end) => {
    const rare = meshWith([workflow()], { evaluation });
    const phaseOf = (...marks: readonly Mark[]) => evaluated(rare, ...marks)[0]?.[0] ?? null;
    expect(phaseOf(message('again/1'))).toBe(between);
    expect(phaseOf(message('again/1'), message('report/1'))).toBe(phase);
    expect(phaseOf(message('again/1'), message('report/1'), done('pay_invoice'))).toBe(end);
  });

  it('puts further actions of the task before people, or ends them', () => {
    const after = (outcome: 'GO' | 'NO-GO' | 'ESCALATE') =>
      against(mesh, { kind: 'evaluated', workflow: 'w', phase: 'read', outcome });
    expect(after('GO')).toEqual([]);
    expect(after('ESCALATE')).toEqual([['ESCALATE', 'INTENT_CRITERION_UNSHOWN', 'workflow/w/read']]);
    expect(after('NO-GO')).toEqual([['NO-GO', 'INTENT_CRITERION_BROKEN', 'workflow/w/read']]);
  });
});
