// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { MemoryIntentStore } from '../../test/tool-servers/intent-store-memory.ts';
import { intentStoreSuite } from '../../test/tool-servers/intent-store-suite.ts';
import { intentKey } from './intent-store.ts';

intentStoreSuite('memory', () => new MemoryIntentStore());

test('keeps executor, requester and key apart whatever they contain', () => {
  const keys = [
    intentKey('a', 'b', 'c'),
    intentKey('a', 'b","c', ''),
    intentKey('a","b', 'c', ''),
    intentKey('a,b', 'c', ''),
    intentKey('a', 'bc', ''),
  ];
  expect(new Set(keys).size).toBe(keys.length);
});
