// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest';
import { InOrder } from './in-order.ts';

it('lets go on at once whoever waits for nothing', () => {
  expect(new InOrder().turn('a', null)).toBeNull();
});

it('keeps the order of one sender, whatever takes longest, and no other waits for it', async () => {
  const order = new InOrder();
  const done: string[] = [];
  const slow = Promise.withResolvers<void>();
  const step = async (sender: string, name: string, work: Promise<void> | null): Promise<void> => {
    await order.turn(sender, work);
    done.push(name);
  };
  const steps = [
    step('a', 'first', slow.promise),
    step('a', 'second', null),
    step('a', 'third', Promise.resolve()),
    step('b', 'other', null),
  ];
  await new Promise(setImmediate);
  expect(done).toEqual(['other']);
  slow.resolve();
  await Promise.all(steps);
  expect(done).toEqual(['other', 'first', 'second', 'third']);
  expect(order.turn('a', null)).toBeNull();
});

it('goes on after a step that failed', async () => {
  const order = new InOrder();
  const failed = order.turn('a', Promise.reject(new Error('broken')));
  const next = order.turn('a', Promise.resolve(7));
  await expect(failed).rejects.toThrow('broken');
  expect(await next).toBe(7);
});
