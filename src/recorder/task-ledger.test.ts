// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { Verdict } from '../review/verdict.ts';
import type { RecordedEntry } from './entry.ts';
import { taskLedger } from './task-ledger.ts';

let sequence = 0;

function entry(change: Partial<RecordedEntry>): RecordedEntry {
  sequence += 1;
  return {
    kind: 'message.admitted', id: `e${sequence}`, at: 1000 + sequence, actor: 'node', task: 'T',
    message: null, causedBy: [], outcome: 'GO', code: null, verdicts: [], tookUs: null, detail: {},
    sequence, recordedAt: 0, ...change,
  };
}

function verdict(control: Verdict['control'], outcome: Verdict['outcome'], tookUs: number): Verdict {
  return { control, outcome, tookUs, version: 'v', findings: [] };
}

function hop(message: string, schema = 'order/1'): readonly RecordedEntry[] {
  const scanned = [verdict('scanner', 'GO', 100), verdict('semantic-firewall', 'GO', 300)];
  return [
    entry({ kind: 'message.outbound', message, tookUs: 1000, verdicts: scanned }),
    entry({ message, tookUs: 500, verdicts: [verdict('bus', 'GO', 500)], detail: { schema, from: 'a', to: 'b' } }),
    entry({ kind: 'message.delivered', message, tookUs: 1500, verdicts: scanned }),
  ];
}

function called(id: string, change: Partial<RecordedEntry> = {}): RecordedEntry {
  return entry({
    kind: 'judge.called', id, message: 'm1', tookUs: 2_000_000, detail: { inputTokens: 400, outputTokens: 40, micros: 20_000 },
    ...change,
  });
}

describe('the ledger of a task', () => {
  it('is none where the record holds nothing of it', () => {
    expect(taskLedger('other', hop('m1'))).toBeNull();
    expect(taskLedger('T', [])).toBeNull();
  });

  it('counts hops once, and answers apart', () => {
    const found = taskLedger('T', [...hop('m1'), ...hop('m2'), ...hop('m3', 'action-outcome/1')]);
    expect(found).toMatchObject({ hops: [{ message: 'm1', tookUs: 3000 }, { message: 'm2' }], answers: 1, hopsUs: 6000 });
    expect(found?.judge).toMatchObject({ calls: 0, callsOnPath: 0, onPathUs: 0, micros: 0 });
  });

  it('leaves out what other tasks cost', () => {
    const [first, ...rest] = hop('m1');
    const found = taskLedger('T', [...rest, entry({ ...first, task: 'U' })]);
    expect(found?.hopsUs).toBe(2000);
  });

  it('does not count twice what a review repeats of the message', () => {
    const reviewed = entry({
      kind: 'request.reviewed', message: 'm1', tookUs: 4000,
      verdicts: [verdict('scanner', 'GO', 100), verdict('policy-compliance', 'GO', 700), verdict('model-as-judge', 'ESCALATE', 9)],
    });
    const runs = taskLedger('T', [...hop('m1'), reviewed])?.controls.map(({ control, runs }) => [control, runs]);
    expect(runs).toEqual([['policy-compliance', 1], ['semantic-firewall', 2], ['bus', 1], ['scanner', 2]]);
  });

  it('tells calls that an action waited for from those made afterwards', () => {
    const ruled = (mode: string, call: string) => entry({
      kind: 'judge.ruled', message: 'm1', causedBy: ['m1', call], tookUs: 2_100_000, detail: { mode, conflict: mode === 'late' },
    });
    const found = taskLedger('T', [...hop('m1'), called('c1'), ruled('held', 'c1'), called('c2'), ruled('late', 'c2')]);
    expect(found?.judge).toEqual({
      calls: 2, callsOnPath: 1, onPathUs: 2_100_000, tokens: 880, micros: 40_000, conflicts: 1,
    });
    expect(found?.controls.find(({ control }) => control === 'model-as-judge'))
      .toMatchObject({ runs: 2, tokens: 880, micros: 40_000 });
  });

  it('sets a judge on every hop against it: as measured, else as the seed says', () => {
    const hops = ['m1', 'm2', 'm3', 'm4'].flatMap((id) => hop(id));
    expect(taskLedger('T', hops)?.naive).toEqual({
      calls: 4, basis: 'assumed', lowMs: 4800, highMs: 12_000, lowMicros: 40_000, highMicros: 200_000,
    });
    const failed = called('c2', { outcome: null, code: 'JUDGE_LATE', tookUs: 9_000_000 });
    expect(taskLedger('T', [...hops, called('c1'), failed])?.naive).toEqual({
      calls: 4, basis: 'measured', lowMs: 8000, highMs: 8000, lowMicros: 80_000, highMicros: 80_000,
    });
  });

  it('adds the agents\' own models up apart from the judge', () => {
    const own = entry({ kind: 'model.called', tookUs: 500, detail: { inputTokens: 10, outputTokens: 5, micros: 7 } });
    expect(taskLedger('T', [own, own])).toMatchObject({
      models: { calls: 2, tookUs: 1000, tokens: 30, micros: 14 }, judge: { calls: 0, micros: 0 },
    });
  });

  it('takes what a sidecar wrote for what it is: numbers that are none count nothing', () => {
    const odd = called('c1', { detail: { inputTokens: -5, outputTokens: '7', micros: Number.NaN } });
    expect(taskLedger('T', [odd])?.judge).toMatchObject({ tokens: 0, micros: 0 });
  });
});
