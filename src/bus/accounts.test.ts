// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest';
import { Accounts } from './accounts.ts';

it('counts accounts from the first on, and none behind one that is not on record', () => {
  const accounts = new Accounts();
  const [one, two, three] = [accounts.begin(), accounts.begin(), accounts.begin()];
  two?.();
  expect(accounts.count).toBe(0);
  one?.();
  expect(accounts.count).toBe(2);
  three?.();
  expect(accounts.count).toBe(3);
});
