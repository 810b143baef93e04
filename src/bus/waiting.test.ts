// SPDX-License-Identifier: Apache-2.0
import { DatabaseSync } from 'node:sqlite';
import { beforeEach, describe, expect, it } from 'vitest';
import { sampleMesh } from '../../test/mesh-files/sample.ts';
import { FakeRecorder, FakeSidecar, partyOf, startMs } from '../../test/sidecar-fixture/sidecar.ts';
import { SqliteMessageQueue } from '../adapters/queue-sqlite.ts';
import { systemRandom } from '../adapters/random-system.ts';
import { BatchedDatabase } from '../adapters/sqlite-batch.ts';
import { signEnvelope } from '../identity/sign-envelope.ts';
import { dropExpired, recordWaiting } from './waiting.ts';

const triage = partyOf('triage');
const outgoing = new FakeSidecar('payments');
const mesh = sampleMesh();
const clock = { nowMs: () => startMs };

let file: DatabaseSync;
let recorder: FakeRecorder;
beforeEach(() => {
  file = new DatabaseSync(':memory:');
  recorder = new FakeRecorder();
});

/** What is on the disk is all that a node has that starts again. */
const restarted = (): SqliteMessageQueue =>
  new SqliteMessageQueue(new BatchedDatabase(file), startMs - 1_000_000, systemRandom);

/** Killed once these were durable, and before their entries were. */
async function left(count: number): Promise<readonly string[]> {
  const queue = restarted();
  const bodies = Array.from({ length: count }, () => outgoing.bodyFrom(triage));
  await Promise.all(bodies.map((body) => queue.enqueue(body, signEnvelope(body, triage.credential))));
  return bodies.map(({ id }) => `${id}.admitted`);
}

describe('what a crash kept of messages and lost of their entries', () => {
  it('is on record before any of it can be handed over', async () => {
    const ids = await left(300);
    const queue = restarted();
    await recordWaiting({ queue, recorder, mesh, clock });
    expect(recorder.entries.map(({ id }) => id)).toEqual(ids);
    expect(new Set(recorder.entries.map(({ kind, outcome }) => `${kind} ${outcome}`))).toEqual(new Set(['message.admitted GO']));
    expect(queue.pendingCount('payments')).toBe(300);
  });

  it('keeps the node from starting where it cannot be recorded', async () => {
    await left(1);
    recorder.isBroken = () => true;
    await expect(recordWaiting({ queue: restarted(), recorder, mesh, clock }))
      .rejects.toMatchObject({ code: 'RECORDER_NOT_DURABLE' });
  });

  it('is dropped on record once it has expired, and left to a recipient that is there', async () => {
    await left(2);
    const queue = restarted();
    const context = { queue, recorder, mesh, clock, connected: new Set(['payments']) };
    await dropExpired(context, startMs + 3_600_000, 10);
    expect([recorder.entries, queue.pendingCount('payments')]).toEqual([[], 2]);
    await dropExpired({ ...context, connected: new Set() }, startMs + 3_600_000, 10);
    expect(recorder.codes('message.refused')).toEqual(['BUS_EXPIRED_UNDELIVERED', 'BUS_EXPIRED_UNDELIVERED']);
    expect(queue.pendingCount('payments')).toBe(0);
  });
});
