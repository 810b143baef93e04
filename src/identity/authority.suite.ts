// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { Authority } from './credential.ts';
import { createPeerVerifier, readTrustBundle } from './peer.ts';

export type AuthorityCase = {
  readonly authority: Authority;
  readonly trustDomain: string;
  readonly nowMs: number;
  /** A signing request of a fresh Ed25519 key. */
  readonly csr: () => Promise<string>;
};

/** What every `Authority` does. */
export function authoritySuite(name: string, create: () => Promise<AuthorityCase>): void {
  const issue = async (
    { authority, trustDomain, csr }: AuthorityCase,
    change: Partial<Parameters<Authority['issue']>[0]> = {},
  ) => {
    const spiffeId = `spiffe://${trustDomain}/agent/triage/i-1`;
    return authority.issue({ csrPem: await csr(), spiffeId, lifetimeMs: 600_000, ...change });
  };

  describe(`${name} as an authority`, () => {
    it.each([
      ['nothing', ''],
      ['noise', '-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----'],
      ['megabytes', 'A'.repeat(5_000_000)],
    ])('refuses %s for a signing request', async (_name, csrPem) => {
      const refusal = { code: 'IDENTITY_CSR_REFUSED' };
      await expect(issue(await create(), { csrPem })).rejects.toMatchObject(refusal);
    });

    it.each([0, 999, 3_600_001, -1, NaN, Infinity])('refuses a life of %d ms', async (lifetimeMs) => {
      const refusal = { code: 'IDENTITY_LIFETIME_REFUSED' };
      await expect(issue(await create(), { lifetimeMs })).rejects.toMatchObject(refusal);
    });

    it.each([
      ['no id', 'IDENTITY_SPIFFE_ID_INVALID'],
      ['spiffe://other.domain/agent/triage/i-1', 'IDENTITY_TRUST_DOMAIN_FOREIGN'],
    ])('refuses to name anybody %s', async (spiffeId, code) => {
      await expect(issue(await create(), { spiffeId })).rejects.toMatchObject({ code });
    });

    it('gives an SVID that peers believe, for exactly the time asked for', async () => {
      const one = await create();
      const issued = await issue(one);
      const bundle = readTrustBundle(one.authority.bundlePem(), one.trustDomain);
      const clock = { nowMs: () => one.nowMs };
      const verdict = createPeerVerifier(bundle, clock).verifyPem(issued.chainPem);
      const { notBeforeMs, expiresAtMs } = issued;
      expect(verdict).toMatchObject({ ok: true, peer: { notBeforeMs, expiresAtMs } });
      // Certificates count whole seconds, and begin a little early for clocks that are behind.
      expect(Math.abs(expiresAtMs - one.nowMs - 600_000)).toBeLessThan(1_000);
      expect(notBeforeMs).toBeLessThanOrEqual(one.nowMs);
    });

    it('never repeats a serial', async () => {
      const one = await create();
      const issued = await Promise.all(Array.from({ length: 20 }, () => issue(one)));
      expect(new Set(issued.map(({ serial }) => serial)).size).toBe(20);
    });
  });
}
