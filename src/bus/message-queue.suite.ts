// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { FakeSidecar, partyOf, startMs } from '../../test/sidecar-fixture/sidecar.ts';
import type { EnvelopeBody } from '../message/envelope.ts';
import type { MessageQueue, QueuedMessage } from './message-queue.ts';

export type MessageQueueCase = {
  /** Opens the queue of the node's disk, a new one the first time: as after a crash and a start. */
  readonly open: () => MessageQueue;
};

const sender = partyOf('triage');
const recipient = new FakeSidecar('payments');
const later = startMs + 60_000;
const everything = new Set<number>();

function body(change: Partial<EnvelopeBody> = {}): EnvelopeBody {
  return recipient.bodyFrom(sender, change);
}

/** What every `MessageQueue` does; each implementation runs it on an empty disk per test. */
export function messageQueueSuite(name: string, create: () => MessageQueueCase): void {
  const released = async (queue: MessageQueue, one: EnvelopeBody): Promise<QueuedMessage> => {
    const message = await queue.enqueue(one, `envelope of ${one.id}`);
    queue.release(message);
    return message;
  };
  const ids = (queue: MessageQueue): readonly string[] =>
    queue.pending('payments', everything, 10).map(({ id }) => id);

  describe(`${name} as a message queue`, () => {
    it('shows nothing to its recipient before it is released', async () => {
      const queue = create().open();
      const one = body();
      const message = await queue.enqueue(one, 'envelope');
      expect([ids(queue), queue.pendingCount('payments')]).toEqual([[], 0]);
      queue.release(message);
      expect([ids(queue), queue.pendingCountFrom('payments', 'triage')]).toEqual([[one.id], 1]);
    });

    it('knows id, digest and nonce from then on, and of no other sender', async () => {
      const queue = create().open();
      const one = body();
      expect([queue.digestOf(one.id), queue.nonceKnown('triage', one.nonce)]).toEqual([null, false]);
      await queue.enqueue(one, 'envelope');
      expect(queue.digestOf(one.id)).toBe(createHash('sha256').update('envelope').digest('base64url'));
      expect(queue.nonceKnown('triage', one.nonce)).toBe(true);
      expect(queue.nonceKnown('another', one.nonce)).toBe(false);
    });

    it('hands out in order, without what is left out, and no more than asked for', async () => {
      const queue = create().open();
      const bodies = [body(), body(), body({ to: 'desk' }), body()];
      const messages: QueuedMessage[] = [];
      for (const one of bodies) messages.push(await released(queue, one));
      expect(ids(queue)).toEqual([bodies[0]?.id, bodies[1]?.id, bodies[3]?.id]);
      const without = new Set([messages[0]?.position ?? -1]);
      expect(queue.pending('payments', without, 1).map(({ id }) => id)).toEqual([bodies[1]?.id]);
    });

    it('lets go of what is settled and still knows it', async () => {
      const queue = create().open();
      const one = body();
      const { position } = await released(queue, one);
      await queue.settle(position);
      await queue.settle(position);
      expect([ids(queue), queue.pendingCountFrom('payments', 'triage')]).toEqual([[], 0]);
      expect(queue.digestOf(one.id)).not.toBeNull();
      expect(queue.nonceKnown('triage', one.nonce)).toBe(true);
    });

    it('forgets what is withdrawn, so that it may come again', async () => {
      const disk = create();
      const queue = disk.open();
      const one = body();
      await queue.withdraw(await queue.enqueue(one, 'envelope'), one.nonce);
      for (const again of [queue, disk.open()]) {
        expect(again.digestOf(one.id)).toBeNull();
        expect(again.nonceKnown('triage', one.nonce)).toBe(false);
        expect(ids(again)).toEqual([]);
      }
    });

    it('forgets ids and nonces from when the message has expired, and not before', async () => {
      const disk = create();
      const queue = disk.open();
      const one = body({ expiresAt: later });
      const { position } = await released(queue, one);
      await queue.settle(position);
      await queue.prune(later);
      expect(queue.nonceKnown('triage', one.nonce)).toBe(true);
      await queue.prune(later + 1);
      for (const again of [queue, disk.open()]) {
        expect([again.digestOf(one.id), again.nonceKnown('triage', one.nonce)]).toEqual([null, false]);
      }
    });

    it('tells what expired while its recipient was away, until it is settled', async () => {
      const queue = create().open();
      const { position, id } = await released(queue, body({ expiresAt: later }));
      await released(queue, body({ expiresAt: later + 10 }));
      await queue.enqueue(body({ expiresAt: later }), 'not released');
      expect(queue.expired(later, 10)).toEqual([]);
      expect(queue.expired(later + 1, 10).map((message) => message.id)).toEqual([id]);
      expect(queue.expired(later + 11, 1)).toHaveLength(1);
      await queue.settle(position);
      expect(queue.expired(later + 1, 10)).toEqual([]);
    });

    it('is flushed once all that was enqueued before is on disk', async () => {
      const disk = create();
      const queue = disk.open();
      const one = body();
      const enqueued = queue.enqueue(one, 'envelope');
      await queue.flushed();
      expect(disk.open().digestOf(one.id)).not.toBeNull();
      await enqueued;
    });

    it('has all of it again after a start, with contents and in order', async () => {
      const disk = create();
      const queue = disk.open();
      const [one, two, three] = [body(), body(), body()];
      await released(queue, one);
      const { position } = await released(queue, two);
      await released(queue, three);
      await queue.settle(position);
      const again = disk.open();
      expect(ids(again)).toEqual([one.id, three.id]);
      expect(again.pending('payments', everything, 1)[0]?.envelope).toBe(`envelope of ${one.id}`);
      expect(again.nonceKnown('triage', two.nonce)).toBe(true);
      expect(again.intactSinceMs).toBe(queue.intactSinceMs);
      expect((await released(again, body())).position).toBeGreaterThan(position + 1);
    });
  });
}
