// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { BatchedDatabase } from '../adapters/sqlite-batch.ts';
import { readOperatorKey } from '../identity/operator-key.ts';
import { signRevocation } from '../identity/revocation-statement.ts';
import type { RevocationChange } from '../identity/revocation.ts';
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
let standing: SidecarStanding;

function open(operators = new Map([['alice', { name: 'alice', publicKey: alice.publicJwk }]])) {
  return new SidecarStanding({
    database,
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

const grant = (revocationVersion: number) =>
  ({ boot: 'boot', meshDigest: 'mesh', policyVersion: 1, revocationVersion, durationMs: 5_000 });

describe('a sidecar whose node lifts a revocation', () => {
  const [change] = lifting(first).changes;
  it.each([
    ['without showing why', { since: 1, version: 2, changes: [{ ...change, signed: null } as RevocationChange] }],
    ['with another key than the one of the operator', lifting(first, mallory)],
    ['with the permission to lift another one', lifting(second)],
    ['with the permission for another agent', lifting(first, alice, { kind: 'agent', value: 'desk' })],
  ])('%s keeps it, and does nothing privileged', (_how, update) => {
    standing.granted(grant(1), standing.now());
    expect(standing.isValid()).toBe(true);
    standing.update(update);
    expect(standing.revocations.isNameRevoked('payments')).toBe(true);
    expect(standing.isValid()).toBe(false);
    standing.granted(grant(2), standing.now());
    expect(standing.isValid()).toBe(false);
    expect(said).not.toEqual([]);
  });

  it('with permission of the operator lifts it', () => {
    standing.update(lifting(first));
    expect(standing.revocations.isNameRevoked('payments')).toBe(false);
    standing.granted(grant(2), standing.now());
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
    again.granted(grant(0), again.now());
    expect(again.isValid()).toBe(false);
  });

  it('stops privileged work when a step is missing', () => {
    standing.granted(grant(1), standing.now());
    standing.update({ since: 5, version: 6, changes: [{ ...revoked, version: 6 }] });
    expect(standing.isValid()).toBe(false);
  });

  it('gives no lease of another run of the node', () => {
    standing.granted(grant(1), standing.now());
    standing.welcomed('boot');
    expect(standing.isValid()).toBe(true);
    standing.welcomed('another');
    expect(standing.isValid()).toBe(false);
  });
});
