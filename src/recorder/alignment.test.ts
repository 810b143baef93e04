// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import type { Verdict } from '../review/verdict.ts';
import { AlignmentScores } from './alignment.ts';
import type { RecordedEntry } from './entry.ts';

function entry(change: Partial<RecordedEntry>): RecordedEntry {
  return {
    kind: 'message.outbound', id: 'e', at: 0, actor: 'agent:a', task: null, message: null, causedBy: [],
    outcome: 'GO', code: null, verdicts: [], tookUs: null, detail: {}, sequence: 0, recordedAt: 0, ...change,
  };
}

function verdict(control: Verdict['control'], outcome: Verdict['outcome']): Verdict {
  return { control, outcome, version: 'v', tookUs: 0, findings: [] };
}

function scoresOf(...entries: readonly RecordedEntry[]) {
  const scores = new AlignmentScores();
  for (const one of entries) scores.add(one);
  return scores.scores();
}

const refused = entry({ kind: 'message.refused', outcome: 'NO-GO', verdicts: [verdict('policy-compliance', 'NO-GO')] });

test('refusals by policy lower the score of whoever spoke, and good work raises it again', () => {
  expect(scoresOf(entry({}))).toEqual([{ agent: 'a', score: 100, steps: 1, refused: 0, escalated: 0 }]);
  const [after] = scoresOf(...Array.from({ length: 10 }, () => refused));
  expect(after?.score).toBeCloseTo(100 * 0.9 ** 10);
  expect(after?.refused).toBe(10);
  const [recovered] = scoresOf(refused, ...Array.from({ length: 50 }, () => entry({})));
  expect(recovered?.score).toBeGreaterThan(99);
});

test('a request counts for whoever asked, a ruling for whoever was judged, the least aligned first', () => {
  const asked = entry({
    kind: 'request.reviewed', actor: 'sidecar:b', detail: { requester: 'c' }, verdicts: [verdict('policy-compliance', 'ESCALATE')],
  });
  const ruled = entry({ kind: 'judge.ruled', actor: 'sidecar:b', outcome: 'NO-GO', detail: { from: 'd' } });
  expect(scoresOf(asked, ruled).map(({ agent, score }) => [agent, score])).toEqual([['d', 90], ['c', 95]]);
});

test('what scanners said of a text, and what nodes and sidecars did, counts for nobody', () => {
  const scanned = entry({ kind: 'message.refused', outcome: 'NO-GO', verdicts: [verdict('scanner', 'NO-GO')] });
  const byNode = entry({ ...refused, actor: 'node' });
  expect(scoresOf(scanned, byNode, entry({ kind: 'message.delivered', actor: 'sidecar:a' }))).toEqual([]);
});
