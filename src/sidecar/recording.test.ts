// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, test } from 'vitest';
import { BatchedDatabase } from '../adapters/sqlite-batch.ts';
import { SqliteSidecarStore } from '../adapters/sidecar-store-sqlite.ts';
import { draft } from '../../test/faults/recorder-fixture.ts';
import { settled } from '../../test/sidecar-fixture/sidecar.ts';
import type { EntryDraft } from '../recorder/entry.ts';
import { finding } from '../review/verdict.ts';
import { parseSidecarFrame } from '../wire/parse-frame.ts';
import { SidecarRecorder } from './recording.ts';

const run = 'R'.repeat(26);
let store: SqliteSidecarStore;
let frames: (readonly EntryDraft[])[];
let answer: (entries: readonly EntryDraft[]) => string | null;
let recorder: SidecarRecorder;

beforeEach(() => {
  store = new SqliteSidecarStore(new BatchedDatabase(':memory:'));
  frames = [];
  answer = () => null;
  recorder = new SidecarRecorder(store, {
    record: async (entries) => {
      frames.push(entries);
      return answer(entries);
    },
    standing: async () => undefined,
    delivered: () => true,
  }, run);
});

test('repeats a privileged step once when its line was being made anew', async () => {
  let asked = 0;
  answer = () => ((asked += 1) === 1 ? 'SIDECAR_BUS_UNREACHABLE' : null);
  await recorder.under(1).record([draft(1, {})], { privileged: true });
  expect(frames).toHaveLength(2);
  answer = () => 'SIDECAR_BUS_UNREACHABLE';
  await expect(recorder.under(1).record([draft(2, {})], { privileged: true })).rejects.toMatchObject({
    code: 'RECORDER_NOT_DURABLE',
  });
});

const large = (seed: number): EntryDraft =>
  draft(seed, {
    kind: 'message.refused',
    verdicts: Array.from({ length: 4 }, () => ({
      outcome: 'NO-GO' as const,
      control: 'scanner' as const,
      version: '1',
      tookUs: 0,
      findings: Array.from({ length: 500 }, () =>
        finding('SCAN_SECRET', 'rule', `/${'k'.repeat(64)}`.repeat(32)),
      ),
    })),
  });

describe('the spool', () => {
  test('is emptied in frames that the node takes, whatever an agent put into its entries', async () => {
    answer = () => 'SIDECAR_BUS_UNREACHABLE';
    for (let seed = 0; seed < 64; seed += 1) await recorder.under(1).record([large(seed)]);
    await settled();
    frames = [];
    answer = (entries) => {
      const frame = { kind: 'record', number: 1, privileged: false, policyVersion: 1, entries };
      const parsed = parseSidecarFrame(Buffer.from(JSON.stringify(frame)));
      return parsed.ok ? null : parsed.code;
    };
    expect(await recorder.drain()).toBe(true);
    expect(frames.flat()).toHaveLength(64);
  });

  test('is not held up by an entry that no recorder takes', async () => {
    answer = (entries) => (entries.some(({ task }) => task === 'bad') ? 'RECORDER_ENTRY_INVALID' : null);
    await store.spool([draft(1), draft(2, { task: 'bad' }), draft(3)]);
    expect(await recorder.drain()).toBe(true);
    const recorded = frames.slice(1).flat().map(({ kind, code }) => code ?? kind);
    expect(recorded.filter((one) => one === 'RECORDER_ENTRY_INVALID')).toHaveLength(1);
    await expect(recorder.under(1).record([draft(4)], { privileged: true })).resolves.toHaveLength(1);
  });

  test('keeps what the node could not record, and no privileged step passes it', async () => {
    answer = () => 'RECORDER_NOT_DURABLE';
    await recorder.under(1).record([draft(1)]);
    await expect(recorder.under(1).record([draft(2)], { privileged: true })).rejects.toMatchObject({
      code: 'RECORDER_NOT_DURABLE',
    });
    expect(store.spooled(10)).toHaveLength(1);
  });
});
