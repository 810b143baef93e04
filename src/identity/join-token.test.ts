// SPDX-License-Identifier: Apache-2.0
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { joinSecretDigest, mintJoinToken, parseJoinToken } from './join-token.ts';
import { joinTokenStoreLaws } from './join-token-store-laws.ts';
import { memoryJoinTokenStore } from './join-token-store-memory.ts';

const claims = {
  agent: 'triage',
  address: '127.0.0.1:7443',
  caHash: 'A'.repeat(43),
  expiresAtMs: 1_760_000_000_000,
};
const random = { bytes: (count: number) => new Uint8Array(count).fill(7) };
const { token, record } = mintJoinToken(claims, random);
const [, text = '', secret = ''] = token.split('.');

function tokenOf(json: string): string {
  return `maso1.${Buffer.from(json).toString('base64url')}.${secret}`;
}

describe('a join token', () => {
  it.each([
    ['nothing', ''],
    ['another version', token.replace('maso1', 'maso2')],
    ['no secret', `maso1.${text}`],
    ['a fourth part', `${token}.x`],
    ['a short secret', token.slice(0, -1)],
    ['padding', `${token}=`],
    ['claims that are not JSON', tokenOf('{')],
    ['claims with a duplicate', tokenOf(`{"address":"a:1","agent":"a","agent":"b"}`)],
    ['claims with white space', tokenOf(JSON.stringify(claims, null, 1))],
    ['claims out of order', tokenOf(JSON.stringify(claims))],
    ['an unknown claim', tokenOf(`${sorted().slice(0, -1)},"x":1}`)],
    ['a bad agent name', tokenOf(sorted({ agent: '../bank' }))],
    ['a bad address', tokenOf(sorted({ address: 'http://127.0.0.1:1/' }))],
    ['a bad hash', tokenOf(sorted({ caHash: 'A' }))],
    ['a fractional time', tokenOf(sorted({ expiresAtMs: 1.5 }))],
    ['megabytes', 'maso1.'.padEnd(5_000_000, 'A')],
  ])('is refused with %s', (_name, broken) => {
    expect(parseJoinToken(broken)).toEqual({ ok: false, code: 'IDENTITY_JOIN_TOKEN_MALFORMED' });
  });

  it('is not minted from claims that could not be read back', () => {
    expect(() => mintJoinToken({ ...claims, agent: 'A B' }, random)).toThrow(
      expect.objectContaining({ code: 'IDENTITY_JOIN_TOKEN_MALFORMED' }),
    );
  });

  it('leaves the node a digest, never the secret', () => {
    expect(JSON.stringify(record)).not.toContain(secret);
    expect(record).toEqual({
      secretDigest: joinSecretDigest(secret),
      agent: 'triage',
      expiresAtMs: claims.expiresAtMs,
    });
  });

  it('reads back what was minted', () => {
    expect(parseJoinToken(token)).toEqual({ ok: true, claims, secret });
    const ipv6 = mintJoinToken({ ...claims, address: '[::1]:7443' }, random);
    expect(parseJoinToken(ipv6.token).ok).toBe(true);
  });

  it('never throws on arbitrary text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string(), (a, b) => {
        return !parseJoinToken(a).ok && !parseJoinToken(`maso1.${a}.${b}`).ok;
      }),
    );
  });
});

function sorted(change: object = {}): string {
  const all: { readonly [claim: string]: unknown } = { ...claims, ...change };
  const entries = Object.entries(all).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify(Object.fromEntries(entries));
}

describe('the join token store for tests', () => {
  it.each(joinTokenStoreLaws)('$behaviour', async ({ check }) => {
    await check(memoryJoinTokenStore());
  });
});
