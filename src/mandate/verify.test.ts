// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { RevocationList } from '../identity/revocation.ts';
import { mandateId } from './block.ts';
import {
  contextFor,
  credentialOf,
  nhi,
  noRevocations,
  nowMs,
  operator,
  spiffeIdOf,
  terms,
} from './mandate-fixture.ts';
import type { EffectiveMandate, MandateTerms } from './mandate.ts';
import { issueMandate, narrow } from './narrow.ts';
import { cachedMandatesMax, verifyMandate, type MandateContext } from './verify.ts';

function issued(change: Partial<MandateTerms> = {}, by = nhi('desk')): string {
  const result = issueMandate({ ...terms, ...change }, by);
  if (!result.ok) throw new Error(result.code);
  return result.chain;
}

function narrowed(chain: string, audience: string, by: string): string {
  const result = narrow(chain, { audience, oispec: null }, credentialOf(by));
  if (!result.ok) throw new Error(result.code);
  return result.chain;
}

function codeOf(chain: string, context: MandateContext): string {
  const verdict = verifyMandate(chain, context);
  return verdict.ok ? 'ACCEPTED' : verdict.code;
}

const chain = issued();

describe('a cached mandate', () => {
  function warm(change: Partial<MandateContext> = {}) {
    const cache = new Map<string, EffectiveMandate>();
    expect(codeOf(chain, contextFor('triage', { cache }))).toBe('ACCEPTED');
    return contextFor('triage', { cache, ...change });
  }

  it.each<readonly [string, string, Partial<MandateContext>]>([
    ['at the very end of its time', 'MANDATE_EXPIRED', { nowMs: terms.expiresAt }],
    ['before its time', 'MANDATE_NOT_YET_VALID', { nowMs: terms.notBefore - 1 }],
    ['under another task', 'MANDATE_TASK_MISMATCH', { task: '01K74F0Z00YYYYYYYYYYYYYYYY' }],
    ['by another agent', 'MANDATE_AUDIENCE_MISMATCH', {
      audience: { name: 'planner', spiffeId: spiffeIdOf('planner') },
    }],
    ['when the snapshot is stale', 'MANDATE_SNAPSHOT_STALE', {
      revocations: { ...noRevocations, validUntilMs: nowMs },
    }],
    ['when the time is no number', 'MANDATE_CLOCK_INVALID', { nowMs: NaN }],
    ['once it was revoked', 'MANDATE_REVOKED', {
      revocations: { ...noRevocations, version: 2, mandates: new Set([mandateId(chain)]) },
    }],
    ['once its task ended', 'MANDATE_TASK_ENDED', {
      revocations: { ...noRevocations, version: 2, tasks: new Set([terms.task]) },
    }],
    ['once its originator was revoked', 'MANDATE_SIGNER_REVOKED', {
      revocations: { ...noRevocations, identities: withoutDesk() },
    }],
    ['once its originator may not originate', 'MANDATE_ROOT_UNTRUSTED', {
      policyVersion: 'p2',
      rootAuthority: { agents: new Set(), nodes: new Set(), operatorKey: () => null },
    }],
  ])('is refused %s', (_name, code, change) => {
    expect(codeOf(chain, warm(change))).toBe(code);
  });

  it('is not verified again', () => {
    const peers = { asked: 0 };
    const context = warm({
      peerByThumbprint: () => {
        peers.asked += 1;
        return null;
      },
    });
    expect(codeOf(chain, context)).toBe('ACCEPTED');
    expect(peers.asked).toBe(0);
    expect(codeOf(chain, { ...context, policyVersion: 'p2' })).toBe('MANDATE_SIGNER_UNKNOWN');
  });

  it('makes room when the cache is full, and a refusal takes none', () => {
    const cache = new Map<string, EffectiveMandate>();
    const context = contextFor('triage', { cache });
    codeOf(`${chain}x`, context);
    expect(cache.size).toBe(0);
    const verdict = verifyMandate(chain, context);
    if (!verdict.ok) throw new Error(verdict.code);
    for (let index = 0; index < cachedMandatesMax; index += 1) {
      cache.set(String(index), verdict.mandate);
    }
    codeOf(chain, { ...context, policyVersion: 'p2' });
    expect(cache.size).toBeLessThanOrEqual(cachedMandatesMax + 1);
  });
});

describe('verifyMandate', () => {
  it('accepts a stale snapshot only where the caller says so', () => {
    const revocations = { ...noRevocations, validUntilMs: nowMs };
    const context = contextFor('triage', { revocations });
    expect(codeOf(chain, context)).toBe('MANDATE_SNAPSHOT_STALE');
    expect(codeOf(chain, { ...context, staleSnapshot: 'accept' })).toBe('ACCEPTED');
    const never = { ...noRevocations, validUntilMs: NaN };
    expect(codeOf(chain, { ...context, revocations: never })).toBe('MANDATE_SNAPSHOT_STALE');
  });

  it('forgives a clock that is behind, by no more than the skew, and never at the end', () => {
    const early = contextFor('triage', { nowMs: terms.notBefore - 5 });
    expect(codeOf(chain, early)).toBe('MANDATE_NOT_YET_VALID');
    expect(codeOf(chain, { ...early, clockSkewMs: 5 })).toBe('ACCEPTED');
    expect(codeOf(chain, { ...early, clockSkewMs: NaN })).toBe('MANDATE_NOT_YET_VALID');
    const late = contextFor('triage', { nowMs: terms.expiresAt, clockSkewMs: 5_000 });
    expect(codeOf(chain, late)).toBe('MANDATE_EXPIRED');
  });

  it('accepts a mandate whose delegator has rotated its identity since', () => {
    // The instance is the same, so is its name; the older certificate is still valid.
    const narrowing = { audience: 'planner', oispec: null };
    const byOlder = narrow(chain, narrowing, credentialOf('triageShort'));
    expect(byOlder.ok && codeOf(byOlder.chain, contextFor('planner'))).toBe('ACCEPTED');
    expect(codeOf(narrowed(chain, 'planner', 'triage'), contextFor('planner'))).toBe('ACCEPTED');
  });

  it('has met nobody before, and believes no certificate that it is not shown to', () => {
    const context = contextFor('planner', { peerByThumbprint: () => null });
    expect(codeOf(narrowed(chain, 'planner', 'triage'), context)).toBe('MANDATE_SIGNER_UNKNOWN');
  });

  it('believes no peer of another thumbprint than the header names', () => {
    const right = contextFor('triage');
    const wrong = contextFor('triage', {
      peerByThumbprint: (thumbprint, certificate) => {
        const peer = right.peerByThumbprint(thumbprint, certificate);
        return peer === null ? null : { ...peer, thumbprint: 'A'.repeat(43) };
      },
    });
    expect(codeOf(chain, wrong)).toBe('MANDATE_SIGNER_UNKNOWN');
  });

  it('dies with any mandate above it, whoever narrowed it since', () => {
    const deep = issued({ maxDepth: 3, approval: 'approval-1' });
    const two = narrowed(deep, 'planner', 'triage');
    const three = narrowed(two, 'ledger', 'planner');
    for (const id of [deep, two, three].map(mandateId)) {
      const revocations = { ...noRevocations, mandates: new Set([id]) };
      expect(codeOf(three, contextFor('ledger', { revocations }))).toBe('MANDATE_REVOKED');
    }
    const sibling = { ...noRevocations, mandates: new Set([mandateId(three)]) };
    const other = narrowed(two, 'stranger', 'planner');
    expect(codeOf(other, contextFor('stranger', { revocations: sibling }))).toBe('ACCEPTED');
  });

  it('refuses a third hop whose approval does not stand for the task', () => {
    const two = narrowed(issued({ maxDepth: 3, approval: 'approval-1' }), 'planner', 'triage');
    const three = narrowed(two, 'ledger', 'planner');
    const context = contextFor('ledger');
    expect(codeOf(three, context)).toBe('ACCEPTED');
    expect(codeOf(three, { ...context, isDepthApproved: () => false })).toBe(
      'MANDATE_DEPTH_UNAPPROVED',
    );
  });

  it('takes a node as originator only where named, and an operator by the mesh\'s key', () => {
    const byNode = issued({}, nhi('node'));
    expect(codeOf(byNode, contextFor('triage'))).toBe('ACCEPTED');
    const { rootAuthority } = contextFor('triage');
    const without = contextFor('triage', { rootAuthority: { ...rootAuthority, nodes: new Set() } });
    expect(codeOf(byNode, without)).toBe('MANDATE_ROOT_UNTRUSTED');
    const forged = issued({}, { ...operator('mallory'), name: 'alice' } as typeof byAlice);
    expect(codeOf(forged, contextFor('triage'))).toBe('MANDATE_SIGNATURE_INVALID');
  });

  it('answers at once on hostile text', () => {
    const many = ['~', '.', 'A'].map((character) => character.repeat(16_384));
    for (const hostile of [...many, 'A'.repeat(50_000_000), '~.~.']) {
      expect(codeOf(hostile, contextFor('triage'))).not.toBe('ACCEPTED');
    }
  });
});

const byAlice = operator('alice');

function withoutDesk(): RevocationList {
  const target = { kind: 'agent', value: 'desk' } as const;
  return new RevocationList(
    [{ version: 2, id: 'r', op: 'revoke', target, at: nowMs, signed: null }],
    2,
    nowMs,
  );
}
