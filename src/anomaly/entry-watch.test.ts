// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, test } from 'vitest';
import type { EntryDraft } from '../recorder/entry.ts';
import { InteractionGraph } from './graph.ts';
import { EntryWatch, type Raised } from './entry-watch.ts';
import { observationOf } from './observation.ts';
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
    scorer, membersOf: () => () => true, contextSize: () => 1_000, budgetOf: () => ({ micros: 1_000, tokens: 100_000 }), learned: (agent) => void learned.push(agent),
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
      [0, '50 % of the money of the task'], [40, '75 % of the money of the task'],
      [45, '90 % of the money of the task'], [50, '95 % of the money of the task'],
    ]);
  });

  test('counts calls that name no task together, and anew after a day', () => {
    const call = (at: number): readonly (string | undefined)[] =>
      watch.take(entry('model.called', { micros: 0, inputTokens: 1, outputTokens: 76_000 }, { task: null }), at)
        .map(({ reasons: [reason] }) => reason?.against);
    const mark = '75 % of the tokens of calls without a task';
    expect([call(0), call(dayMs), call(dayMs)]).toEqual([[mark], [mark], ['95 % of the tokens of calls without a task']]);
  });

  test('tells of tokens where they run out before the money does, and takes no number for one', () => {
    const call = (outputTokens: number): EntryDraft => entry('model.called', { micros: 1, inputTokens: 1, outputTokens });
    expect(watch.take(call(Number.NaN), 0)).toEqual([]);
    expect(watch.take(call(-1e9), 0)).toEqual([]);
    const raised = watch.take(call(91_000), 0);
    expect(raised.map(({ code, score, reasons: [reason] }) => [code, score, reason?.against]))
      .toEqual([['ANOMALY_BUDGET', 45, '90 % of the tokens of the task']]);
  });

  test('tells of a context at 70 percent, isolates at 85 and contains at 95, at once and from the first day', () => {
    const seen = [0.69, 0.71, 0.8, 0.3, 0.72, 0.86, 0.87, 0.96].map((fill) =>
      watch.take(model(0, fill * 1_000), 0).map(({ code, score }) => [code, score]));
    expect(seen).toEqual([
      [], [['ANOMALY_CONTEXT', 40]], [], [], [['ANOMALY_CONTEXT', 40]], [['ANOMALY_CONTEXT', 65]], [['ANOMALY_CONTEXT', 65]],
      [['ANOMALY_CONTEXT', 85]],
    ]);
  });

  test('says where a full context alone isolates, at once and with the bucket: a peer may have filled it', () => {
    const raised: Raised[] = [];
    for (let at = 0; at < 15 * dayMs; at += bucketMs) raised.push(...watch.take(model(0, at > 14.9 * dayMs ? 960 : 300), at));
    const isolating = raised.filter(({ score }) => score >= 60);
    expect(new Set(isolating.map(({ code }) => code))).toEqual(new Set(['ANOMALY_CONTEXT', 'ANOMALY_SCORE']));
    expect(isolating.every(({ byContext }) => byContext === true)).toBe(true);
  });

  test('a flood isolates for what the agent did', () => {
    const raised: Raised[] = [];
    for (let at = 0; at < 15 * dayMs; at += bucketMs) {
      const count = at > 14.9 * dayMs ? 90 : 9;
      for (let index = 0; index < count; index += 1) raised.push(...watch.take(entry('message.outbound', {}, { task: null }), at + index));
    }
    const isolating = raised.filter(({ score }) => score >= 60);
    expect(isolating.length).toBeGreaterThan(0);
    expect(isolating.some(({ byContext }) => byContext === true)).toBe(false);
  });

  test('a call that was refused says nothing of the context', () => {
    expect(watch.take(model(0, 800), 0)).toHaveLength(1);
    expect(watch.take(entry('model.called', { micros: 0, inputTokens: 0 }, { outcome: 'NO-GO' }), 1)).toEqual([]);
    expect(watch.take(model(0, 810), 2)).toEqual([]);
  });

  test('tells of texts that are made of something else, and isolates nobody for that alone', () => {
    const raised: Raised[] = [];
    for (let at = 0; at < 17 * dayMs; at += bucketMs) {
      const distance = (at > 16.9 * dayMs ? 0.55 : 0.1) + 0.02 * Math.sin(at);
      for (let index = 0; index < 10; index += 1) {
        raised.push(...watch.take(entry('message.outbound', { payload: { distance } }, { task: null }), at + index));
      }
    }
    expect(raised[0]).toMatchObject({ code: 'ANOMALY_SCORE', reasons: [{ signal: 'content-drift' }] });
    expect(Math.max(...raised.map(({ score }) => score))).toBeLessThan(60);
    for (const distance of [Number.NaN, -1, 9, '1', null]) {
      expect(observationOf(entry('message.outbound', { payload: { distance } }), 0, () => null)?.contentDistance).toBeNull();
    }
  });

  test('an agent that comes back is not scored for the time that it was stopped', () => {
    const day = (from: number, to: number): Raised[] => {
      const raised: Raised[] = [];
      for (let at = from; at < to; at += bucketMs) {
        for (let index = 0; index < 60; index += 1) raised.push(...watch.take(entry('message.outbound', {}, { task: null }), at + index));
      }
      return raised;
    };
    day(0, 20 * dayMs);
    const back = { unit: 'agent:a', fromPhase: 'ALTERNATE', toPhase: 'PRIMARY' };
    watch.take(entry('pace.changed', back, { actor: 'node' }), 20.1 * dayMs);
    expect(day(20.1 * dayMs, 20.2 * dayMs)).toEqual([]);
    expect(day(20.3 * dayMs, 20.4 * dayMs).map(({ code }) => code)).toContain('ANOMALY_SCORE');
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

  test('tells of a slow drift under a code of its own, without a score, and once', () => {
    const raised: Raised[] = [];
    const cost = (at: number): number => 1_000 * (1 + 0.01 * Math.max(0, (at - 60 * dayMs) / (7 * dayMs)));
    for (let at = 0; at < 100 * dayMs; at += 12 * bucketMs) {
      raised.push(...watch.take(entry('model.called', { micros: Math.round(cost(at) * (at % 7 === 0 ? 1.05 : 0.95)) }, { task: null }), at));
    }
    const drifts = raised.filter(({ code }) => code === 'ANOMALY_DRIFT');
    expect(drifts).toHaveLength(1);
    expect(drifts[0]).toMatchObject({ agent: 'a', score: 0, task: null, reasons: [{ signal: 'cost-trajectory' }] });
    expect(drifts[0]?.reasons[0]?.against).toMatch(/^its own weeks: \+\d.* % by now, .* times as likely as none$/);
    expect(raised.filter(({ score }) => score >= 60)).toEqual([]);
  });
});
