// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, test } from 'vitest';
import { EntryWatch, type Raised } from '../anomaly/entry-watch.ts';
import { InteractionGraph } from '../anomaly/graph.ts';
import { bucketMs, Scorer, stillsMax } from '../anomaly/scorer.ts';
import type { RecordedEntry } from '../recorder/entry.ts';
import { Watch } from './watch.ts';

const minute = 60_000;
const historyMs = 16 * 86_400_000;
const usually = 12;
let nodeScorer: Scorer;
let node: EntryWatch;
let observer: Watch;
let raised: Raised[];
let sequence: number;

/** The node of a mesh and its observer, and what the agent did on 16 days, up to two minutes into a bucket. */
beforeEach(() => {
  raised = [];
  sequence = 0;
  nodeScorer = new Scorer(() => 'role');
  node = nodeWith(nodeScorer);
  observer = new Watch({
    scorer: new Scorer(() => 'role'), operatorKey: () => null, unitsOf, heedMs: 30_000,
  });
  for (let at = 0; at < historyMs; at += bucketMs) act(at, usually);
  act(historyMs, 8);
  raised = [];
  expect(observer.takeFindings()).toEqual([]);
});

const unitsOf = (agent: string): readonly string[] => [`agent:${agent}`, 'workflow:w', 'mesh:mesh'];
const membersOf = (unit: string) => (agent: string): boolean => unitsOf(agent).includes(unit);

function nodeWith(scorer: Scorer): EntryWatch {
  return new EntryWatch({
    graph: new InteractionGraph(), scorer, membersOf, contextSize: () => null, budgetOf: () => null, learned: () => undefined,
  });
}

function take(kind: RecordedEntry['kind'], at: number, detail: RecordedEntry['detail'], actor = 'node'): void {
  sequence += 1;
  const entry: RecordedEntry = {
    kind, id: `entry-${sequence}`, at, actor, task: null, message: null, causedBy: [], outcome: 'GO', code: null,
    verdicts: [], tookUs: null, detail, sequence, recordedAt: at,
  };
  raised.push(...node.take(entry, at));
  observer.take(entry);
}

function act(at: number, count: number): void {
  for (let index = 0; index < count; index += 1) take('message.outbound', at + index, {}, 'agent:a');
}

/** As many as usual for half an hour. */
function goOn(from: number): void {
  for (let at = Math.ceil(from / bucketMs) * bucketMs, left = 6; left > 0; left -= 1, at += bucketMs) act(at, usually);
  observer.advance(from + 60 * minute);
}

/** A node of its own begins where the one before kept what it learned. */
function restart(at: number): void {
  const kept = nodeScorer.kept('a');
  nodeScorer = new Scorer(() => 'role');
  expect(kept !== null && nodeScorer.restore('a', kept)).toBe(true);
  node = nodeWith(nodeScorer);
  take('mesh.started', at, {});
}

function pause(from: number, to: number): void {
  const stop = { stop: 'halt', stopKind: 'halt', unit: 'mesh:mesh', by: 'operator:carol' };
  take('pace.stop', from, { ...stop, change: 'begun' });
  take('pace.stop', to, { ...stop, change: 'lifted' });
}

const isolating = (): readonly number[] => raised.map(({ score }) => score).filter((score) => !(score < 60));
const found = (): readonly string[] => observer.takeFindings().map(({ code }) => code);

describe('node and observer', () => {
  test.each([
    ['a restart and a flood', (at: number) => {
      restart(at + minute);
      return at + minute;
    }],
    ['an hour of pause and a backlog', (at: number) => {
      pause(at, at + 60 * minute);
      return at + 60 * minute;
    }],
    ['a quarter of an hour of pause and a backlog', (at: number) => {
      pause(at, at + 15 * minute);
      return at + 15 * minute;
    }],
    ['a workflow that is back and a backlog', (at: number) => {
      take('pace.stop', at + minute, { unit: 'workflow:w', change: 'lifted', stage: 'frozen' });
      return at + minute;
    }],
  ])('score the same after %s: nothing', (_what, happens) => {
    const back = happens(historyMs + 2 * minute);
    act(back + 1_000, 400);
    goOn(back + bucketMs / 5);
    expect([isolating(), found()]).toEqual([[], []]);
  });

  test('score the same where the flood goes on: a node that does not heed it is found', () => {
    restart(historyMs + 3 * minute);
    for (let at = historyMs + 3 * minute; at < historyMs + 16 * minute; at += minute) act(at, 80);
    observer.advance(historyMs + 20 * minute);
    expect(isolating().length).toBeGreaterThan(0);
    expect(new Set(found())).toEqual(new Set(['OBSERVER_SCORE_UNHEEDED']));
  });

  test.each(['mesh.started', 'pace.stop', 'pace.spread', 'pace.changed'] as const)('take no %s of a sidecar for a pause', (kind) => {
    const detail = { unit: 'mesh:mesh', change: 'lifted', fromPhase: 'CONTINGENCY', toPhase: 'PRIMARY', by: 'pace' };
    take(kind, historyMs + 2 * minute, detail, 'sidecar:a');
    act(historyMs + 3 * minute, 400);
    goOn(historyMs + 4 * minute);
    expect(isolating().length).toBeGreaterThan(0);
    expect(found()).toEqual(['OBSERVER_SCORE_UNHEEDED']);
  });

  const nobodyStood: readonly [string, RecordedEntry['kind'], RecordedEntry['detail']][] = [
    ['a workflow of it that was in ALTERNATE is back', 'pace.changed', { unit: 'workflow:w', fromPhase: 'ALTERNATE', toPhase: 'PRIMARY', by: 'pace' }],
    ['a workflow of it that followed another one is back', 'pace.spread', { unit: 'workflow:w', fromPhase: 'ALTERNATE', toPhase: 'PRIMARY' }],
    ['another agent is back', 'pace.changed', { unit: 'agent:b', fromPhase: 'ALTERNATE', toPhase: 'PRIMARY', by: 'pace' }],
    ['a workflow of others is back', 'pace.changed', { unit: 'workflow:v', fromPhase: 'EMERGENCY', toPhase: 'PRIMARY', by: 'operator:carol' }],
    ['a pause of others ended', 'pace.stop', { unit: 'zone:other', change: 'lifted', stage: 'frozen' }],
    ['an emergency was declined that nobody had begun', 'pace.stop', { unit: 'mesh:mesh', change: 'lifted', stage: 'asked' }],
  ];

  test.each(nobodyStood)('both score a flood after %s: it stood still for none of it', (_what, kind, detail) => {
    take(kind, historyMs + 2 * minute, detail);
    act(historyMs + 3 * minute, 400);
    goOn(historyMs + 4 * minute);
    expect(isolating().length).toBeGreaterThan(0);
    // Nobody signed these recoveries either.
    expect(found().filter((code) => code !== 'OBSERVER_RECOVERY_UNSIGNED')).toEqual(['OBSERVER_SCORE_UNHEEDED']);
  });

  test('a node that heeds it is not found', () => {
    restart(historyMs + 3 * minute);
    for (let at = historyMs + 3 * minute; isolating().length === 0; at += minute) act(at, 80);
    take('pace.changed', historyMs + 20 * minute, { unit: 'agent:a', fromPhase: 'PRIMARY', toPhase: 'ALTERNATE', by: 'pace' });
    observer.advance(historyMs + 60 * minute);
    expect(found()).toEqual([]);
  });

  test.each(['mesh.started', 'pace.stop', 'pace.changed'] as const)('a node that hides a flood behind %s without end is found', (kind) => {
    const detail = { unit: 'agent:a', change: 'lifted', fromPhase: 'ALTERNATE', toPhase: 'PRIMARY', by: 'pace' };
    let hidden = 0;
    for (let at = historyMs + 3 * minute; hidden < 3 * stillsMax; at += bucketMs, hidden += 1) {
      take(kind, at, kind === 'mesh.started' ? {} : detail);
      act(at + 1_000, 400);
      observer.advance(at + minute);
      if (found().includes('OBSERVER_SCORE_UNHEEDED')) break;
    }
    expect(hidden).toBeGreaterThan(0);
    expect(hidden).toBeLessThanOrEqual(stillsMax + 2);
  });
});
