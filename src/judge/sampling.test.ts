// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { doubted, newSender, sampleRate, senderNow, type SenderStanding } from './sampling.ts';

const dayMs = 86_400_000;
const nowMs = 1_000 * dayMs;
const known: SenderStanding = { ...newSender, seen: 51 };
const rate = (sender: SenderStanding, share = 0.1, suspectUntil = 0, at = nowMs): number =>
  sampleRate(share, sender, { suspectUntil, first: 50, nowMs: at });

describe('the share of escalations that is judged', () => {
  test('is that of the mesh file for a sender that is known', () => {
    expect(rate(known)).toBe(0.1);
  });

  test('is everything of a new sender, up to the number that the mesh file says', () => {
    let sender: SenderStanding | null = null;
    const rates = Array.from({ length: 52 }, () => {
      sender = senderNow(sender, 'm', 50, nowMs);
      return rate(sender);
    });
    expect(rates.slice(0, 50).every((one) => one === 1)).toBe(true);
    expect(rates.slice(50)).toEqual([0.1, 0.1]);
  });

  test('is that of the mesh file for messages, however new their sender', () => {
    const sender = senderNow(null, 'm', null, nowMs);
    expect(sender.seen).toBe(0);
    expect(sampleRate(0.1, sender, { suspectUntil: 0, first: null, nowMs })).toBe(0.1);
    expect(sampleRate(0.1, sender, { suspectUntil: 0, first: 0, nowMs })).toBe(0.1);
  });

  test('is everything for two days after another model thinks for it', () => {
    const changed = senderNow({ ...known, model: 'small' }, 'large', 50, nowMs);
    expect([rate(changed), rate(changed, 0.1, 0, nowMs + 2 * dayMs)]).toEqual([1, 0.1]);
    expect(rate(senderNow({ ...known, model: 'small' }, 'small', 50, nowMs))).toBe(0.1);
  });

  test('doubles for a day after a doubt, and is never above everything', () => {
    const sender = doubted(known, nowMs);
    expect([rate(sender), rate(sender, 0.7), rate(sender, 0.1, 0, nowMs + dayMs)]).toEqual([0.2, 1, 0.1]);
  });

  test('of a sender that was found wrong is everything, and else nothing where it is switched off', () => {
    expect(rate(known, 0, nowMs + 1)).toBe(1);
    expect(rate(senderNow(null, 'm', 50, nowMs), 0)).toBe(0);
    expect(rate(known, Number.NaN)).toBe(0);
  });
});
