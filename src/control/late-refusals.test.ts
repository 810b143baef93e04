// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, it } from 'vitest';
import { mintUlid } from '../message/identifiers.ts';
import type { RecordedEntry } from '../recorder/entry.ts';
import { LateRefusals } from './late-refusals.ts';

let passes: number;
let atOnce: number;
let mostAtOnce: number;
let contained: string[];
let failures: unknown[];
let broken: boolean;

const admitted = (message: string, to: string, task = 't'): RecordedEntry =>
  ({ kind: 'message.admitted', message, task, causedBy: [], detail: { to }, outcome: 'GO' }) as unknown as RecordedEntry;
const record = Array.from({ length: 100 }, (_, index) => admitted(`m${index}`, index % 2 === 0 ? 'even' : 'odd'));

async function* entriesSince(): AsyncGenerator<RecordedEntry> {
  passes += 1;
  atOnce += 1;
  mostAtOnce = Math.max(mostAtOnce, atOnce);
  try {
    if (broken) throw new Error('disk');
    for (const entry of record) {
      await Promise.resolve();
      yield entry;
    }
  } finally {
    atOnce -= 1;
  }
}

const late = () => new LateRefusals({
  entriesSince,
  contain: async ({ agent, message }) => void contained.push(`${agent} ${message}`),
  report: (failure) => void failures.push(failure),
});
const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 200; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  expect(atOnce).toBe(0);
};

beforeEach(() => {
  [passes, atOnce, mostAtOnce, broken] = [0, 0, 0, false];
  [contained, failures] = [[], []];
});

describe('refusals that a sidecar says came late', () => {
  it('of messages that it was never sent cost few passes, one at a time, and contain nothing', async () => {
    const refusals = late();
    const clock = { nowMs: () => 1_000 };
    let seed = 0;
    const random = { bytes: (count: number) => new Uint8Array(count).map(() => (seed += 7) % 256) };
    for (let index = 0; index < 128; index += 1) refusals.take({ agent: 'odd', task: 't', message: mintUlid(clock, random) });
    await settled();
    expect(mostAtOnce).toBe(1);
    expect(passes).toBeLessThanOrEqual(3);
    expect(contained).toEqual([]);
  });

  it('of messages for somebody else, or of another task, contain nothing', async () => {
    const refusals = late();
    refusals.take({ agent: 'odd', task: 't', message: 'm0' });
    refusals.take({ agent: 'even', task: 'other', message: 'm0' });
    await settled();
    expect([contained, passes <= 2]).toEqual([[], true]);
    expect(refusals.take({ agent: 'even', task: 't', message: 'm0' })).toBe(true);
    await settled();
    expect(contained).toEqual(['even m0']);
  });

  it('are followed once, however often it says so', async () => {
    const refusals = late();
    const taken = Array.from({ length: 64 }, () => refusals.take({ agent: 'odd', task: 't', message: 'm1' }));
    await settled();
    expect(refusals.take({ agent: 'odd', task: 't', message: 'm1' })).toBe(false);
    await settled();
    expect([taken.filter(Boolean).length, contained, passes, mostAtOnce]).toEqual([1, ['odd m1'], 2, 1]);
  });

  it('keep nobody else waiting, and no more of one than a bound', async () => {
    const refusals = late();
    const taken = Array.from({ length: 5_000 }, (_, index) => refusals.take({ agent: 'odd', task: 't', message: `x${index}` }));
    expect(taken.filter(Boolean).length).toBeLessThan(400);
    refusals.take({ agent: 'even', task: 't', message: 'm2' });
    await settled();
    expect(contained).toEqual(['even m2']);
    expect(mostAtOnce).toBe(1);
  });

  it('go on after the record could not be read, which is said', async () => {
    const refusals = late();
    broken = true;
    refusals.take({ agent: 'odd', task: 't', message: 'm1' });
    await settled();
    broken = false;
    refusals.take({ agent: 'odd', task: 't', message: 'm3' });
    await settled();
    expect([failures.length, contained]).toEqual([1, ['odd m3']]);
  });
});
