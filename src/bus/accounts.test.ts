// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest';
import { Accounts } from './accounts.ts';

it('counts accounts from the first on, and none behind one that is not on record', () => {
  const accounts = new Accounts();
  let acknowledged = 0;
  const begin = () => accounts.begin(() => (acknowledged += 1));
  const [one, two, three] = [begin(), begin(), begin()];
  two?.();
  expect(accounts.count).toBe(0);
  one?.();
  expect(accounts.count).toBe(2);
  three?.();
  expect(accounts.count).toBe(3);
  expect(acknowledged).toBe(3);
});
