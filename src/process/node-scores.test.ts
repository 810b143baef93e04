// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { BatchedDatabase } from '../adapters/sqlite-batch.ts';
import { DoneWrites } from '../control/done-writes.ts';
import type { Mesh } from '../mesh/mesh.ts';
import type { PaceEvent } from '../pace/book.ts';
import { scoringRecorder } from './node-scores.ts';

const nowMs = 1_760_000_000_000;
let directory: string;
let database: BatchedDatabase;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'maso-scores-'));
  database = new BatchedDatabase(join(directory, 'node.sqlite'));
});

afterEach(() => {
  database.close();
  rmSync(directory, { recursive: true });
});

test('PACE is told that a full context alone isolates, which no wider scope counts', async () => {
  const told: PaceEvent[] = [];
  const mesh = { agents: new Map([['a', { role: 'ANALYST', model: { contextTokens: 1_000 } }]]) } as unknown as Mesh;
  const inner = { record: async () => [] };
  const recorder = scoringRecorder({
    mesh: () => mesh, database, clock: { nowMs: () => nowMs }, recorder: inner,
    happened: async (event) => void told.push(event),
    failed: (failure) => {
      throw failure;
    },
    done: new DoneWrites(async function* () {}, () => true),
  });
  await recorder.record([{
    kind: 'model.called', id: 'call', at: nowMs, actor: 'agent:a', task: 'task', message: null, causedBy: [], outcome: 'GO',
    code: null, verdicts: [], tookUs: null, detail: { inputTokens: 860, micros: 1 },
  }]);
  expect(told).toMatchObject([{ kind: 'score', agent: 'a', score: 65, byContext: true }]);
});
