// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import type { RecordedEntry } from './entry.ts';
import { WorkflowRuns } from './workflow-runs.ts';

function evaluated(task: string, phase: string, outcome: 'GO' | 'NO-GO' | 'ESCALATE', findings: readonly string[] = []) {
  return {
    kind: 'workflow.evaluated', task, outcome, at: 7,
    detail: { workflow: 'w', version: '2', phase, end: phase === 'last', findings: [...findings] },
  } as unknown as RecordedEntry;
}

test('a run is what was said of its phases, and the worst of it stays', () => {
  const runs = new WorkflowRuns();
  runs.add(evaluated('t1', 'first', 'ESCALATE', ['INTENT_CRITERION_UNSHOWN a']));
  runs.add(evaluated('t2', 'first', 'GO'));
  runs.add(evaluated('t1', 'last', 'GO'));
  runs.add({ ...evaluated('t1', 'x', 'GO'), kind: 'judge.ruled' } as RecordedEntry);
  expect(runs.runs().map(({ task, ended, outcome }) => [task, ended, outcome]))
    .toEqual([['t2', false, 'GO'], ['t1', true, 'ESCALATE']]);
  expect(runs.runs()[1]?.phases).toEqual([
    { phase: 'first', outcome: 'ESCALATE', at: 7, findings: ['INTENT_CRITERION_UNSHOWN a'] },
    { phase: 'last', outcome: 'GO', at: 7, findings: [] },
  ]);
});
