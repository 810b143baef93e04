// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import type { MessageQueue, QueuedMessage } from './message-queue.ts';
import { Router, type Recipient } from './route.ts';

/** The part of the queue that the router reads, in memory. */
class Waiting {
  readonly #messages = new Map<number, QueuedMessage>();

  release(position: number, to = 'b'): QueuedMessage {
    const message = { position, id: `m${position}`, from: 'a', to, envelope: 'e', expiresAt: 1 };
    this.#messages.set(position, message);
    return message;
  }

  settle(position: number): void {
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

function start(): { waiting: Waiting; router: Router; handed: number[]; recipient: Recipient } {
  const waiting = new Waiting();
  const router = new Router(waiting as unknown as MessageQueue);
  const handed: number[] = [];
  const deliver = ({ position }: QueuedMessage): void => void handed.push(position);
  const recipient = { agent: 'b', deliver };
  return { waiting, router, handed, recipient };
}

describe('a message is not handed over twice on one connection', () => {
  test('when several became durable together and another one follows', () => {
    const { waiting, router, handed, recipient } = start();
    router.connect(recipient);
    const first = waiting.release(1);
    const second = waiting.release(2);
    router.admitted(first);
    const third = waiting.release(3);
    router.admitted(second);
    router.admitted(third);
    expect(handed).toEqual([1, 2, 3]);
  });

  test('when it is settled', () => {
    const { waiting, router, handed, recipient } = start();
    router.connect(recipient);
    router.admitted(waiting.release(1));
    router.admitted(waiting.release(2));
    waiting.settle(1);
    router.settled(recipient, 1);
    expect(handed).toEqual([1, 2]);
    expect(router.isInFlight(recipient, 1)).toBe(false);
  });
});

describe('the router', () => {
  test('hands over again what was not settled when the next connection comes, in order', () => {
    const { waiting, router, handed, recipient } = start();
    router.connect(recipient);
    for (const position of [1, 2, 3]) router.admitted(waiting.release(position));
    waiting.settle(2);
    router.settled(recipient, 2);
    router.disconnect(recipient);
    router.admitted(waiting.release(4));
    router.connect({ ...recipient });
    expect(handed).toEqual([1, 2, 3, 1, 3, 4]);
  });

  test('holds back beyond its window and goes on in order as room comes', () => {
    const { waiting, router, handed, recipient } = start();
    router.connect(recipient);
    for (let position = 1; position <= 300; position += 1) {
      router.admitted(waiting.release(position));
    }
    expect(handed.length).toBe(256);
    for (let position = 1; position <= 256; position += 1) {
      waiting.settle(position);
      router.settled(recipient, position);
    }
    expect(handed).toEqual(Array.from({ length: 300 }, (_, index) => index + 1));
  });

  test('leaves a newer connection alone when the older one ends', () => {
    const { waiting, router, handed, recipient } = start();
    const newer = { ...recipient };
    router.connect(recipient);
    router.connect(newer);
    router.disconnect(recipient);
    router.admitted(waiting.release(1));
    router.settled(recipient, 1);
    expect(handed).toEqual([1]);
    expect(router.isInFlight(newer, 1)).toBe(true);
  });
});
