// SPDX-License-Identifier: Apache-2.0
import { beforeEach, expect, test } from 'vitest';
import { FakeRecorder } from '../../test/sidecar-fixture/sidecar.ts';
import { sqliteAlignment } from '../adapters/alignment-store-sqlite.ts';
import { BatchedDatabase } from '../adapters/sqlite-batch.ts';
import type { EntryDraft } from '../recorder/entry.ts';
import type { Outcome } from '../review/verdict.ts';
import { AlignmentWatch } from './alignment-watch.ts';

let database: BatchedDatabase;
let recorder: FakeRecorder;
let fallen: string[];
let count = 0;

function watch(least = 50): AlignmentWatch {
  return new AlignmentWatch({
    inner: recorder, store: sqliteAlignment(database), least: () => least,
    fell: (_entry, agent) => fallen.push(agent), report: (failure) => { throw failure; },
  });
}

function step(outcome: Outcome, actor = 'agent:triage', change: Partial<EntryDraft> = {}): EntryDraft {
  const control = 'policy-compliance' as const;
  return {
    kind: outcome === 'GO' ? 'message.outbound' : 'message.refused', id: `e${++count}`, at: 1, actor, task: 't',
    message: null, causedBy: [], outcome, code: null, tookUs: null, detail: {},
    verdicts: [{ control, outcome, version: 'v', tookUs: 0, findings: [] }], ...change,
  };
}

const many = (outcome: Outcome, times: number): readonly EntryDraft[] =>
  Array.from({ length: times }, () => step(outcome));

beforeEach(() => {
  database = new BatchedDatabase(':memory:');
  recorder = new FakeRecorder();
  fallen = [];
});

test('an agent that is refused again and again is handed over once, and on record', async () => {
  const watching = watch();
  await watching.record(many('NO-GO', 6));
  expect(fallen).toEqual([]);
  await watching.record(many('NO-GO', 6));
  expect(fallen).toEqual(['triage']);
  expect(recorder.entries.filter(({ kind }) => kind === 'indicator.raised')).toMatchObject([
    { code: 'CONTROL_INTENT_MISALIGNED', actor: 'node', detail: { agent: 'triage' } },
  ]);
  await watching.record(many('GO', 20));
  await watching.record(many('NO-GO', 20));
  expect(fallen).toEqual(['triage', 'triage']);
});

test('a score survives the end of the node, and is not told of twice', async () => {
  const written = () => database.write(() => undefined);
  await watch().record(many('NO-GO', 6));
  await written();
  await watch().record(many('NO-GO', 1));
  await written();
  expect(fallen).toEqual(['triage']);
  await watch().record(many('NO-GO', 1));
  expect(fallen).toEqual(['triage']);
});

test('nobody lowers the score of another: executors, judges and scanners count for nothing here', async () => {
  const watching = watch();
  const reviewed = { kind: 'request.reviewed', detail: { requester: 'triage' } } as const;
  const judged = { kind: 'judge.ruled', detail: { from: 'triage' } } as const;
  for (let turn = 0; turn < 50; turn += 1) {
    await watching.record([
      step('NO-GO', 'sidecar:payments', reviewed), step('NO-GO', 'sidecar:payments', judged), step('NO-GO', 'sidecar:payments'),
    ]);
  }
  expect(fallen).toEqual([]);
});

test('nobody falls where the mesh file says never', async () => {
  await watch(0).record(many('NO-GO', 200));
  expect(fallen).toEqual([]);
});
