// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import type { EntryKind, RecordedEntry } from '../recorder/entry.ts';
import { FollowedRecord } from './console-follow.ts';

const startMs = 1_760_000_000_000;
const minute = 60_000;

const entry = (sequence: number, kind: EntryKind, change: Partial<RecordedEntry> = {}): RecordedEntry => ({
  sequence, kind, id: `id-${sequence}`, at: startMs + sequence * minute, recordedAt: startMs + sequence * minute, actor: 'agent:reader',
  task: 'task', message: null, causedBy: [], outcome: 'GO', code: null, verdicts: [], tookUs: null, detail: {}, ...change,
} as RecordedEntry);

/** A log that grows, and that counts how often each entry was read. */
function logOf(entries: RecordedEntry[]) {
  const reads: number[] = [];
  return {
    reads,
    recorder: {
      size: () => entries.length,
      read: async function* (from: number, to: number) {
        for (const one of entries.slice(from, to)) {
          reads.push(one.sequence);
          yield one;
        }
      },
    },
  };
}

test('reads each entry once, whoever asks at the same time, and goes on where it was', async () => {
  const entries = Array.from({ length: 600 }, (_, index) => entry(index, 'message.outbound'));
  const { recorder, reads } = logOf(entries);
  const followed = new FollowedRecord(recorder, () => 'RETRIEVER');
  await Promise.all([followed.follow(startMs), followed.follow(startMs)]);
  entries.push(entry(600, 'message.outbound'));
  await followed.follow(startMs);
  expect(reads).toEqual(entries.map(({ sequence }) => sequence));
  expect(followed.read).toEqual({ from: 0, next: 601, size: 601 });
  expect(followed.alignment.scores()[0]).toMatchObject({ agent: 'reader', steps: 601 });
});

test('scores what it read in stretches of five minutes, and keeps no more than the last hours', async () => {
  const { recorder } = logOf(Array.from({ length: 1_000 }, (_, index) => entry(index, 'message.outbound')));
  const followed = new FollowedRecord(recorder, () => 'RETRIEVER');
  await followed.follow(startMs + 1_000 * minute);
  const [reader] = followed.behaviours();
  expect(reader).toMatchObject({ agent: 'reader', score: 0, reasons: [] });
  expect(reader?.history).toHaveLength(96);
});

test('counts the signs on record by agent and code, and holds no more names than it may', async () => {
  const raised = (sequence: number, agent: string, code: string) =>
    entry(sequence, 'indicator.raised', { actor: 'node', code, detail: { agent } });
  const entries = [
    raised(0, 'reader', 'SCAN_FREE_TEXT'), raised(1, 'reader', 'SCAN_FREE_TEXT'),
    ...Array.from({ length: 100 }, (_, index) => raised(index + 2, 'reader', `CODE_${index}`)),
    ...Array.from({ length: 21_000 }, (_, index) => raised(index + 200, `made-up-${index}`, 'X')),
  ];
  const { recorder } = logOf(entries);
  const followed = new FollowedRecord(recorder, () => 'unknown');
  await followed.follow(startMs);
  const reader = followed.behaviours().find(({ agent }) => agent === 'reader');
  expect(reader?.signs.get('SCAN_FREE_TEXT')).toBe(2);
  expect(reader?.signs.size).toBe(32);
  expect(followed.behaviours()).toHaveLength(20_000);
});

test('counts what the node raised beside scores, and nothing that a sidecar says of it', async () => {
  const raised = (sequence: number, code: string, actor: string) => entry(sequence, 'anomaly.raised', { actor, code, detail: { agent: 'reader', score: 0 } });
  const { recorder } = logOf([
    raised(0, 'ANOMALY_DRIFT', 'node'), raised(1, 'ANOMALY_SCORE', 'node'), raised(2, 'ANOMALY_DRIFT', 'sidecar:desk'),
  ]);
  const followed = new FollowedRecord(recorder, () => 'unknown');
  await followed.follow(startMs);
  expect(followed.behaviours().map(({ agent, signs }) => [agent, [...signs]])).toEqual([['reader', [['ANOMALY_DRIFT', 1]]]]);
});

test('says what is usual for an agent only once that was lived through', async () => {
  const { recorder } = logOf(Array.from({ length: 200 }, (_, index) => entry(index, 'message.outbound')));
  const followed = new FollowedRecord(recorder, () => 'RETRIEVER');
  await followed.follow(startMs);
  const usual = (atMs: number) => followed.scorer.standing('reader', atMs)?.baselines
    .find(({ signal }) => signal === 'message-volume')?.usual ?? [];
  expect(usual(startMs + 10 * minute)).toEqual([]);
  expect(usual(startMs + 200 * minute).map(({ against }) => against)).toEqual(['1 h']);
  expect(usual(startMs + 200 * minute)[0]?.mean).toBeCloseTo(5, 0);
  expect(followed.scorer.standing('nobody', startMs)).toBeNull();
});
