// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, test } from 'vitest';
import type { EntryDraft } from '../recorder/entry.ts';
import { InteractionGraph } from './graph.ts';
import { EntryWatch, type Raised } from './entry-watch.ts';
import { bucketMs, Scorer } from './scorer.ts';

const dayMs = 86_400_000;
let scorer: Scorer;
let watch: EntryWatch;
let learned: string[];

beforeEach(() => {
  scorer = new Scorer(() => 'role');
  learned = [];
  watch = new EntryWatch({
    graph: new InteractionGraph(),
    scorer, contextSize: () => 1_000, budgetOf: () => 1_000, learned: (agent) => void learned.push(agent),
  });
});

function entry(kind: EntryDraft['kind'], detail: EntryDraft['detail'], change: Partial<EntryDraft> = {}): EntryDraft {
  return {
    kind, id: 'id', at: 0, actor: 'agent:a', task: 'task', message: null, causedBy: [], outcome: 'GO', code: null,
    verdicts: [], tookUs: null, detail, ...change,
  };
}

const model = (micros: number, inputTokens = 10): EntryDraft => entry('model.called', { micros, inputTokens });

describe('what is recorded, as it is watched', () => {
  test('tells of each mark of a budget once, before it is spent', () => {
    const raised = Array.from({ length: 20 }, () => watch.take(model(50), 0)).flat();
    expect(raised.map(({ score, reasons: [reason] }) => [score, reason?.against])).toEqual([
      [0, '50 % of the budget of the task'], [40, '75 % of the budget of the task'],
      [45, '90 % of the budget of the task'], [50, '95 % of the budget of the task'],
    ]);
  });

  test('isolates an agent whose context is filled to 85 percent, and says so', () => {
    const raised: Raised[] = [];
    for (let at = 0; at < 15 * dayMs; at += bucketMs) {
      raised.push(...watch.take(model(1, at > 14.9 * dayMs ? 870 : 300), at));
    }
    const scores = raised.filter(({ code }) => code === 'ANOMALY_SCORE');
    expect(scores[0]).toMatchObject({ agent: 'a', reasons: [{ signal: 'context-utilisation' }] });
    expect(scores[0]?.score).toBeGreaterThanOrEqual(60);
  });

  test('tells of a decision that went back and forth three times', () => {
    const detail = { action: 'pay', requester: 'planner' };
    const outcomes = ['GO', 'NO-GO', 'ESCALATE', 'GO', 'NO-GO', 'GO'] as const;
    const raised = outcomes.map((outcome) => watch.take(entry('request.reviewed', detail, { outcome }), 0).length);
    expect(raised).toEqual([0, 0, 0, 0, 1, 0]);
  });

  test('takes requests and their answers for no circle', () => {
    for (let round = 0; round < 30; round += 1) {
      for (const schema of ['action-request/1', 'action-outcome/1']) {
        const [actor, to] = schema === 'action-request/1' ? ['agent:a', 'b'] : ['agent:b', 'a'];
        expect(watch.take(entry('message.outbound', { to, schema }, { actor }), round)).toEqual([]);
      }
    }
  });

  test('stops a runaway loop of two agents before its budget is spent', () => {
    const spent: number[] = [];
    const raised: Raised[] = [];
    for (let round = 0; round < 40 && !raised.some(({ score }) => score >= 60); round += 1) {
      for (const [actor, to] of [['agent:a', 'b'], ['agent:b', 'a']] as const) {
        raised.push(...watch.take(entry('model.called', { micros: 40, inputTokens: 1 }, { actor }), round));
        raised.push(...watch.take(entry('message.outbound', { to, schema: 'note/1' }, { actor }), round));
      }
      spent.push(40);
    }
    expect(raised.at(-1)).toMatchObject({ code: 'ANOMALY_LOOP', score: 65 });
    expect(spent.reduce((sum, one) => sum + one, 0)).toBeLessThan(1_000);
  });

  test('goes on after a restart where it stopped', () => {
    for (let at = 0; at < 20 * dayMs; at += bucketMs) watch.take(model(5), at);
    expect(learned.length).toBeGreaterThan(1_000);
    const kept = scorer.kept('a');
    const later = new Scorer(() => 'role');
    expect(kept !== null && later.restore('a', kept)).toBe(true);
    expect(later.kept('a')).toEqual(kept);
    expect(later.restore('b', new Float64Array(7))).toBe(false);
    expect(later.restore('b', Float64Array.from(kept ?? [], () => Number.NaN))).toBe(false);
  });
});
