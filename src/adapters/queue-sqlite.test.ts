// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest';
import { FakeSidecar, partyOf, startMs } from '../../test/sidecar-fixture/sidecar.ts';
import { messageQueueSuite } from '../bus/message-queue.suite.ts';
import { SqliteMessageQueue } from './queue-sqlite.ts';
import { systemRandom } from './random-system.ts';
import { BatchedDatabase } from './sqlite-batch.ts';

messageQueueSuite('SQLite', () => {
  const database = new BatchedDatabase(':memory:');
  return { open: () => new SqliteMessageQueue(database, startMs, systemRandom) };
});

it('remembers nothing of a message that did not become durable', async () => {
  const database = new BatchedDatabase(':memory:');
  const queue = new SqliteMessageQueue(database, startMs, systemRandom);
  const body = new FakeSidecar('payments').bodyFrom(partyOf('triage'));
  database.close();
  await expect(queue.enqueue(body, 'envelope')).rejects.toThrow('closed');
  expect([queue.digestOf(body.id), queue.nonceKnown(body.from, body.nonce)]).toEqual([null, false]);
});
