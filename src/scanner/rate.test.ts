// SPDX-License-Identifier: Apache-2.0
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { takeTokens, TokenBuckets } from './rate.ts';

const rate = { perSecond: 10, burst: 5 };
const full = { tokens: 5, updatedAtMs: 1000 };

describe('rate', () => {
  it('refuses what exceeds the burst and says when to come back', () => {
    let bucket = full;
    for (let message = 0; message < 5; message += 1) {
      const taken = takeTokens(bucket, rate, 1000);
      expect(taken.allowed).toBe(true);
      bucket = taken.bucket;
    }
    const refused = takeTokens(bucket, rate, 1000);
    expect(refused).toMatchObject({ allowed: false, retryAfterMs: 100 });
    expect(takeTokens(refused.bucket, rate, 1099).allowed).toBe(false);
    expect(takeTokens(refused.bucket, rate, 1100).allowed).toBe(true);
  });

  it('refuses on a clock that reads NaN, and works again after it', () => {
    const taken = takeTokens(full, rate, NaN);
    expect(taken).toEqual({ bucket: full, allowed: false, retryAfterMs: Infinity });
    expect(takeTokens(taken.bucket, rate, 1001).allowed).toBe(true);
  });

  it('gives nothing back for a clock that goes backwards', () => {
    expect(takeTokens({ tokens: 1, updatedAtMs: 1000 }, rate, 0).allowed).toBe(true);
    const empty = { tokens: 0, updatedAtMs: 1000 };
    const taken = takeTokens(empty, rate, 0);
    expect(taken.allowed).toBe(false);
    expect(taken.bucket.updatedAtMs).toBe(1000);
  });

  it('never lets more through than burst and rate allow', () => {
    const steps = fc.array(fc.integer({ min: -50, max: 300 }), { maxLength: 100 });
    fc.assert(
      fc.property(steps, (deltas) => {
        const buckets = new TokenBuckets(rate);
        let nowMs = 1000;
        let passed = 0;
        let latestMs = nowMs;
        for (const delta of deltas) {
          nowMs += delta;
          latestMs = Math.max(latestMs, nowMs);
          if (buckets.take('triage', nowMs)) passed += 1;
        }
        const slackMs = 50 * deltas.length;
        const spanMs = latestMs - 1000 + slackMs;
        expect(passed).toBeLessThanOrEqual(rate.burst + (spanMs * rate.perSecond) / 1000 + 1);
      }),
    );
  });

  it('keeps senders apart', () => {
    const buckets = new TokenBuckets({ perSecond: 1, burst: 1 });
    expect(buckets.take('a', 0)).toBe(true);
    expect(buckets.take('a', 0)).toBe(false);
    expect(buckets.take('b', 0)).toBe(true);
  });

  it('lets nothing through where the burst is below one', () => {
    expect(new TokenBuckets({ perSecond: 100, burst: 0 }).take('a', 5000)).toBe(false);
  });
});
