// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sampleMesh } from '../../test/mesh-files/sample.ts';
import { openBuiltinAuthority } from '../adapters/authority-builtin.ts';
import { systemClock } from '../adapters/clock-system.ts';
import { newKey } from '../adapters/credential-keys.ts';
import { openKeyFileKms } from '../adapters/kms-encrypted-file.ts';
import { systemRandom } from '../adapters/random-system.ts';
import type { PeerIdentity } from '../identity/credential.ts';
import { mintJoinToken } from '../identity/join-token.ts';
import { memoryJoinTokenStore } from '../identity/join-token-store-memory.ts';
import { createPeerVerifier, readTrustBundle } from '../identity/peer.ts';
import { RevocationList, type RevocationTarget } from '../identity/revocation.ts';
import type { EntryDraft } from '../recorder/entry.ts';
import { enrol, renew, type EnrolmentContext } from './enrolment.ts';

const clock = systemClock();
const mesh = sampleMesh();
let folder: string;
let entries: EntryDraft[];
let revocations: RevocationList;
let context: EnrolmentContext;
/** What happens while a certificate is being made. */
let meanwhile: () => void;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'maso-enrolment-'));
  entries = [];
  meanwhile = () => undefined;
  revocations = new RevocationList([], 0, clock.nowMs());
  const authority = await openBuiltinAuthority({
    directory: join(folder, 'authority'),
    trustDomain: mesh.trustDomain,
    kms: await openKeyFileKms(join(folder, 'kms.key'), systemRandom),
    clock,
    random: systemRandom,
  });
  context = {
    mesh,
    authority: {
      issue: async (request) => {
        const svid = await authority.issue(request);
        meanwhile();
        return svid;
      },
      bundlePem: () => authority.bundlePem(),
    },
    tokens: memoryJoinTokenStore(),
    revocations,
    recorder: {
      record: async (drafts) => {
        entries.push(...drafts);
        return drafts.map((_draft, sequence) => ({ sequence }));
      },
    },
    clock,
    random: systemRandom,
    childOf: () => null,
    issued: async () => undefined,
  };
});
afterEach(() => rmSync(folder, { recursive: true }));

function revoke(target: RevocationTarget): void {
  const version = revocations.version + 1;
  const change = { version, id: 'id', op: 'revoke' as const, target, at: clock.nowMs(), signed: null };
  revocations.update({ since: version - 1, version, changes: [change] }, () => false);
}

async function tokenOf(agent: string): Promise<string> {
  const claims = { agent, address: 'host:1', caHash: 'A'.repeat(43), expiresAtMs: clock.nowMs() + 60_000 };
  const { token, record } = mintJoinToken(claims, systemRandom);
  await context.tokens.add(record);
  return token;
}

async function joined(): Promise<PeerIdentity> {
  const enrolled = await enrol(await tokenOf('payments'), (await newKey()).csrPem, context);
  if (!enrolled.ok) throw new Error(enrolled.code);
  const bundle = readTrustBundle(enrolled.bundlePem, mesh.trustDomain);
  const verdict = createPeerVerifier(bundle, clock).verifyPem(enrolled.chainPem);
  if (!verdict.ok) throw new Error(verdict.code);
  return verdict.peer;
}

const byName = { kind: 'agent', value: 'payments' } as const;

describe('an agent that is revoked', () => {
  it('does not join by a token that was minted before', async () => {
    const token = await tokenOf('payments');
    revoke(byName);
    const enrolled = await enrol(token, (await newKey()).csrPem, context);
    expect(enrolled).toEqual({ ok: false, code: 'IDENTITY_REVOKED' });
    expect(entries).toMatchObject([{ kind: 'identity.refused', code: 'IDENTITY_REVOKED' }]);
  });

  it('gets no first certificate that was on its way', async () => {
    meanwhile = () => revoke(byName);
    const enrolled = await enrol(await tokenOf('payments'), (await newKey()).csrPem, context);
    expect(enrolled).toEqual({ ok: false, code: 'IDENTITY_REVOKED' });
  });

  const targets: readonly ((peer: PeerIdentity) => RevocationTarget)[] = [
    () => byName,
    (peer) => ({ kind: 'instance', value: peer.spiffeId }),
    (peer) => ({ kind: 'certificate', value: peer.thumbprint }),
  ];
  it.each([0, 1, 2])('is not renewed, and gets no certificate that was on its way (%i)', async (index) => {
    const peer = await joined();
    const target = targets[index]?.(peer) ?? byName;
    meanwhile = () => revoke(target);
    const { csrPem } = await newKey();
    expect(await renew(peer, csrPem, context)).toEqual({ ok: false, code: 'IDENTITY_REVOKED' });
    meanwhile = () => undefined;
    expect(await renew(peer, csrPem, context)).toEqual({ ok: false, code: 'IDENTITY_REVOKED' });
  });
});

describe('an identity on record', () => {
  it('names its sponsor, role, expiry and instance', async () => {
    const payments = mesh.agents.get('payments');
    if (payments === undefined) throw new Error('no agent');
    const agents = new Map(mesh.agents).set('payments', { ...payments, sponsor: 'alice@example.org' });
    context = { ...context, mesh: { ...mesh, agents } };
    const peer = await joined();
    expect(entries).toMatchObject([
      {
        kind: 'identity.issued',
        detail: {
          agent: 'payments', spiffeId: peer.spiffeId, role: 'EXECUTOR',
          sponsor: 'alice@example.org', expiresAt: peer.expiresAtMs,
        },
      },
    ]);
  });
});
