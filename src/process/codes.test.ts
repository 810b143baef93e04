// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { failureModes } from '../pace/modes.ts';
import { codeTables } from './codes.ts';

test('every code that a failure mode names is one that can be looked up', () => {
  const known = new Set(Object.values(codeTables).flatMap((table) => Object.keys(table)));
  for (const { control, code } of failureModes) if (code !== null) expect(known.has(code), `${control}: ${code}`).toBe(true);
});
