// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, test } from 'vitest';
import { sampleMesh } from '../../test/mesh-files/sample.ts';
import { partyOf, settled, startMs } from '../../test/sidecar-fixture/sidecar.ts';
import { noAttestor } from '../identity/attestor.ts';
import { RevocationList } from '../identity/revocation.ts';
import type { Mesh } from '../mesh/mesh.ts';
import { primaryPace } from '../pace/pace-view.ts';
import type { BoundTo, Released } from '../protection/enforcement-keys.ts';
import { providedTierRefusal } from '../protection/protection.ts';
import { signReleaseRequest, type ReleaseRequest } from '../protection/release.ts';
import { TokenBuckets } from '../scanner/rate.ts';
import type { NodeFrame } from '../wire/frame.ts';
import { onKeyFrame, releaseRefusal } from './key-frames.ts';

const payments = partyOf('payments');
const triage = partyOf('triage');
const mesh = withDomain({ tier: 'RETRIEVAL' });
const bound: BoundTo = {
  domain: 'billing', from: 'triage', instance: triage.peer.spiffeId, to: 'payments',
  classification: 'internal', roles: mesh.domains.get('billing')?.allowedRoles ?? [],
};

function withDomain(change: object): Mesh {
  const sample = sampleMesh();
  const domains = new Map([...sample.domains].map(([name, one]) => [name, { ...one, ...change }]));
  return { ...sample, domains };
}

const contextOf = (change: object = {}) => ({
  mesh,
  clock: { nowMs: () => startMs },
  pace: primaryPace,
  attestor: noAttestor,
  protection: { refusal: providedTierRefusal, open: () => ({ ok: false, code: 'unused' }) as const },
  revocations: new RevocationList([], 0, startMs),
  ...change,
});

function revoking(value: string): RevocationList {
  const target = { kind: 'agent', value } as const;
  return new RevocationList([{ version: 1, id: 'r', op: 'revoke', target, at: startMs, signed: null }], 1, startMs);
}

describe('whether a key is released now', () => {
  test('it is, while the exchange would be let through', () => {
    expect(releaseRefusal(bound, payments.peer, contextOf())).toBeNull();
  });

  test.each<[string, object, Partial<BoundTo>]>([
    ['IDENTITY_REVOKED', { revocations: revoking('payments') }, {}],
    ['IDENTITY_REVOKED', { revocations: revoking('triage') }, {}],
    ['PACE_STOPPED', { pace: { clamp: () => ({ allows: 'nothing', phase: 'EMERGENCY' }) } }, {}],
    ['PROTECTION_RELEASE_DENIED', {}, { to: 'desk' }],
    ['PROTECTION_RELEASE_DENIED', {}, { roles: ['ANALYST'] }],
    ['PROTECTION_RELEASE_DENIED', {}, { from: 'nobody' }],
    ['BUS_DOMAIN_UNKNOWN', {}, { domain: 'gone' }],
    ['BUS_CREDENTIAL_EXPIRED', { clock: { nowMs: () => 2e12 } }, {}],
    ['BUS_CREDENTIAL_TOO_OLD', { mesh: withDomain({ tier: 'RETRIEVAL', maxTokenAgeMs: 1 }) }, {}],
    ['BUS_ROLE_DENIED', { mesh: withDomain({ tier: 'RETRIEVAL', allowedRoles: ['ANALYST'] }) }, {}],
    ['BUS_NOT_ATTESTED', { mesh: withDomain({ tier: 'RETRIEVAL', attestationRequired: true }) }, {}],
    ['PROTECTION_TIER_UNAVAILABLE', { mesh: withDomain({ tier: 'FHE' }) }, {}],
    ['BUS_EDGE_DENIED', { mesh: { ...mesh, edges: [] } }, {}],
    ['BUS_CLEARANCE_EXCEEDED', {}, { classification: 'restricted' }],
  ])('%s %#', (code, change, boundChange) => {
    expect(releaseRefusal({ ...bound, ...boundChange }, payments.peer, contextOf(change))).toBe(code);
  });
});

describe('a request for a key', () => {
  let sent: NodeFrame[];
  let asked: ReleaseRequest[];
  const request: ReleaseRequest = {
    key: 'k', instance: payments.peer.spiffeId, publicKey: 'p', nonce: 'n', at: startMs,
  };
  const release = { nonce: 'n', durationMs: 5_000, sealed: { enc: 'e', wrapped: 'w' } };
  let released: Released;

  beforeEach(() => {
    sent = [];
    asked = [];
    released = { ok: true, release };
  });

  const ask = async (signed: string, change: object = {}): Promise<NodeFrame | undefined> => {
    const line = { send: (frame: NodeFrame) => void sent.push(frame), drop: () => undefined, isAlive: async () => true };
    const keys = {
      publicKey: async () => 'key',
      release: async (one: ReleaseRequest) => {
        asked.push(one);
        return released;
      },
    };
    const keyRates = new TokenBuckets({ perSecond: 1, burst: 1 });
    onKeyFrame({ kind: 'release', number: 7, signed }, payments.peer, line, {
      ...contextOf(), keys, keyRates, ...change,
    });
    await settled();
    return sent[0];
  };

  test('is answered under its number', async () => {
    expect(await ask(signReleaseRequest(request, payments.credential))).toEqual({
      kind: 'released', number: 7, ...release,
    });
  });

  test('is refused with the code of what stands against it', async () => {
    released = { ok: false, code: 'IDENTITY_REVOKED' };
    expect(await ask(signReleaseRequest(request, payments.credential))).toEqual({
      kind: 'refused', number: 7, code: 'IDENTITY_REVOKED',
    });
  });

  test.each<[string, ReleaseRequest, typeof payments]>([
    ['that another identity signed', request, triage],
    ['for another instance', { ...request, instance: triage.peer.spiffeId }, payments],
    ['that is old', { ...request, at: startMs - 3_600_000 }, payments],
    ['of no time', { ...request, at: -1 }, payments],
  ])('%s is forged, and nobody is asked', async (_, one, signer) => {
    const answer = await ask(signReleaseRequest(one, signer.credential));
    expect(answer).toMatchObject({ kind: 'refused', code: 'PROTECTION_RELEASE_FORGED' });
    expect(asked).toEqual([]);
  });

  test('over the rate is refused, and where nothing can be sealed too', async () => {
    const signed = signReleaseRequest(request, payments.credential);
    const keyRates = new TokenBuckets({ perSecond: 1, burst: 1 });
    keyRates.take('payments', startMs);
    expect(await ask(signed, { keyRates })).toMatchObject({ code: 'BUS_RATE_LIMITED' });
    sent = [];
    expect(await ask(signed, { keys: null })).toMatchObject({ code: 'PROTECTION_TIER_UNAVAILABLE' });
  });
});
