// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { MemoryIntentStore } from '../../test/tool-servers/intent-store-memory.ts';
import { exampleIntent } from '../../test/tool-servers/intent-store-suite.ts';
import { readOperatorKey } from '../identity/operator-key.ts';
import { signOperatorDecision } from '../identity/operator-signature.ts';
import { signSettlement, type SettlementStatement } from '../identity/settlement-statement.ts';
import { doubtfulCallDigest } from '../message/doubtful-call.ts';
import { Turns } from '../oversight/turns.ts';
import { doubtfulCallOf } from '../tool/settle-doubt.ts';
import { answerOnCalls, type SettleCallContext } from './settle-call.ts';

const path = new URL('../../test/vectors/signed-keys.json', import.meta.url);
const { keys } = JSON.parse(readFileSync(path, 'utf8'));
const alice = readOperatorKey(keys.triage);
const stranger = readOperatorKey(keys.impostor);
const held = { ...exampleIntent(), code: 'TOOL_TIMEOUT' };

let intents: MemoryIntentStore;
let context: SettleCallContext;

beforeEach(async () => {
  intents = new MemoryIntentStore();
  await intents.begin(exampleIntent());
  await intents.markInDoubt(held.key, held.code);
  context = {
    agent: 'payments',
    intents,
    turns: new Turns(),
    clock: { nowMs: () => 5 },
    recorder: { record: async () => [] },
    operators: () => new Map([['alice', { name: 'alice', publicKey: alice.publicJwk }]]),
  };
});

const said: SettlementStatement = {
  id: '01K74F0Z00ABCDEFGHJKMNPQRS', executor: 'payments', call: 'request-1', end: 'not-run',
  digest: doubtfulCallDigest(doubtfulCallOf(held)), operator: 'alice', at: 5, reason: 'not there',
};

const give = async (signed: string, settlement: string = said.id): Promise<unknown> =>
  answerOnCalls({ kind: 'settle-call', settlement, signed }, context);

describe('a sidecar believes no node about a call in doubt', () => {
  const decision = signOperatorDecision(
    { approval: 'a', digest: said.digest, decision: 'approve', operator: 'alice', at: 5, reason: '' },
    alice,
  );
  const good = signSettlement(said, alice);
  const attacks: readonly (readonly [string, string, string, string?])[] = [
    ['that brings no signature', 'x', 'IDENTITY_SETTLEMENT_MALFORMED'],
    ['that names an operator nobody knows', signSettlement({ ...said, operator: 'eve' }, alice),
      'IDENTITY_OPERATOR_UNKNOWN'],
    ['that signs itself', signSettlement(said, stranger), 'IDENTITY_DECISION_SIGNATURE_INVALID'],
    ['that changed a byte', `${good.slice(0, -4)}AAAA`, 'IDENTITY_DECISION_SIGNATURE_INVALID'],
    ['that brings a signature for something else', decision, 'IDENTITY_SETTLEMENT_MALFORMED'],
    ['that calls it another statement', good, 'IDENTITY_SETTLEMENT_MALFORMED', 'other'],
    ['that brings it to another executor', signSettlement({ ...said, executor: 'vault' }, alice),
      'TOOL_CALL_FOREIGN'],
    ['that showed the operator another call',
      signSettlement({ ...said, digest: 'A'.repeat(43) }, alice), 'TOOL_CALL_CHANGED'],
  ];
  for (const [name, signed, code, settlement] of attacks) {
    it(name, async () => {
      expect(await give(signed, settlement)).toMatchObject({ kind: 'call-settled', code });
      expect(intents.inDoubt()).toHaveLength(1);
    });
  }

  it('and a statement without a reason cannot be signed', () => {
    expect(() => signSettlement({ ...said, reason: '' }, alice))
      .toThrow(expect.objectContaining({ code: 'IDENTITY_SETTLEMENT_MALFORMED' }));
  });
});

it('takes the word of an operator whom it knows, once', async () => {
  const signed = signSettlement(said, alice);
  const answer = { kind: 'call-settled', settlement: said.id, code: null };
  expect(await Promise.all([give(signed), give(signed)])).toEqual([answer, answer]);
  expect(intents.inDoubt()).toEqual([]);
});

it('lists calls in doubt without any value, and says nothing where it cannot look', async () => {
  const listed = await answerOnCalls({ kind: 'list-calls', number: 7 }, context);
  expect(listed).toEqual({ kind: 'calls', number: 7, calls: [doubtfulCallOf(held)] });
  expect(JSON.stringify(listed)).not.toContain(held.argumentsDigest);
  intents.inDoubt = () => {
    throw new Error('broken store');
  };
  expect(await answerOnCalls({ kind: 'list-calls', number: 8 }, context)).toBeNull();
});
