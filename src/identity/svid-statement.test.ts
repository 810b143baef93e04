// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openBuiltinAuthority } from '../adapters/authority-builtin.ts';
import { systemClock } from '../adapters/clock-system.ts';
import { newKey } from '../adapters/credential-keys.ts';
import { openKeyFileKms } from '../adapters/kms-encrypted-file.ts';
import { systemRandom } from '../adapters/random-system.ts';
import type { Authority } from './credential.ts';
import { createPeerVerifier, readTrustBundle } from './peer.ts';
import { RevocationList, type RevocationTarget } from './revocation.ts';
import { encodeStatement, statementOf, type SvidStatement } from './svid-statement.ts';

const trustDomain = 'example.test';
const parent = `spiffe://${trustDomain}/agent/planner/one`;
const spiffeId = `spiffe://${trustDomain}/agent/helper-1/two`;
const statement: SvidStatement = {
  role: 'RETRIEVER',
  scope: 'A'.repeat(43),
  sponsor: 'alice@example.org',
  lineage: {
    ancestors: [`spiffe://${trustDomain}/agent/root/zero`, parent],
    task: '01K74F0Z00ABCDEFGHJKMNPQRS',
    depthLeft: 1,
    scope: { tools: ['notes'], requests: ['count'], clearance: 'internal' },
    endsAt: 1_900_000_000_000,
  },
};
const clock = systemClock();
let folder: string;
let authority: Authority;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'maso-statement-'));
  authority = await openBuiltinAuthority({
    directory: join(folder, 'authority'),
    trustDomain,
    kms: await openKeyFileKms(join(folder, 'kms.key'), systemRandom),
    clock,
    random: systemRandom,
  });
});
afterAll(() => rmSync(folder, { recursive: true }));

async function certificateWith(said?: SvidStatement): Promise<X509Certificate> {
  const { csrPem } = await newKey();
  const request = { csrPem, spiffeId, lifetimeMs: 60_000 };
  const { chainPem } = await authority.issue(said === undefined ? request : { ...request, statement: said });
  return new X509Certificate(chainPem);
}

describe('what a certificate says of its holder', () => {
  it('is what the authority was told, and nothing where it was told nothing', async () => {
    expect(statementOf(await certificateWith(statement))).toEqual({ ok: true, statement });
    const resident = { ...statement, lineage: null, sponsor: null, scope: null };
    expect(statementOf(await certificateWith(resident))).toEqual({ ok: true, statement: resident });
    expect(statementOf(await certificateWith())).toEqual({ ok: true, statement: null });
  });

  it('is refused when it is out of bounds, before anything is signed', async () => {
    const { lineage } = statement;
    if (lineage === null) throw new Error('no lineage');
    const out: readonly SvidStatement[] = [
      { ...statement, role: 'retriever' },
      { ...statement, sponsor: 'x'.repeat(129) },
      { ...statement, scope: 'short' },
      { ...statement, lineage: { ...lineage, ancestors: [] } },
      { ...statement, lineage: { ...lineage, ancestors: ['spiffe://example.test/node/main'] } },
      { ...statement, lineage: { ...lineage, ancestors: Array(9).fill(parent) } },
      { ...statement, lineage: { ...lineage, depthLeft: -1 } },
      { ...statement, lineage: { ...lineage, task: 'none' } },
      { ...statement, lineage: { ...lineage, endsAt: 1.5 } },
      { ...statement, lineage: { ...lineage, scope: { ...lineage.scope, tools: ['A B'] } } },
    ];
    for (const one of out) {
      expect(() => encodeStatement(one)).toThrow(expect.objectContaining({ code: 'IDENTITY_STATEMENT_INVALID' }));
    }
  });

  it('is part of what a peer is verified by, and a child falls with its ancestors', async () => {
    const verifier = createPeerVerifier(readTrustBundle(authority.bundlePem(), trustDomain), clock);
    const verdict = verifier.verify(await certificateWith(statement));
    if (!verdict.ok) throw new Error(verdict.code);
    expect(verdict.peer.lineage).toEqual(statement.lineage);
    const revokedBy = (target: RevocationTarget): boolean => {
      const change = { version: 1, id: 'id', op: 'revoke', target, at: clock.nowMs(), signed: null } as const;
      return new RevocationList([change], 1, clock.nowMs()).isRevoked(verdict.peer);
    };
    expect(revokedBy({ kind: 'instance', value: parent })).toBe(true);
    expect(revokedBy({ kind: 'agent', value: 'root' })).toBe(true);
    expect(revokedBy({ kind: 'instance', value: `${parent}x` })).toBe(false);
    expect(revokedBy({ kind: 'agent', value: 'helper' })).toBe(false);
  });
});
