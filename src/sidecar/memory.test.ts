// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, test } from 'vitest';
import { FakeSidecar, partyOf } from '../../test/sidecar-fixture/sidecar.ts';
import { AgentMemory, placeAfter } from './memory.ts';
import type { SidecarStore } from './ports.ts';

const empty: Pick<SidecarStore, 'context' | 'values' | 'messages' | 'mandates'> = {
  context: () => null,
  values: () => [],
  messages: () => [],
  mandates: () => [],
};

describe('the tasks an agent stands in', () => {
  let memory: AgentMemory;
  beforeEach(() => {
    memory = new AgentMemory('incarnation', empty as SidecarStore);
  });

  const start = (task: string, hop = 1): void => memory.startTask({ task, hop, goalHash: null, isOrigin: false });

  test('are bounded: the one left alone for longest is forgotten first', () => {
    start('first');
    start('second');
    for (let number = 0; number < 16_383; number += 1) {
      start(`task ${number}`);
      if (number % 1000 === 0) expect(memory.place('first')).not.toBeNull();
    }
    expect(memory.place('second')).toBeNull();
    expect(memory.place('first')).not.toBeNull();
    expect(memory.place('task 0')).not.toBeNull();
  });

  test('do not get older by the answers to what was asked of executors', () => {
    const fake = new FakeSidecar('triage');
    const answer = fake.bodyFrom(partyOf('payments'), { schema: 'action-outcome/1', hop: 3 });
    expect(placeAfter(answer).hop).toBe(2);
    const forged = fake.bodyFrom(partyOf('payments'), { schema: 'action-outcome/1', hop: 0 });
    expect(placeAfter(forged).hop).toBe(1);
    expect(placeAfter(fake.bodyFrom(partyOf('desk'), { hop: 3 })).hop).toBe(4);
  });

  test('do not get younger when they are handed back', () => {
    start('task', 5);
    start('task', 2);
    expect(memory.place('task')?.hop).toBe(5);
    start('task', 6);
    expect(memory.place('task')?.hop).toBe(6);
    expect(memory.place('other')).toBeNull();
  });
});
