// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { FakeSidecar, partyOf } from '../../test/sidecar-fixture/sidecar.ts';
import type { EnvelopeBody } from '../message/envelope.ts';
import { combine, finding } from '../review/verdict.ts';
import { SqliteEndorsementStore } from '../adapters/endorsement-store-sqlite.ts';
import { BatchedDatabase } from '../adapters/sqlite-batch.ts';
import { Endorsements, placeOf, type EndorsementStore } from './endorsements.ts';

const triage = partyOf('triage');
const fake = new FakeSidecar('payments');

const request = (task = 'task-1'): EnvelopeBody => fake.bodyFrom(triage, {
  task,
  payload: { action: 'pay', parameters: { payee: 'ACME', cc: ['a', 'b'] } },
});

const verdict = combine([{
  outcome: 'ESCALATE',
  control: 'policy-compliance',
  version: 'test',
  tookUs: 0,
  findings: [
    finding('POLICY_ENDORSEMENT_REQUIRED', 'g5', '/parameters/payee'),
    finding('POLICY_ENDORSEMENT_REQUIRED', 'g5', '/parameters/cc/1'),
    finding('POLICY_APPROVAL_REQUIRED', 'people', '/parameters/cc/0'),
    finding('POLICY_ENDORSEMENT_REQUIRED', 'g5', '/parameters/none/0'),
  ],
}]);

const kept: EndorsementStore = { load: () => new Map(), keep: async () => undefined };

function endorsed(): Endorsements {
  const endorsements = new Endorsements(1_000, kept, 0);
  void endorsements.add(request(), 'pay', verdict, 0);
  return endorsements;
}

const asked = {
  ...placeOf(request()),
  action: 'pay',
  pointer: '/parameters/payee',
  value: 'ACME',
};

describe('an endorsement', () => {
  it.each([
    ['another value', { value: 'EVIL' }],
    ['another spelling', { value: 'acme' }],
    ['another parameter', { pointer: '/parameters/cc/0' }],
    ['another action', { action: 'delete' }],
    ['another agent', { agent: 'researcher' }],
    ['another instance of the agent', { instance: 'spiffe://example.test/agent/triage/two' }],
    ['another task', { task: 'task-2' }],
    ['a value that no finding was about', { pointer: '/parameters/cc/0', value: 'a' }],
  ])('is none for %s', (_, change) => {
    expect(endorsed().has({ ...asked, ...change }, 1)).toBe(false);
  });

  it('holds for the same value in the same place, at any position of a list', () => {
    expect(endorsed().has(asked, 1)).toBe(true);
    expect(endorsed().has({ ...asked, pointer: '/parameters/cc/0', value: 'b' }, 1)).toBe(true);
  });

  it('ends', () => {
    expect(endorsed().has(asked, 999)).toBe(true);
    expect(endorsed().has(asked, 1_000)).toBe(false);
    expect(endorsed().has(asked, Number.NaN)).toBe(false);
  });

  it('leaves when there are too many', () => {
    const endorsements = endorsed();
    for (let task = 2; task < 4_200; task += 1) {
      endorsements.add(request(`t-${task}`), 'pay', verdict, 0);
    }
    expect(endorsements.has(asked, 1)).toBe(false);
  });
});

it('stand after a restart, until they end', async () => {
  const store = new SqliteEndorsementStore(new BatchedDatabase(':memory:'));
  await new Endorsements(1_000, store, 0).add(request(), 'pay', verdict, 0);
  expect(new Endorsements(1_000, store, 500).has(asked, 500)).toBe(true);
  expect(new Endorsements(1_000, store, 500).has({ ...asked, value: 'EVIL' }, 500)).toBe(false);
  expect(new Endorsements(1_000, store, 1_000).has(asked, 1_000)).toBe(false);
});
