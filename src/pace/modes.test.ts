// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { failureModes } from './modes.ts';

test('every control that gives verdicts has its failure mode, by the name that people know it by', () => {
  const named = failureModes.map(({ control }) => control);
  for (const control of [
    'scanner', 'semantic firewall', 'policy compliance check', 'model-as-judge', 'bus', 'contagion monitor', 'PACE',
    'data keys', 'people', 'tool gate', 'flight recorder', 'kill', 'observer', 'standby', 'snapshot', 'rollback',
  ]) expect(named, control).toContain(control);
  expect(new Set(named).size).toBe(named.length);
});

test('each says when it fails, what is safe then, and what goes on', () => {
  for (const { control, fails, safeState, keeps } of failureModes) {
    for (const said of [control, fails, safeState, keeps]) expect(said.trim(), control).not.toBe('');
  }
});
