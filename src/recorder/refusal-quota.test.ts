// SPDX-License-Identifier: Apache-2.0
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { draft } from '../../test/faults/recorder-fixture.ts';
import {
  askQuota,
  emptyQuota,
  foldRefusal,
  isLaneClosed,
  mergeCounts,
  quotaLane,
  takeDigest,
} from './refusal-quota.ts';

const limits = { bytesMax: 1000, windowMs: 60_000 };
const refusal = (code: string | null) => draft(1, { kind: 'message.refused', code });

describe('the quota of refusals', () => {
  it('closes the lane at the first refusal that does not fit, also for smaller ones', () => {
    const first = askQuota(emptyQuota, limits, 'refusals', 900, 100_000);
    const second = askQuota(first.state, limits, 'refusals', 200, 100_001);
    const third = askQuota(second.state, limits, 'refusals', 1, 100_002);
    expect([first.write, second.write, third.write]).toEqual([true, false, false]);
    expect(isLaneClosed(third.state, limits, 'refusals', 100_003)).toBe(true);
  });

  it('opens again after the window and not before, also when the clock goes back', () => {
    const { state } = askQuota(emptyQuota, limits, 'refusals', 2000, 100_000);
    for (const nowMs of [0, 99_999, 159_999, Number.NaN]) {
      expect(askQuota(state, limits, 'refusals', 1, nowMs).write).toBe(false);
    }
    expect(askQuota(state, limits, 'refusals', 1, 160_000).write).toBe(true);
  });

  it('does not let refusals use up what is there for indicators', () => {
    const { state } = askQuota(emptyQuota, limits, 'refusals', 2000, 100_000);
    expect(askQuota(state, limits, 'indicators', 500, 100_001).write).toBe(true);
  });

  it('has a lane for what an attacker can cause and for nothing else', () => {
    expect(quotaLane('message.refused')).toBe('refusals');
    expect(quotaLane('identity.refused')).toBe('refusals');
    expect(quotaLane('refusals.counted')).toBe('refusals');
    expect(quotaLane('indicator.raised')).toBe('indicators');
    expect(quotaLane('tool.intent')).toBeNull();
    expect(quotaLane('approval.decided')).toBeNull();
  });

  it('writes no more than its bytes in a window, whatever comes', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(400), fc.nat(1000))), (requests) => {
        let state = emptyQuota;
        let nowMs = 1_000_000;
        const written: { at: number; bytes: number }[] = [];
        for (const [bytes, waitMs] of requests) {
          nowMs += waitMs;
          const asked = askQuota(state, limits, 'refusals', bytes, nowMs);
          state = asked.state;
          if (asked.write) written.push({ at: state.windowStartedAt, bytes });
        }
        const sums = new Map<number, number>();
        for (const { at, bytes } of written) sums.set(at, (sums.get(at) ?? 0) + bytes);
        return [...sums.values()].every((sum) => sum <= limits.bytesMax);
      }),
    );
  });
});

describe('the digest of refusals', () => {
  it('counts by code since the first, and is empty once taken', () => {
    let state = foldRefusal(emptyQuota, refusal('BUS_REPLAY'), 5);
    state = foldRefusal(state, refusal('BUS_REPLAY'), 6);
    state = foldRefusal(state, refusal('BUS_EXPIRED'), 7);
    const taken = takeDigest(state);
    expect(taken.digest?.since).toBe(5);
    expect([...(taken.digest?.counts ?? [])]).toEqual([['BUS_REPLAY', 2], ['BUS_EXPIRED', 1]]);
    expect(takeDigest(taken.state).digest).toBeNull();
  });

  it('adds up digests that others counted, and takes no other numbers from them', () => {
    const counts = { BUS_REPLAY: 40, BUS_RATE: -3, 'not a code': 2, BUS_X: 1.5, BUS_Y: 'many' };
    const counted = draft(1, { kind: 'refusals.counted', code: 'BUS_FLOOD', detail: { counts } });
    const state = foldRefusal(foldRefusal(emptyQuota, counted, 1), refusal('BUS_REPLAY'), 2);
    expect([...state.counts]).toEqual([['BUS_REPLAY', 41], ['OTHER', 2]]);
  });

  it('stays small when the codes never end', () => {
    let state = emptyQuota;
    for (let n = 0; n < 5000; n += 1) state = foldRefusal(state, refusal(`CODE_${n}`), n);
    expect(state.counts.size).toBe(64);
    expect(state.counts.get('OTHER')).toBe(5000 - 63);
  });

  it('is put back whole when it could not be written', () => {
    const { state, digest } = takeDigest(foldRefusal(emptyQuota, refusal('BUS_REPLAY'), 5));
    const later = foldRefusal(state, refusal('BUS_REPLAY'), 9);
    if (digest === null) throw new Error('no digest');
    const merged = mergeCounts(later, digest);
    expect(merged.counts.get('BUS_REPLAY')).toBe(2);
    expect(merged.countedSince).toBe(5);
  });

  it('never overflows', () => {
    const counts = { BUS_REPLAY: Number.MAX_SAFE_INTEGER };
    const counted = draft(1, { kind: 'refusals.counted', detail: { counts } });
    const state = foldRefusal(foldRefusal(emptyQuota, counted, 1), counted, 2);
    expect(state.counts.get('BUS_REPLAY')).toBe(Number.MAX_SAFE_INTEGER);
  });
});
