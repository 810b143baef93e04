// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { loadWorkflowMesh, workflowMesh } from '../../test/mesh-files/workflow-mesh.ts';
import { changesBetween } from './change.ts';
import { edgesBetween } from './edge-index.ts';
import {
  changeableEdges, changeWorkflow, nameOf, readWorkflowChange, widens, type EdgeName, type WorkflowChange,
} from './workflow-change.ts';
import { mayChange } from './workflow-rights.ts';

const edge = (from: string, to: string, domain = 'work'): EdgeName => ({ from, to, domain });
const change = (open: readonly EdgeName[], close: readonly EdgeName[] = []): WorkflowChange =>
  ({ workflow: 'invoices', open, close });
const toClerk = edge('planner', 'clerk');
const toTriage = edge('planner', 'triage');
const codeOf = (asked: WorkflowChange, mesh = workflowMesh()): string | null => {
  const changed = changeWorkflow(mesh, asked);
  return changed.ok ? null : changed.code;
};
const codesOf = (...changes: readonly (readonly [string, string])[]): readonly string[] =>
  loadWorkflowMesh({ changes }).diagnostics.map(({ code }) => code);

describe('a change that a worst-case orchestrator proposes', () => {
  it('cannot leave the edges that its workflow leaves open to change', () => {
    const mesh = workflowMesh();
    for (const asked of [
      change([edge('planner', 'payments')]),
      change([edge('clerk', 'payments')]),
      change([], [edge('planner', 'reviewer')]),
      change([], [edge('reviewer', 'payments')]),
      change([edge('planner', 'outsider')]),
      change([edge('planner', 'clerk', 'elsewhere')]),
      change([edge('planner -> clerk in', 'work')]),
      { ...change([toClerk]), workflow: 'payroll' },
      { ...change([toClerk]), workflow: 'unknown' },
    ]) {
      expect([asked, codeOf(asked, mesh)]).toEqual([asked, 'MESH_CHANGE_BOUNDS']);
    }
    expect(codeOf(change([toClerk, toClerk]), mesh)).toBe('MESH_CHANGE_BOUNDS');
  });

  it('is refused where it says nothing new, so that nothing is approved twice', () => {
    expect(codeOf(change([]))).toBe('MESH_CHANGE_NOTHING');
    expect(codeOf(change([toTriage]))).toBe('MESH_CHANGE_NOTHING');
    expect(codeOf(change([], [toClerk]))).toBe('MESH_CHANGE_NOTHING');
    const opened = changeWorkflow(workflowMesh(), change([toClerk]));
    expect(opened.ok && codeOf(change([toClerk]), opened.mesh)).toBe('MESH_CHANGE_NOTHING');
  });

  it('is read only in its one form', () => {
    const good = { workflow: 'invoices', open: [{ ...toClerk }], close: [] };
    expect(readWorkflowChange(good)).toEqual(good);
    for (const bad of [
      null, [], { ...good, agents: [] }, { ...good, open: undefined }, { ...good, workflow: '../x' },
      { ...good, open: [{ ...toClerk, may_request: ['count'] }] }, { ...good, open: [toClerk, toClerk] },
      { ...good, close: [{ ...toClerk }] }, { ...good, open: [{ from: 'planner', to: 'clerk' }] },
      { ...good, open: Array.from({ length: 65 }, (_, to) => edge('planner', `a${to}`)) },
      { ...good, open: [{ ...toClerk, to: 7 }] },
    ]) {
      expect([bad, readWorkflowChange(bad as never)]).toEqual([bad, null]);
    }
  });

  it('brings nothing else along through an anchor', () => {
    const shared: readonly (readonly [string, string])[] = [
      ['workflow: invoices, open: false }', 'workflow: invoices, open: &word false }'],
      ['schemas: [note/1], workflow: invoices, open: true }', 'schemas: [note/1], workflow: invoices, open: *word }'],
    ];
    const mesh = workflowMesh({ changes: shared });
    expect(codeOf(change([toClerk]), mesh)).toBe('MESH_CHANGE_REFUSED');
    expect(codeOf(change([edge('clerk', 'reviewer')]), mesh)).toBe('MESH_CHANGE_REFUSED');
  });
});

describe('a change within its bounds', () => {
  it('exchanges the words of its edges, and nothing else in any text', () => {
    const before = workflowMesh();
    const asked = change([toClerk], [toTriage]);
    const changed = changeWorkflow(before, asked);
    if (!changed.ok) throw new Error(changed.code);
    const lines = (text = ''): readonly string[] => text.split('\n');
    const [old, now] = [before.bundle, changed.bundle]
      .map((bundle) => lines(bundle?.texts['security_mesh.yaml']));
    const different = old?.flatMap((line, index) => line === now?.[index] ? [] : [now?.[index]?.trim()]);
    expect(different).toEqual([
      '- { from: planner, to: triage, schemas: [order/1], workflow: invoices, open: false }',
      '- { from: planner, to: clerk, schemas: [order/1], workflow: invoices, open: true } # when there is much to do',
    ]);
    expect(edgesBetween(before, 'planner', 'clerk')).toEqual([]);
    expect(edgesBetween(changed.mesh, 'planner', 'clerk')).toHaveLength(1);
    expect(edgesBetween(changed.mesh, 'planner', 'triage')).toEqual([]);
    expect(changed.mesh.digest).not.toBe(before.digest);
    // Whoever has the mesh before comes to the same.
    expect(changeWorkflow(workflowMesh(), asked)).toMatchObject({ ok: true, mesh: { digest: changed.mesh.digest } });
    expect(changesBetween(before, changed.mesh).filter(({ what }) => what === 'edge')).toMatchObject([
      { kind: 'removed', name: nameOf(toTriage), effect: 'narrows' },
      { kind: 'added', name: nameOf(toClerk), effect: 'widens' },
    ]);
    expect([widens(asked), widens(change([], [toTriage]))]).toEqual([true, false]);
    const back = changeWorkflow(changed.mesh, change([toTriage], [toClerk]));
    expect(back.ok && back.mesh.digest).toBe(before.digest);
  });

  it('is shown with all edges that may be changed', () => {
    const names = changeableEdges(workflowMesh()).map((one) => [nameOf(one), one.open]);
    expect(names).toEqual([
      ['planner -> triage in work', true], ['clerk -> reviewer in work', true], ['planner -> clerk in work', false],
    ]);
  });
});

describe('the right to change a workflow', () => {
  it('is nobody\'s but whom the mesh file names', () => {
    const mesh = workflowMesh();
    expect(mayChange(mesh, 'planner', 'invoices')).toBe(true);
    for (const [agent, workflow] of [['planner', 'payroll'], ['clerk', 'invoices'], ['desk', 'invoices'], ['x', 'invoices']] as const) {
      expect(mayChange(mesh, agent, workflow)).toBe(false);
    }
  });

  it('is refused to anybody but an orchestrator whose OISpec says so', () => {
    const clerk = 'clerk: { role: RETRIEVER, zone: core';
    expect(codesOf([clerk, `${clerk}, may_change: [invoices]`])).toContain('MESH_CHANGE_ROLE');
    const desk = 'desk: { role: ORCHESTRATOR, zone: core, originator: true';
    expect(codesOf([desk, `${desk}, may_change: [invoices]`])).not.toContain('MESH_CHANGE_ROLE');
    expect(codesOf(['oispec: oispec/planner.yaml', 'oispec: oispec/unable.yaml'])).toContain('MESH_CHANGE_OISPEC');
    expect(codesOf(['may_change: [invoices]', 'may_change: [unknown]'])).toContain('MESH_CHANGE_WORKFLOW');
    expect(codesOf(['may_change: [invoices]', 'may_change: [payroll]'])).toContain('MESH_CHANGE_IDLE');
  });

  it('bears on edges between those who take part, both keys at once', () => {
    const fixed = '- { from: planner, to: reviewer, schemas: [order/1] }';
    const keyed = (keys: string): readonly string[] =>
      codesOf([fixed, `- { from: planner, to: reviewer, schemas: [order/1], ${keys} }`]);
    expect(keyed('open: true')).toContain('MESH_CHANGE_INCOMPLETE');
    expect(keyed('workflow: invoices')).toContain('MESH_CHANGE_INCOMPLETE');
    expect(keyed('workflow: unknown, open: true')).toContain('MESH_CHANGE_WORKFLOW');
    expect(keyed('workflow: payroll, open: true')).toContain('MESH_CHANGE_STRANGER');
    expect(keyed('workflow: invoices, open: true')).not.toContain('MESH_CHANGE_STRANGER');
  });

  it('is warned of where an edge, once opened, leads past a reviewer', () => {
    const more = '- { from: clerk, to: payments, may_request: [count], workflow: invoices, open: false }';
    const { diagnostics } = loadWorkflowMesh({ changes: [['  pace:', `    ${more}\n  pace:`]] });
    const found = diagnostics.find(({ code }) => code === 'MESH_CHANGE_SHORTCUT');
    expect([found?.severity, found?.message]).toEqual(['warning', 'Open, it lets clerk reach payments without reviewer.']);
    expect(loadWorkflowMesh().diagnostics.map(({ code }) => code)).not.toContain('MESH_CHANGE_SHORTCUT');
  });

  it('is proven as if every edge were open: what breaks separation of duties is refused closed', () => {
    const more = '- { from: planner, to: clerk, may_request: [count], workflow: invoices, open: false }';
    const closed = loadWorkflowMesh({ changes: [
      ['- { from: planner, to: clerk, schemas: [order/1], workflow: invoices, open: false } # when there is much to do', more],
    ] });
    expect(closed.diagnostics.map(({ code }) => code)).toContain('MESH_DUTIES_NOT_EXECUTOR');
    expect(closed.ok).toBe(false);
  });
});
