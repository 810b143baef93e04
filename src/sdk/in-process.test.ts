// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { agentRoutes } from '../sidecar/openapi.ts';

test('an agent with its sidecar in its own process can ask for all that others ask over HTTP', () => {
  const source = readFileSync(new URL('./in-process.ts', import.meta.url), 'utf8');
  expect(agentRoutes.map(({ path }) => path).filter((path) => !source.includes(`'${path}':`))).toEqual([]);
});
