// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { BatchedDatabase } from '../adapters/sqlite-batch.ts';
import { readOperatorKey } from '../identity/operator-key.ts';
import { signRevocation } from '../identity/revocation-statement.ts';
import type { RevocationChange } from '../identity/revocation.ts';
import type { LeaseAnswer } from '../adapters/bus-client-options.ts';
import type { LeaseGrant } from '../identity/lease.ts';
import { grantOf, nonce, sampleGrant } from '../../test/sidecar-fixture/lease.ts';
import type { ObserverSettings } from '../mesh/pace-settings.ts';
import { signObserved } from '../observer/statement.ts';
import { SidecarStanding } from './sidecar-standing.ts';

const vectors = new URL('../../test/vectors/signed-keys.json', import.meta.url);
const { keys } = JSON.parse(readFileSync(vectors, 'utf8'));
const alice = readOperatorKey(keys.triage);
const mallory = readOperatorKey(keys.impostor);
const nowMs = 1_760_000_000_000;
const target = { kind: 'agent', value: 'payments' } as const;
const [first = '', second = ''] = ['01K74F0Z00ABCDEFGHJKMNPQRS', '01K74F0Z01ABCDEFGHJKMNPQRS'];
const revoked: RevocationChange = {
  version: 1, id: first, op: 'revoke', target, at: nowMs, signed: null,
};

let database: BatchedDatabase;
let said: string[];
let clamped = 0;
let observer: ObserverSettings | null = null;
let standing: SidecarStanding;

function open(operators = new Map([['alice', { name: 'alice', publicKey: alice.publicJwk }]])) {
  return new SidecarStanding({
    database,
    agent: 'triage',
    verify: (signed) => (signed === 'forged' ? null : grantOf(signed)),
    paceChanged: () => void (clamped += 1),
    observer: () => observer,
    operators: () => operators,
    clock: { nowMs: () => nowMs },
    policy: () => ({ digest: 'mesh', version: 1 }),
    changed: () => undefined,
    log: (line) => said.push(line),
  });
}

beforeEach(() => {
  database = new BatchedDatabase(':memory:');
  said = [];
  standing = open();
  standing.update({ since: 0, version: 1, changes: [revoked] });
});

function lifting(lifts: string, key = alice, of: { kind: 'agent'; value: string } = target) {
  const statement = { op: 'reinstate', target: of, operator: 'alice', at: nowMs, reason: '' } as const;
  const signed = signRevocation({ ...statement, id: second, lifts }, key);
  const change = { version: 2, id: second, op: 'reinstate', target, at: nowMs, signed } as const;
  return { since: 1, version: 2, changes: [change] };
}

function answer(grant: Partial<LeaseGrant>, of = standing): LeaseAnswer {
  const asked = { at: of.now(), version: 1, nonce };
  return { signed: JSON.stringify(sampleGrant(grant)), chain: null, asked };
}

describe('a sidecar whose node lifts a revocation', () => {
  const [change] = lifting(first).changes;
  it.each([
    ['without showing why', { since: 1, version: 2, changes: [{ ...change, signed: null } as RevocationChange] }],
    ['with another key than the one of the operator', lifting(first, mallory)],
    ['with the permission to lift another one', lifting(second)],
    ['with the permission for another agent', lifting(first, alice, { kind: 'agent', value: 'desk' })],
  ])('%s keeps it, and does nothing privileged', (_how, update) => {
    standing.heard(answer({ revocationVersion: 1 }, standing));
    expect(standing.isValid()).toBe(true);
    standing.update(update);
    expect(standing.revocations.isNameRevoked('payments')).toBe(true);
    expect(standing.isValid()).toBe(false);
    standing.heard(answer({ revocationVersion: 2 }, standing));
    expect(standing.isValid()).toBe(false);
    expect(said).not.toEqual([]);
  });

  it('with permission of the operator lifts it', () => {
    standing.update(lifting(first));
    expect(standing.revocations.isNameRevoked('payments')).toBe(false);
    standing.heard(answer({ revocationVersion: 2 }, standing));
    expect(standing.isValid()).toBe(true);
  });
});

describe('what a sidecar knows of revocations', () => {
  it('is there after a restart and does not go back when its node did', async () => {
    await database.write(() => undefined);
    const again = open();
    expect(again.revocations.isNameRevoked('payments')).toBe(true);
    again.update({ since: 0, version: 0, changes: [] });
    expect(again.revocations.version).toBe(1);
    again.heard(answer({ revocationVersion: 0 }, again));
    expect(again.isValid()).toBe(false);
  });

  it('stops privileged work when a step is missing', () => {
    standing.heard(answer({ revocationVersion: 1 }, standing));
    standing.update({ since: 5, version: 6, changes: [{ ...revoked, version: 6 }] });
    expect(standing.isValid()).toBe(false);
  });

  it('gives no lease of another run of the node', () => {
    standing.heard(answer({ revocationVersion: 1 }, standing));
    standing.welcomed('boot');
    expect(standing.isValid()).toBe(true);
    standing.welcomed('another');
    expect(standing.isValid()).toBe(false);
  });
});

describe('a lease', () => {
  const clampOf = (allows: LeaseGrant['clamp']['allows']): Pick<LeaseGrant, 'clamp'> =>
    ({ clamp: { phase: 'EMERGENCY', allows, draining: false } });

  it('allows nothing before the node has spoken, and then what it says', () => {
    expect(standing.pace.clamp('triage').allows).toBe('nothing');
    standing.heard(answer({}));
    expect(standing.pace.clamp('triage').allows).toBe('all');
    expect(standing.pace.clamp('payments').allows).toBe('nothing');
  });

  it.each([
    ['is not signed by the node', () => ({ ...answer({}), signed: 'forged' })],
    ['answers another question', () => answer({ nonce: 'B'.repeat(22) })],
    ['comes from a node that forgot PACE', () => answer({ paceVersion: 0 })],
  ])('that %s ends the one that is held', (_why, given) => {
    standing.heard(answer({}));
    expect(standing.isValid()).toBe(true);
    standing.heard(given());
    expect(standing.isValid()).toBe(false);
  });

  it('that nobody asked for stops, and lengthens nothing', () => {
    standing.heard({ ...answer({ nonce: null }), asked: null });
    expect(standing.isValid()).toBe(false);
    standing.heard(answer({}));
    clamped = 0;
    standing.heard(answer({ nonce: null, paceVersion: 2, ...clampOf('nothing') }));
    expect([standing.isValid(), standing.pace.clamp('triage').allows, clamped]).toEqual([false, 'nothing', 1]);
  });

  it('covers nothing privileged while the observer is silent', () => {
    standing.heard(answer({ privileged: false }));
    expect([standing.isValid(), standing.coversPrivileged()]).toEqual([true, false]);
  });

  it.each([
    ['no consent', null, false],
    ['a consent', { verdict: 'consent', at: nowMs, key: alice }, true],
    ['an old consent', { verdict: 'consent', at: nowMs - 15_001, key: alice }, false],
    ['the wish for an emergency', { verdict: 'ask', at: nowMs, key: alice }, false],
    ['a consent that somebody else signed', { verdict: 'consent', at: nowMs, key: mallory }, false],
  ] as const)('with %s of a declared observer covers HIGH and CRITICAL, or not', (_what, given, covered) => {
    observer = { publicKey: alice.publicJwk, silenceMs: 15_000 };
    const consent = given === null ? null : signObserved({
      id: first, verdict: given.verdict, size: 1, operator: 'observer', at: given.at, reason: '',
    }, given.key);
    standing.heard(answer({ consent }));
    observer = null;
    expect([standing.isValid(), standing.coversPrivileged()]).toEqual([true, covered]);
  });

  it('of an older PACE is refused also after a restart', async () => {
    standing.heard(answer({ paceVersion: 9 }));
    await database.write(() => undefined);
    const again = open();
    expect(again.pace.version).toBe(9);
    again.heard(answer({ paceVersion: 8 }, again));
    expect(again.isValid()).toBe(false);
  });
});
