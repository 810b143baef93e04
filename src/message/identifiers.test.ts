// SPDX-License-Identifier: Apache-2.0
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Random } from './clock.ts';
import {
  isAgentSpiffeId,
  isDigest,
  isName,
  isNonce,
  isSchemaId,
  isUlid,
  mintNonce,
  mintUlid,
  ulidTimeMs,
} from './identifiers.ts';

const clockAt = (nowMs: number) => ({ nowMs: () => nowMs });
const randomOf = (byte: number): Random => ({ bytes: (count) => new Uint8Array(count).fill(byte) });

describe('identifiers', () => {
  it.each([NaN, -1, 2 ** 48, Infinity])('mints no id at %d', (nowMs) => {
    expect(() => mintUlid(clockAt(nowMs), randomOf(0))).toThrow(
      expect.objectContaining({ code: 'MESSAGE_MEMBER_INVALID' }),
    );
  });

  it('mints nothing from a random source that gives too little', () => {
    const short: Random = { bytes: () => new Uint8Array(4) };
    expect(() => mintUlid(clockAt(1), short)).toThrow();
    expect(() => mintNonce(short)).toThrow();
  });

  it('writes the first and the last ULID', () => {
    expect(mintUlid(clockAt(0), randomOf(0))).toBe('0'.repeat(26));
    expect(mintUlid(clockAt(2 ** 48 - 1), randomOf(255))).toBe('7' + 'Z'.repeat(25));
  });

  it('mints ids and nonces that read back, and keeps all random bits', () => {
    const bytes = fc.uint8Array({ minLength: 16, maxLength: 16 });
    fc.assert(
      fc.property(fc.nat({ max: 2 ** 48 - 1 }), bytes, bytes, (nowMs, a, b) => {
        const random = (from: Uint8Array): Random => ({ bytes: (count) => from.slice(0, count) });
        const id = mintUlid(clockAt(nowMs), random(a));
        expect(isUlid(id)).toBe(true);
        expect(ulidTimeMs(id)).toBe(nowMs);
        const differ = a.slice(0, 10).some((byte, index) => byte !== b[index]);
        expect(mintUlid(clockAt(nowMs), random(b)) !== id).toBe(differ);
        expect(isNonce(mintNonce(random(a)))).toBe(true);
      }),
    );
  });

  it('sorts ids of different milliseconds by time', () => {
    const early = mintUlid(clockAt(1_795_250_000_000), randomOf(255));
    expect(early < mintUlid(clockAt(1_795_250_000_001), randomOf(0))).toBe(true);
  });

  it('knows what is no identifier', () => {
    expect(ulidTimeMs('not an id')).toBeNull();
    expect(isUlid('0'.repeat(26) + '\n')).toBe(false);
    expect(isDigest('A'.repeat(44))).toBe(false);
    expect(isName('a'.repeat(64))).toBe(false);
    expect(isName('Übung')).toBe(false);
    expect(isSchemaId('a/01')).toBe(false);
    expect(isAgentSpiffeId('spiffe://maso.local/node/a')).toBe(false);
    expect(isAgentSpiffeId('SPIFFE://maso.local/agent/a/1')).toBe(false);
    expect(isAgentSpiffeId('spiffe://maso.local/agent/a/1')).toBe(true);
  });
});
