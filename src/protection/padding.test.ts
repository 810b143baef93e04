// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { padded, paddedLength, unpadded } from './padding.ts';

describe('the length of what is sealed', () => {
  it('is one of few, never shorter, and at most an eighth longer', () => {
    const lengths = new Set<number>();
    for (let length = 0; length <= 262_144; length += 1) {
      const whole = paddedLength(length);
      expect(whole >= length && whole <= Math.max(256, length * 1.125)).toBe(true);
      lengths.add(whole);
    }
    expect(lengths.size).toBeLessThan(200);
  });

  it('is taken away again exactly', () => {
    fc.assert(fc.property(fc.json(), (text) => {
      const whole = text.trimEnd();
      expect(Buffer.from(unpadded(padded(whole)) ?? []).equals(Buffer.from(whole, 'utf8'))).toBe(true);
    }));
  });

  it('is not what a sender likes: more or fewer spaces are refused', () => {
    const text = JSON.stringify({ text: 'x'.repeat(400) });
    const whole = padded(text);
    expect(unpadded(whole.subarray(0, -1))).toBeNull();
    expect(unpadded(Buffer.concat([whole, Buffer.from(' ')]))).toBeNull();
    expect(unpadded(Buffer.from(text))).toBeNull();
    expect(unpadded(Buffer.alloc(0))).toBeNull();
  });
});
