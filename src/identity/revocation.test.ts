// SPDX-License-Identifier: Apache-2.0
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isRevocationTarget, RevocationList } from './revocation.ts';
import type { Revocable, RevocationChange, RevocationTarget } from './revocation.ts';

const nowMs = 1_760_000_000_000;
const dayMs = 24 * 3_600_000;
const spiffeId = 'spiffe://maso.local/agent/payments/one';
const identity: Revocable = { name: 'payments', spiffeId, thumbprint: 'T'.repeat(43) };
const byName: RevocationTarget = { kind: 'agent', value: 'payments' };
const byInstance: RevocationTarget = { kind: 'instance', value: spiffeId };
const byCertificate: RevocationTarget = { kind: 'certificate', value: identity.thumbprint };

function step(
  version: number,
  target: RevocationTarget,
  op: RevocationChange['op'] = 'revoke',
): RevocationChange {
  return { version, id: `id-${version}`, op, target, at: nowMs, signed: null };
}

function listOf(...changes: readonly RevocationChange[]): RevocationList {
  return new RevocationList(changes, changes.at(-1)?.version ?? 0, nowMs);
}

const always = () => true;

describe('a revocation list', () => {
  it.each([
    ['its name', byName],
    ['its instance', byInstance],
    ['its certificate', byCertificate],
  ])('refuses an identity by %s, and no other', (_how, target) => {
    const list = listOf(step(1, target));
    const other = { name: 'triage', spiffeId: `${spiffeId}x`, thumbprint: 'U'.repeat(43) };
    expect(list.isRevoked(identity)).toBe(true);
    expect(list.isRevoked(other)).toBe(false);
  });

  it('withdraws a mandate or a task for good, for longer than any mandate lasts', () => {
    const mandate: RevocationTarget = { kind: 'mandate', value: 'M'.repeat(43) };
    const task: RevocationTarget = { kind: 'task', value: '01JD3K5V7Q8R9S0T1V2W3X4Y5Z' };
    const list = listOf(step(1, mandate), step(2, task));
    expect([list.isMandateRevoked(mandate.value), list.isTaskEnded(task.value)]).toEqual([true, true]);
    expect([list.isMandateRevoked(task.value), list.isTaskEnded(mandate.value)]).toEqual([false, false]);
    expect(list.isRevoked({ ...identity, thumbprint: mandate.value })).toBe(false);
    const lifted = { since: 2, version: 3, changes: [step(3, mandate, 'reinstate')] };
    expect(list.update(lifted, always)).toBeNull();
    const kept = new RevocationList(list.changes(), 2, nowMs + 7 * dayMs);
    expect(kept.isMandateRevoked(mandate.value)).toBe(true);
    const forgotten = new RevocationList(list.changes(), 2, nowMs + 8 * dayMs + 1);
    expect([forgotten.isTaskEnded(task.value), forgotten.version]).toEqual([false, 2]);
  });

  it('does not take one kind of name for another', () => {
    const list = listOf(step(1, { kind: 'agent', value: spiffeId }));
    expect(list.isRevoked(identity)).toBe(false);
  });

  it.each([byInstance, byCertificate])('never lifts the revocation of $kind', (target) => {
    const list = listOf(step(1, target));
    const lift = step(2, target, 'reinstate');
    expect(list.update({ since: 1, version: 2, changes: [lift] }, always)).toBeNull();
    expect(list.isRevoked(identity)).toBe(true);
    expect(list.version).toBe(1);
  });

  it('lifts the revocation of a name only where that is proven', () => {
    const list = listOf(step(1, byName));
    const update = { since: 1, version: 2, changes: [step(2, byName, 'reinstate')] };
    expect(list.update(update, () => false)).toBeNull();
    expect(list.isRevoked(identity)).toBe(true);
    expect(list.update(update, (_change, lifted) => lifted.id === 'id-1')).toHaveLength(1);
    expect(list.isRevoked(identity)).toBe(false);
  });

  it('asks for proof of a lifting within the same update, too', () => {
    const list = listOf();
    const changes = [step(1, byName), step(2, byName, 'reinstate')];
    expect(list.update({ since: 0, version: 2, changes }, () => false)).toBeNull();
    expect(list.version).toBe(0);
  });

  it('keeps an instance revoked when its name is reinstated', () => {
    const list = listOf(step(1, byInstance), step(2, byName), step(3, byName, 'reinstate'));
    expect(list.isRevoked(identity)).toBe(true);
  });

  it.each([
    ['leaves a gap', { since: 2, version: 3, changes: [] }],
    ['is not in order', { since: 1, version: 3, changes: [step(3, byName), step(2, byInstance)] }],
    ['goes beyond its version', { since: 1, version: 2, changes: [step(3, byName)] }],
    ['repeats what it starts after', { since: 1, version: 2, changes: [step(1, byName)] }],
    ['has a version that is no number', { since: 1, version: Number.NaN, changes: [] }],
    ['starts below nothing', { since: -1, version: 2, changes: [] }],
  ])('does not take an update that %s', (_what, update) => {
    const list = listOf(step(1, byCertificate));
    expect(list.update(update, always)).toBeNull();
    expect(list.version).toBe(1);
  });

  it('does not go back to an older version', () => {
    const list = new RevocationList([step(4, byName)], 7, nowMs);
    const older = [step(5, byName, 'reinstate')];
    expect(list.update({ since: 0, version: 5, changes: older }, always)).toEqual([]);
    expect(list.version).toBe(7);
    expect(list.isRevoked(identity)).toBe(true);
  });

  it('forgets what names only what is long dead, and stays at its version', () => {
    const changes = [step(1, byInstance), step(2, byName), step(3, byCertificate)];
    const kept = new RevocationList(changes, 3, nowMs + dayMs);
    expect(kept.changes()).toHaveLength(3);
    const later = new RevocationList(changes, 3, nowMs + dayMs + 1);
    expect(later.changes().map(({ target }) => target.kind)).toEqual(['agent']);
    expect(later.version).toBe(3);
  });

  it('tells somebody who knows any part of it the same as it says itself', () => {
    const targets = fc.constantFrom(byName, byInstance, byCertificate, {
      kind: 'agent' as const,
      value: 'triage',
    });
    fc.assert(
      fc.property(
        fc.array(fc.record({ target: targets, lift: fc.boolean() }), { maxLength: 30 }),
        fc.nat(30),
        fc.integer({ min: 1, max: 7 }),
        (wanted, known, stepsMax) => {
          const steps = wanted.map(({ target, lift }, index) =>
            step(index + 1, target, lift && target.kind === 'agent' ? 'reinstate' : 'revoke'),
          );
          const node = listOf(...steps);
          const copy = listOf(...steps.slice(0, known));
          for (const update of node.updates(stepsMax)) copy.update(update, always);
          expect(copy.version).toBe(node.version);
          expect(copy.isRevoked(identity)).toBe(node.isRevoked(identity));
          expect(copy.changes()).toEqual(node.changes());
        },
      ),
    );
  });
});

describe('a revocation target', () => {
  it.each<[RevocationTarget, boolean]>([
    [byName, true],
    [byInstance, true],
    [byCertificate, true],
    [{ kind: 'agent', value: 'No Name' }, false],
    [{ kind: 'instance', value: 'spiffe://maso.local/node/main' }, false],
    [{ kind: 'instance', value: 'spiffe://other/agent/payments/one' }, false],
    [{ kind: 'certificate', value: 'short' }, false],
  ])('%j: %s', (target, sound) => {
    expect(isRevocationTarget(target, 'maso.local')).toBe(sound);
  });
});
