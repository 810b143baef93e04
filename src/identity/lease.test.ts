// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { isLeaseValid, leaseMsMax, noLease, onBoot, takeLease } from './lease.ts';
import type { Instant, LeaseGrant } from './lease.ts';

const terms = {
  holder: 'triage', meshDigest: 'mesh', policyVersion: 7, revocationVersion: 3, paceVersion: 2,
};
const grant: LeaseGrant = {
  boot: 'first', ...terms, nonce: 'n', privileged: true, consent: null, durationMs: 5_000,
  clamp: { phase: 'PRIMARY', allows: 'all', draining: false },
};
const asked: Instant = { wallMs: 1_000_000, monotonicMs: 100 };
const held = takeLease(noLease, grant, asked, terms);

function after(wallMs: number, monotonicMs = wallMs): Instant {
  return { wallMs: asked.wallMs + wallMs, monotonicMs: asked.monotonicMs + monotonicMs };
}

describe('a lease', () => {
  it('is not held before the first grant', () => {
    expect(isLeaseValid(noLease, asked)).toBe(false);
  });

  it.each([
    ['a moment before the end', after(4_999), true],
    ['exactly at the end', after(5_000), false],
    ['at the end of the monotonic clock, the wall clock set back', after(-3_600_000, 5_000), false],
    ['at the end of the wall clock, the machine having slept', after(5_000, 1), false],
    ['with a wall clock that is no number', after(Number.NaN, 1), false],
    ['with a monotonic clock that is no number', after(1, Number.NaN), false],
  ])('%s', (_when, now, valid) => {
    expect(isLeaseValid(held, now)).toBe(valid);
  });

  it('counts from when it was asked for, however late the answer comes', () => {
    const late = takeLease(noLease, grant, asked, terms);
    expect(isLeaseValid(late, after(5_000))).toBe(false);
  });

  it.each([
    ['an older revocation list', { revocationVersion: 2 }],
    ['a newer revocation list', { revocationVersion: 4 }],
    ['another mesh file', { meshDigest: 'other' }],
    ['another holder', { holder: 'desk' }],
    ['an older version of PACE', { paceVersion: 1 }],
    ['an older version of the policy', { policyVersion: 6 }],
    ['a newer version of the policy', { policyVersion: 8 }],
    ['no time', { durationMs: 0 }],
    ['a negative time', { durationMs: -1 }],
    ['a time that is no number', { durationMs: Number.NaN }],
  ])('over %s is not taken, and ends the one that is held', (_what, change) => {
    const next = takeLease(held, { ...grant, ...change }, after(1), terms);
    expect(isLeaseValid(next, after(2))).toBe(false);
  });

  it('asked for at a time that is no number is not taken', () => {
    const next = takeLease(held, grant, { wallMs: Number.NaN, monotonicMs: 1 }, terms);
    expect(isLeaseValid(next, asked)).toBe(false);
  });

  it('lasts no longer than the longest one allowed', () => {
    const long = takeLease(noLease, { ...grant, durationMs: 1e12 }, asked, terms);
    expect(isLeaseValid(long, after(leaseMsMax - 1))).toBe(true);
    expect(isLeaseValid(long, after(leaseMsMax))).toBe(false);
  });

  it('is not shortened by an answer that was overtaken', () => {
    const renewed = takeLease(held, grant, after(1_000), terms);
    const overtaken = takeLease(renewed, grant, after(500), terms);
    expect(isLeaseValid(overtaken, after(5_999))).toBe(true);
  });

  it('of another run of the node is void', () => {
    expect(isLeaseValid(onBoot(held, 'second'), after(1))).toBe(false);
    expect(isLeaseValid(onBoot(held, 'first'), after(1))).toBe(true);
  });
});
