// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { orUndone } from './up.ts';

const works: readonly (readonly [string, () => Promise<unknown>])[] = [
  ['a part that cannot be loaded', () => import(String('./nowhere.ts'))],
  ['a start that fails', () => Promise.reject(new Error('the port is taken'))],
  ['a fault before anything is waited for', () => {
    throw new Error('no such option');
  }],
];

test.each(works)('what was begun ends after %s, which is told, also where the end fails', async (_, work) => {
  let undone = 0;
  for (const undo of [async () => undefined, () => Promise.reject(new Error('it hangs'))]) {
    const told = await orUndone(work, () => {
      undone += 1;
      return undo();
    }).catch((failure: unknown) => failure);
    expect(told).toBeInstanceOf(Error);
    expect(String(told)).not.toContain('it hangs');
  }
  expect(undone).toBe(2);
  expect(await orUndone(async () => 'node', () => Promise.reject(new Error('never asked')))).toBe('node');
});
