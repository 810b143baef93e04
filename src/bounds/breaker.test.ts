// SPDX-License-Identifier: Apache-2.0
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  askBreaker, closedBreaker, reportToBreaker, type BreakerState, type CallEnd,
} from './breaker.ts';

const settings = { failures: 3, windowMs: 100, openMs: 1000, probes: 2 };

function afterFailures(...timesMs: readonly number[]): BreakerState {
  return timesMs.reduce<BreakerState>(
    (state, atMs) => reportToBreaker(state, `f${atMs}`, 'failed', atMs, settings), closedBreaker);
}

const answerOf = (state: BreakerState, id: string, nowMs: number) =>
  askBreaker(state, id, nowMs, settings).answer;

describe('a circuit breaker', () => {
  it('opens at the last failure that its window takes, and not with older ones', () => {
    expect(answerOf(afterFailures(0, 50, 99), 'a', 99)).toBe('open');
    expect(answerOf(afterFailures(0, 50, 100), 'a', 100)).toBe('pass');
  });

  it('counts a call in doubt as a failure, and neither good nor unmade ones', () => {
    const ends: readonly CallEnd[] = ['in-doubt', 'done', 'not-run', 'in-doubt'];
    const state = ends.reduce<BreakerState>(
      (before, end, at) => reportToBreaker(before, `r${at}`, end, at, settings), closedBreaker);
    expect(answerOf(state, 'a', 5)).toBe('pass');
    expect(answerOf(reportToBreaker(state, 'r', 'in-doubt', 5, settings), 'a', 5)).toBe('open');
  });

  it('lets nothing pass until its time is over, then as many probes as it takes', () => {
    const open = afterFailures(0, 1, 2);
    expect(answerOf(open, 'a', 1001)).toBe('open');
    const first = askBreaker(open, 'a', 1002, settings);
    const second = askBreaker(first.state, 'b', 1002, settings);
    expect([first.answer, second.answer]).toEqual(['probe', 'probe']);
    expect(answerOf(second.state, 'c', 1002)).toBe('open');
    expect(answerOf(second.state, 'a', 1002)).toBe('probe');
  });

  it('closes after enough good probes, and opens again at one bad one', () => {
    const first = askBreaker(afterFailures(0, 1, 2), 'a', 1002, settings);
    const { state } = askBreaker(first.state, 'b', 1002, settings);
    const one = reportToBreaker(state, 'a', 'done', 1003, settings);
    expect(answerOf(one, 'c', 1003)).toBe('open');
    expect(reportToBreaker(one, 'b', 'done', 1004, settings)).toEqual(closedBreaker);
    expect(answerOf(reportToBreaker(one, 'b', 'failed', 1004, settings), 'd', 2003)).toBe('open');
  });

  it('takes a success of nobody who probes for nothing', () => {
    const { state } = askBreaker(afterFailures(0, 1, 2), 'a', 1002, settings);
    const told = reportToBreaker(state, 'x', 'done', 1003, settings);
    expect(reportToBreaker(told, 'x', 'done', 1004, settings)).toEqual(state);
  });

  it('makes room for another probe when one was not made, or nobody ever reports on it', () => {
    const first = askBreaker(afterFailures(0, 1, 2), 'a', 1002, settings);
    const { state } = askBreaker(first.state, 'b', 1003, settings);
    expect(answerOf(reportToBreaker(state, 'a', 'not-run', 1004, settings), 'c', 1004)).toBe('probe');
    expect(answerOf(state, 'c', 2001)).toBe('open');
    expect(answerOf(state, 'c', 2002)).toBe('probe');
  });

  it('never has more probes under way than it takes, whatever happens', () => {
    const step = fc.record({
      id: fc.constantFrom('a', 'b', 'c', 'd'),
      end: fc.constantFrom<CallEnd | null>(null, 'done', 'failed', 'in-doubt', 'not-run'),
      afterMs: fc.constantFrom(0, 1, 60, 1000),
    });
    fc.assert(fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      let state: BreakerState = closedBreaker;
      let nowMs = 0;
      for (const { id, end, afterMs } of steps) {
        nowMs += afterMs;
        state = end === null ? askBreaker(state, id, nowMs, settings).state
          : reportToBreaker(state, id, end, nowMs, settings);
        if (state.state === 'half-open') {
          expect(state.probes.length + state.succeeded).toBeLessThanOrEqual(settings.probes);
        }
        if (state.state === 'closed') expect(state.failedAtMs.length).toBeLessThan(settings.failures);
      }
    }));
  });
});
