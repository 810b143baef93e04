// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import type { Backbone, Recipient } from './backbone.ts';
import type { MessageQueue, QueuedMessage } from './message-queue.ts';

/** The part of the queue that a backbone uses, in memory. */
class Waiting implements BackboneQueue {
  readonly #messages = new Map<number, QueuedMessage>();

  release(position: number, to = 'b'): QueuedMessage {
    const message = { position, id: `m${position}`, from: 'a', to, envelope: 'e', expiresAt: 1 };
    this.#messages.set(position, message);
    return message;
  }

  async settle(position: number): Promise<void> {
    this.#messages.delete(position);
  }

  pendingCount(to: string): number {
    return [...this.#messages.values()].filter((message) => message.to === to).length;
  }

  pending(to: string, without: ReadonlySet<number>, limit: number): readonly QueuedMessage[] {
    return [...this.#messages.values()]
      .filter((message) => message.to === to && !without.has(message.position))
      .slice(0, limit);
  }
}

export type BackboneQueue = Pick<MessageQueue, 'settle' | 'pending' | 'pendingCount'>;

/** What every `Backbone` does; each implementation runs it over a queue of its node. */
export function backboneSuite(name: string, create: (queue: BackboneQueue) => Backbone): void {
  const start = () => {
    const waiting = new Waiting();
    const backbone = create(waiting);
    const handed: number[] = [];
    const deliver = ({ position }: QueuedMessage): void => void handed.push(position);
    const recipient: Recipient = { agent: 'b', deliver };
    return { waiting, backbone, handed, recipient };
  };

  describe(`${name} hands no message over twice on one connection`, () => {
    test('when several became durable together and another one follows', () => {
      const { waiting, backbone, handed, recipient } = start();
      backbone.watch(recipient);
      const first = waiting.release(1);
      const second = waiting.release(2);
      backbone.publish(first);
      const third = waiting.release(3);
      backbone.publish(second);
      backbone.publish(third);
      expect(handed).toEqual([1, 2, 3]);
    });

    test('when it is acknowledged', () => {
      const { waiting, backbone, handed, recipient } = start();
      backbone.watch(recipient);
      backbone.publish(waiting.release(1));
      backbone.publish(waiting.release(2));
      backbone.acknowledge(recipient, 1);
      expect(handed).toEqual([1, 2]);
      expect(backbone.isUnderWay(recipient, 1)).toBe(false);
    });
  });

  describe(`${name} as a backbone`, () => {
    test('hands over again what was not acknowledged when the next connection comes, in order', () => {
      const { waiting, backbone, handed, recipient } = start();
      backbone.watch(recipient);
      for (const position of [1, 2, 3]) backbone.publish(waiting.release(position));
      backbone.acknowledge(recipient, 2);
      backbone.unwatch(recipient);
      backbone.publish(waiting.release(4));
      backbone.watch({ ...recipient });
      expect(handed).toEqual([1, 2, 3, 1, 3, 4]);
    });

    test('holds back beyond its window and goes on in order as room comes', () => {
      const { waiting, backbone, handed, recipient } = start();
      backbone.watch(recipient);
      for (let position = 1; position <= 300; position += 1) {
        backbone.publish(waiting.release(position));
      }
      expect(handed.length).toBe(256);
      for (let position = 1; position <= 256; position += 1) {
          backbone.acknowledge(recipient, position);
      }
      expect(handed).toEqual(Array.from({ length: 300 }, (_, index) => index + 1));
    });

    test('keeps the messages of a recipient that is away, and nobody else gets them', () => {
      const { waiting, backbone, handed, recipient } = start();
      backbone.watch({ ...recipient, agent: 'c' });
      backbone.publish(waiting.release(1));
      expect(handed).toEqual([]);
      backbone.acknowledge({ ...recipient, agent: 'c' }, 1);
      backbone.watch(recipient);
      expect(handed).toEqual([1]);
    });

    test('leaves a newer connection alone when the older one ends', () => {
      const { waiting, backbone, handed, recipient } = start();
      const newer = { ...recipient };
      backbone.watch(recipient);
      backbone.watch(newer);
      backbone.unwatch(recipient);
      backbone.publish(waiting.release(1));
      backbone.acknowledge(recipient, 1);
      expect(handed).toEqual([1]);
      expect(backbone.isUnderWay(newer, 1)).toBe(true);
    });
  });
}
