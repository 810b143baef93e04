// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import type { RecordedEntry } from '../recorder/entry.ts';
import { entriesTold, foldEntries } from './live-feed.ts';

function entry(sequence: number, change: Partial<RecordedEntry> = {}): RecordedEntry {
  return {
    kind: 'message.outbound', id: `e${sequence}`, at: 0, actor: 'agent:triage', task: 't', message: `m${sequence}`,
    causedBy: [], outcome: 'GO', code: null, verdicts: [], tookUs: null, detail: { to: 'payments', secret: 'x' },
    sequence, recordedAt: 1_000 * sequence, ...change,
  };
}

describe('a stretch of the log', () => {
  test('comes out small, however many entries it has', () => {
    const entries = Array.from({ length: 1_000 }, (_, index) => entry(index, { recordedAt: 5_000 }));
    const groups: { readonly [agent: string]: string } = { triage: 'outside|RETRIEVER' };
    const batch = foldEntries(0, entries, (agent) => groups[agent] ?? null);
    expect(batch).toMatchObject({ from: 0, next: 1_000, total: { go: 1_000, noGo: 0, escalate: 0 }, summed: 1_000 - entriesTold });
    expect(batch.seconds).toEqual([{ at: 5, go: 1_000, noGo: 0, escalate: 0 }]);
    expect(batch.edges).toEqual([{
      from: 'triage', to: 'payments', go: 1_000, noGo: 0, escalate: 0, fromGroup: 'outside|RETRIEVER', toGroup: null,
    }]);
    expect(JSON.stringify(batch).length).toBeLessThan(20_000);
  });

  test('tells what was refused before what passed', () => {
    const quiet = Array.from({ length: 200 }, (_, index) => entry(index));
    const refused = entry(3, { kind: 'message.refused', outcome: 'NO-GO', code: 'BUS_REPLAY' });
    const told = foldEntries(0, [...quiet.slice(0, 3), refused, ...quiet.slice(4)]).entries;
    expect(told.map(({ code }) => code)).toContain('BUS_REPLAY');
    expect(told.map(({ sequence }) => sequence)).toEqual(told.map(({ sequence }) => sequence).toSorted((a, b) => a - b));
  });

  test('says names and ids, and nothing else of what an entry holds', () => {
    expect(JSON.stringify(foldEntries(0, [entry(0)]))).not.toContain('secret');
  });

  test('that is empty ends where it began', () => {
    expect(foldEntries(7, [])).toMatchObject({ from: 7, next: 7, at: null, entries: [] });
  });
});
