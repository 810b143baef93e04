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
