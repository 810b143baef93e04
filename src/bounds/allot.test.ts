// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, it } from 'vitest';
import { allot, settle, usedOf, type AllotmentAnswer, type Asking, type BreakerTurn } from './allot.ts';
import type { CallEnd } from './breaker.ts';
import type { Charge } from './charge.ts';
import { MemoryLedgerStore } from './ledger-memory.ts';

const hourMs = 3_600_000;
const startMs = 1_800_000_000_000;
const breaker = {
  key: 'operation/bank.transfer',
  settings: { failures: 3, windowMs: 60_000, openMs: 60_000, probes: 1 },
  code: 'BOUNDS_BREAKER_OPEN',
} as const;

let store: MemoryLedgerStore;
let nowMs: number;

beforeEach(() => {
  store = new MemoryLedgerStore();
  nowMs = startMs;
});

function charge(amount: number, change: Partial<Charge> = {}): Charge {
  return {
    key: 'agent/triage/money', amount, most: 100, windowMs: hourMs, untilMs: 0, escalateAt: null,
    code: 'BOUNDS_EXCEEDED', ...change,
  };
}

function asking(id: string, charges: readonly Charge[], change: Partial<Asking> = {}): Asking {
  return {
    id, executor: 'payments', holder: `r-${id}`, charges, breakers: [], retry: null, validMs: 10_000, released: false,
    ...change,
  };
}

function ask(one: Asking): Promise<AllotmentAnswer> {
  return store.change((ledger) => allot(ledger, one, nowMs));
}

async function tell(one: Asking, end: CallEnd, unusedShare = 1): Promise<readonly BreakerTurn[]> {
  return store.change((ledger) => settle(ledger, one, end, unusedShare, nowMs));
}

async function codeOf(one: Asking): Promise<string> {
  const answer = await ask(one);
  return answer.outcome === 'granted' ? 'granted' : answer.code;
}

const used = (): number => usedOf(store.view, charge(0), nowMs);

describe('allot', () => {
  it.each([Number.NaN, -1, -0.0001, Infinity, 1e300, 400_000_000_001])(
    'refuses %d, which is no amount', async (amount) => {
      expect(await codeOf(asking('a', [charge(amount)]))).toBe('BOUNDS_AMOUNT_INVALID');
      expect(used()).toBe(0);
    });

  it('stands at the limit and not above it, to the last fraction', async () => {
    expect(await codeOf(asking('a', [charge(99.9999)]))).toBe('granted');
    expect(await codeOf(asking('b', [charge(0.0002)]))).toBe('BOUNDS_EXCEEDED');
    expect(await codeOf(asking('c', [charge(0.00011)]))).toBe('BOUNDS_EXCEEDED');
    expect(await codeOf(asking('d', [charge(0.0001)]))).toBe('granted');
    expect(used()).toBe(100);
    expect(await codeOf(asking('e', [charge(0.00001)]))).toBe('BOUNDS_EXCEEDED');
  });

  it('charges nothing when any of the sums has no room', async () => {
    const other = charge(1, { key: 'task/t/money', most: 0.5 });
    expect(await codeOf(asking('a', [charge(1), other]))).toBe('BOUNDS_EXCEEDED');
    expect(used()).toBe(0);
  });

  it('adds up what one call charges twice to one sum', async () => {
    expect(await codeOf(asking('a', [charge(60), charge(60)]))).toBe('BOUNDS_EXCEEDED');
    expect(await codeOf(asking('b', [charge(50), charge(50)]))).toBe('granted');
    expect(used()).toBe(100);
  });

  it('gives room again only when a call at the very end of its allotment left the window', async () => {
    await ask(asking('a', [charge(100)]));
    nowMs += hourMs + 10_000;
    expect(await codeOf(asking('b', [charge(1)]))).toBe('BOUNDS_EXCEEDED');
    nowMs += hourMs / 60;
    expect(await codeOf(asking('b', [charge(1)]))).toBe('granted');
  });

  it('gives nothing back to a clock that is set back', async () => {
    await ask(asking('a', [charge(100)]));
    nowMs -= 30 * 24 * hourMs;
    expect(await codeOf(asking('b', [charge(1)]))).toBe('BOUNDS_EXCEEDED');
    nowMs = Number.NaN;
    expect(await codeOf(asking('b', [charge(1)]))).toBe('BOUNDS_STORE_UNAVAILABLE');
  });

  it('charges a request once, however often it asks, and its repeats not at all', async () => {
    const one = asking('a', [charge(60)]);
    expect(await codeOf(one)).toBe('granted');
    expect(await codeOf(one)).toBe('granted');
    expect(await codeOf({ ...one, holder: 'repeat' })).toBe('granted');
    expect(used()).toBe(60);
  });
});

describe('settle', () => {
  it('gives back what did not run, once', async () => {
    const one = asking('a', [charge(60)]);
    await ask(one);
    await tell(one, 'not-run');
    await tell(one, 'not-run');
    expect(used()).toBe(0);
  });

  it('gives nothing back that somebody else still holds, or that ran', async () => {
    const one = asking('a', [charge(60)]);
    await ask(one);
    await ask({ ...one, holder: 'repeat' });
    await tell({ ...one, holder: 'repeat' }, 'not-run');
    expect(used()).toBe(60);
    await tell({ ...one, holder: 'stranger' }, 'not-run');
    expect(used()).toBe(60);
  });

  it('keeps the charge of a call in doubt, whoever says afterwards that it did not run', async () => {
    const one = asking('a', [charge(60)]);
    await ask(one);
    await tell(one, 'in-doubt');
    await tell(one, 'not-run');
    await tell(one, 'failed');
    expect(used()).toBe(60);
  });

  it('charges anew what failed and is tried again under its key', async () => {
    const one = asking('a', [charge(60)]);
    await ask(one);
    await tell(one, 'failed');
    expect(used()).toBe(0);
    await ask({ ...one, holder: 'second' });
    expect(used()).toBe(60);
  });

  it('gives back the unused share of reads that were allotted ahead', async () => {
    const one = asking('a', [charge(8)]);
    await ask(one);
    await tell(one, 'not-run', 3 / 8);
    expect(used()).toBe(5);
    await tell(one, 'not-run', 1);
    expect(used()).toBe(5);
  });

  it('survives more repeats of one key than it remembers, by giving nothing back', async () => {
    const one = asking('a', [charge(60)]);
    for (let round = 0; round < 40; round += 1) await ask({ ...one, holder: `r${round}` });
    for (let round = 0; round < 40; round += 1) await tell({ ...one, holder: `r${round}` }, 'not-run');
    expect(used()).toBe(60);
  });
});

describe('escalation', () => {
  const half = (amount: number): Charge => charge(amount, { escalateAt: 50 });

  it('asks people once in each window, and allots nothing meanwhile', async () => {
    expect(await codeOf(asking('a', [half(50)]))).toBe('granted');
    expect(await ask(asking('b', [half(1)])))
      .toEqual({ outcome: 'escalate', code: 'BOUNDS_HALF_REACHED', bound: 'agent/triage/money' });
    expect(used()).toBe(50);
    expect(await codeOf(asking('b', [half(1)], { released: true }))).toBe('granted');
    expect(await codeOf(asking('c', [half(40)]))).toBe('granted');
    nowMs += 3 * hourMs;
    expect(await codeOf(asking('d', [half(51)]))).toBe('BOUNDS_HALF_REACHED');
  });

  it('lets nobody release more than the limit', async () => {
    expect(await codeOf(asking('a', [half(101)], { released: true }))).toBe('BOUNDS_EXCEEDED');
  });

  it('releases every sum that the call takes beyond its share', async () => {
    const both = [half(60), charge(60, { key: 'task/t/money', escalateAt: 50 })];
    expect(await codeOf(asking('a', both, { released: true }))).toBe('granted');
    expect(await codeOf(asking('b', [charge(10, { key: 'task/t/money', escalateAt: 50 })])))
      .toBe('granted');
  });
});

describe('breakers and retries', () => {
  const breakers = [breaker];

  it('refuse after failures, charge nothing, and probe once their time is over', async () => {
    for (const id of ['a', 'b', 'c']) {
      const one = asking(id, [charge(1)], { breakers });
      expect(await codeOf(one)).toBe('granted');
      expect(await tell(one, 'failed')).toEqual(id === 'c' ? [{ breaker: breaker.key, to: 'open' }] : []);
    }
    expect(await codeOf(asking('d', [charge(1)], { breakers }))).toBe('BOUNDS_BREAKER_OPEN');
    expect(used()).toBe(0);
    nowMs += 60_000;
    expect(await ask(asking('e', [], { breakers }))).toEqual({ outcome: 'granted', probe: true });
    expect(await codeOf(asking('f', [], { breakers }))).toBe('BOUNDS_BREAKER_OPEN');
    expect(await tell(asking('e', [], { breakers }), 'done')).toEqual([{ breaker: breaker.key, to: 'closed' }]);
    expect(await ask(asking('g', [], { breakers }))).toEqual({ outcome: 'granted', probe: false });
  });

  it('lose no probe to a call that some sum refuses', async () => {
    for (const id of ['a', 'b', 'c']) await tell(asking(id, [], { breakers }), 'failed');
    nowMs += 60_000;
    expect(await codeOf(asking('d', [charge(101)], { breakers }))).toBe('BOUNDS_EXCEEDED');
    expect(await codeOf(asking('e', [], { breakers }))).toBe('granted');
  });

  it('count one report once, and one call in doubt once for all who are told of it', async () => {
    const one = asking('a', [], { breakers });
    for (const end of ['failed', 'failed', 'in-doubt', 'in-doubt'] as const) await tell(one, end);
    await tell({ ...one, holder: 'other' }, 'in-doubt');
    expect(await codeOf(asking('b', [], { breakers }))).toBe('granted');
  });

  it('let a task try again as often as it may, over all of its requests', async () => {
    const retry = { key: 'retry/t/pay', most: 2, untilMs: startMs + hourMs };
    for (const id of ['a', 'b', 'c']) {
      const one = asking(id, [], { retry });
      expect(await codeOf(one)).toBe('granted');
      await tell(one, id === 'b' ? 'in-doubt' : 'failed');
    }
    expect(await codeOf(asking('d', [], { retry }))).toBe('BOUNDS_RETRIES_SPENT');
    await store.prune(startMs + hourMs);
    expect(await codeOf(asking('d', [], { retry }))).toBe('BOUNDS_RETRIES_SPENT');
  });
});
