// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { editSample, loadFiles, sampleFile, sampleFiles } from '../../test/mesh-files/sample.ts';
import { coverageOf } from './workflow.ts';

const workflow = (criteria: string, agents = 'triage, payments'): string => `workflow_id: pay-invoices
created_by: dev@example.org
version: "1"
objective:
  goal: invoices that somebody ordered are paid
  aggregate_success_criteria: ${criteria}
agent_intents: [${agents}]
`;

function load(criteria: string, agents?: string, triageCriteria = '[done]') {
  const files = editSample(
    'success_criteria: [done]', `success_criteria: ${triageCriteria}`, '/mesh/oispec/triage.yaml',
  );
  const text = `${sampleFiles[sampleFile] ?? ''}  workflows: { invoices: workflow.yaml }\n`;
  return loadFiles({ ...files, [sampleFile]: text, '/mesh/workflow.yaml': workflow(criteria, agents) });
}

const codesOf = (...given: Parameters<typeof load>): readonly string[] =>
  load(...given).diagnostics.map(({ code }) => code);

function codesIn(text: string): readonly string[] {
  const mesh = `${sampleFiles[sampleFile] ?? ''}  workflows: { invoices: workflow.yaml }\n`;
  const files = { ...sampleFiles, [sampleFile]: mesh, '/mesh/workflow.yaml': text };
  return loadFiles(files).diagnostics.map(({ code }) => code);
}

describe('an OISpec', () => {
  const codesWith = (from: string, to: string) =>
    loadFiles(editSample(from, to, '/mesh/oispec/triage.yaml')).diagnostics.map(({ code }) => code);
  const order = (text: string) => codesWith('data_scope:', `action_order: ${text}, data_scope:`);

  it('of class HIGH is evaluated at every action', () => {
    const rare = (text: string) => codesWith('risk_classification: HIGH', `risk_classification: ${text}`);
    expect(rare('HIGH\nevaluation_frequency: per_phase')).toEqual(['MESH_EVALUATION_RARE']);
    expect(rare('HIGH\nevaluation_frequency: every_action')).toEqual([]);
    expect(rare('MEDIUM\nevaluation_frequency: post_execution')).toEqual([]);
  });

  it('orders actions that exist, without a circle', () => {
    expect(order('[ { action: pay_invoice, after: [made_up] } ]')).toEqual(['MESH_ACTION_ORDER']);
    expect(order('[ { action: pay_invoice, after: [check_payment] }, { action: check_payment, after: [pay_invoice] } ]'))
      .toEqual(['MESH_ACTION_ORDER', 'MESH_ACTION_ORDER']);
    expect(order('[ { action: pay_invoice, after: [check_payment] } ]')).toEqual([]);
  });
});

describe('the section workflows', () => {
  const load = (sections: string) =>
    loadFiles({ ...sampleFiles, [sampleFile]: `${sampleFiles[sampleFile] ?? ''}${sections}`, '/mesh/workflow.yaml': workflow('[]') });
  const codes = (sections: string) => load(sections).diagnostics.map(({ code }) => code);

  it.each([
    ['both', '{ oispec: workflow.yaml, agents: [triage] }'],
    ['neither', '{ pace: { supervised: triage } }'],
  ])('says who takes part once: %s is refused', (_what, entry) => {
    expect(codes(`  workflows: { w: ${entry} }\n`)).toContain('MESH_WORKFLOW_AGENTS');
  });

  it('says where workflows of `pace` stand now', () => {
    const old = codes('  pace: { workflows: { w: { agents: [triage], supervised: triage } } }\n');
    expect(old).toEqual(['MESH_PACE_WORKFLOWS_MOVED']);
  });

  it.each([
    ['a stranger as the supervised agent', '{ agents: [triage], pace: { supervised: payments } }', 'MESH_PACE_AGENT_UNKNOWN'],
    ['a standby with work', '{ agents: [triage, payments], pace: { standbys: { triage: payments } } }', 'MESH_PACE_STANDBY_BUSY'],
    ['a workflow that is not there', '{ agents: [triage], pace: { depends_on: [other] } }', 'MESH_PACE_WORKFLOW_UNKNOWN'],
    ['itself', '{ agents: [triage], pace: { depends_on: [w] } }', 'MESH_PACE_WORKFLOW_CYCLE'],
    ['an agent that is not there', '{ agents: [nobody] }', 'MESH_AGENT_UNKNOWN'],
  ])('refers to nothing that cannot be: %s', (_what, entry, code) => {
    expect(codes(`  workflows: { w: ${entry} }\n`)).toContain(code);
  });

  it('makes every workflow one that PACE knows, with a specification or without', () => {
    const loaded = load('  workflows: { short: workflow.yaml, long: { oispec: workflow.yaml, pace: { supervised: triage } }, bare: { agents: [triage] } }\n');
    if (!loaded.ok) throw new Error(loaded.diagnostics.map(({ code }) => code).join(' '));
    const { mesh } = loaded;
    expect([...mesh.workflows?.keys() ?? []]).toEqual(['short', 'long']);
    expect([...mesh.pace?.workflows.values() ?? []]).toMatchObject([
      { name: 'short', agents: ['triage', 'payments'], supervised: null, cascade: 'automatic' },
      { name: 'long', agents: ['triage', 'payments'], supervised: 'triage' },
      { name: 'bare', agents: ['triage'] },
    ]);
  });
});

describe('a workflow', () => {
  it('with a criterion that nobody answers for does not start, and says which', () => {
    const loaded = load('[ { id: paid-once, text: Paid once. } ]');
    expect(loaded.ok).toBe(false);
    expect(loaded.diagnostics.map(({ code }) => code)).toEqual(['MESH_WORKFLOW_UNCOVERED']);
    expect(loaded.diagnostics[0]?.message).toContain('paid-once');
  });

  it.each([
    ['a criterion that no agent has', '[ { id: a, text: A., covered_by: [triage/made-up] } ]'],
    ['an agent that is not there', '[ { id: a, text: A., covered_by: [nobody/done] } ]'],
    ['a judge that is not asked', '[ { id: a, text: A., covered_by: [judge/fraud/known-payee] } ]'],
  ])('is not covered by %s', (_what, criteria) => {
    expect(codesOf(criteria)).toContain('MESH_WORKFLOW_REFERENCE');
    expect(codesOf(criteria)).toContain('MESH_WORKFLOW_UNCOVERED');
  });

  it('is not covered by an agent that takes no part in it', () => {
    const codes = codesOf('[ { id: a, text: A., covered_by: [triage/success-1] } ]', 'payments');
    expect(codes).toEqual(expect.arrayContaining(['MESH_WORKFLOW_REFERENCE', 'MESH_WORKFLOW_UNCOVERED']));
  });

  it('has agents that exist, ids that differ, and the hash that it states', () => {
    expect(codesOf('[]', 'nobody')).toContain('MESH_AGENT_UNKNOWN');
    const doubled = '[ { id: a, text: A., covered_by: [triage/success-1] }, { id: a, text: B. } ]';
    expect(codesOf(doubled)).toContain('MESH_CRITERION_DOUBLED');
  });

  const shown = (milestone: string): string =>
    `[ { id: reported, text: R., covered_by: [triage/success-1], shown_by: [${milestone}] } ]`;
  const parts = (text: string) => codesIn(`${workflow(shown('{ schema: status/1 }'))}${text}`);

  it.each([
    ['a message schema', 'phases: [ { id: a, ends_with: { schema: made-up/1 } } ]'],
    ['an action', 'phases: [ { id: a, ends_with: { action: made_up } } ]'],
    ['a sender', 'phases: [ { id: a, ends_with: { schema: status/1, from: desk } } ]'],
    ['a criterion', 'phases: [ { id: a, ends_with: { schema: status/1 }, criteria: [polite] } ]'],
    ['an action of a sum', 'sums: [ { id: s, of: money, actions: [made_up], at_most: 1 } ]'],
    ['a milestone of a conflict', 'conflicts: [ { id: c, between: [ { schema: status/1 }, { action: made_up } ] } ]'],
  ])('refers in its phases, sums and conflicts to nothing undeclared: %s', (_what, text) => {
    expect(parts(text)).toContain('MESH_WORKFLOW_UNKNOWN');
  });

  it('cannot owe at the end of a phase what nothing could show', () => {
    const unseen = workflow('[ { id: polite, text: P., covered_by: [triage/success-1] } ]');
    expect(codesIn(`${unseen}phases: [ { id: a, ends_with: { schema: status/1 }, criteria: [polite] } ]`))
      .toContain('MESH_WORKFLOW_UNKNOWN');
  });

  it('has phases, sums and conflicts', () => {
    expect(parts(`phases: [ { id: a, ends_with: { schema: status/1, from: triage }, criteria: [reported] } ]
sums: [ { id: s, of: money, at_most: 5 } ]
conflicts: [ { id: c, between: [ { schema: status/1 }, { action: pay_invoice } ] } ]
`)).toEqual([]);
  });

  it('is covered by the criteria it names, and by those of the same id', () => {
    const triage = '[ { id: reported, text: Every mail is reported. } ]';
    const loaded = load('[ { id: reported, text: R. }, { id: seen, text: S., covered_by: [triage/reported] } ]', undefined, triage);
    expect(loaded.ok && coverageOf(loaded.mesh)).toEqual([
      { workflow: 'invoices', criterion: 'reported', kind: 'success', coveredBy: ['triage/reported'] },
      { workflow: 'invoices', criterion: 'seen', kind: 'success', coveredBy: ['triage/reported'] },
    ]);
  });

  it('changes the digest of the mesh with its own', () => {
    const [one, two] = [load('[]'), load('[ { id: a, text: A., covered_by: [triage/success-1] } ]')];
    expect(one.ok && two.ok && one.mesh.digest !== two.mesh.digest).toBe(true);
  });
});
