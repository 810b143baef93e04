// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, test } from 'vitest';
import { Bench, done } from '../../test/tool-servers/gate-bench.ts';
import type { SettlementStatement } from '../identity/settlement-statement.ts';
import { doubtfulCallDigest } from '../message/doubtful-call.ts';
import type { Gate } from './gate.ts';
import { doubtfulCallOf, settleDoubt } from './settle-doubt.ts';

let bench: Bench;
let gate: Gate;
let refusesRecord = false;

beforeEach(async () => {
  bench = new Bench();
  refusesRecord = false;
  gate = await bench.ready();
  bench.answer = async () => ({ status: 'unknown', reason: 'TOOL_DIED' });
  await gate.call(bench.admit());
  bench.answer = async () => done({ status: 'paid' });
});

function statement(change: Partial<SettlementStatement> = {}): SettlementStatement {
  const [held] = gate.inDoubt();
  return {
    id: 's1', executor: 'payments', call: 'request-1', end: 'done', operator: 'alice', at: 5,
    digest: held === undefined ? 'none' : doubtfulCallDigest(doubtfulCallOf(held)),
    reason: 'ledger shows T42', ...change,
  };
}

function settle(said: SettlementStatement): Promise<string | null> {
  return settleDoubt(said, 'signed', {
    agent: 'payments',
    intents: bench.intents,
    clock: { nowMs: () => 2000 },
    recorder: {
      record: async (entries) => {
        if (refusesRecord) throw new Error('disk full');
        bench.entries.push(...entries);
        return [];
      },
    },
  });
}

const settled = () => bench.entries.filter(({ kind }) => kind === 'tool.settled');

describe('a settlement of a call in doubt is refused', () => {
  const cases: readonly (readonly [string, Partial<SettlementStatement>, string])[] = [
    ['of another executor', { executor: 'vault' }, 'TOOL_CALL_FOREIGN'],
    ['of a call that is none', { call: 'request-9' }, 'TOOL_CALL_UNKNOWN'],
    ['of other facts than these', { digest: 'A'.repeat(43) }, 'TOOL_CALL_CHANGED'],
  ];
  test.each(cases)('%s', async (_name, change, code) => {
    expect(await settle(statement(change))).toBe(code);
    expect(gate.inDoubt()).toHaveLength(1);
    expect(settled()).toEqual([]);
  });

  test('when it cannot be recorded, and holds once it can', async () => {
    const said = statement();
    refusesRecord = true;
    expect(await settle(said)).toBe('TOOL_NOT_RECORDED');
    expect(gate.inDoubt()).toHaveLength(1);
    refusesRecord = false;
    expect(await settle(said)).toBeNull();
    expect(gate.inDoubt()).toEqual([]);
  });

  test('when the store fails, and changes nothing', async () => {
    const said = statement();
    bench.intents.settleDoubt = async () => {
      throw new Error('disk full');
    };
    expect(await settle(said)).toBe('TOOL_STORE_UNAVAILABLE');
    expect(gate.inDoubt()).toHaveLength(1);
  });

  test('after another statement settled the call, to either end', async () => {
    const said = statement();
    await settle(said);
    expect(await settle({ ...said, id: 's2' })).toBe('TOOL_CALL_SETTLED');
    expect(await settle({ ...said, id: 's3', end: 'not-run' })).toBe('TOOL_CALL_SETTLED');
    expect(settled()).toHaveLength(1);
  });

  test('of an attempt after which the call was tried again', async () => {
    bench = new Bench();
    gate = await bench.ready({ clock: { nowMs: () => 1000 } });
    bench.answer = async () => ({ status: 'unknown', reason: 'TOOL_DIED' });
    await gate.call(bench.admit({ operation: 'transfer_once' }));
    const said = statement({ end: 'not-run' });
    const later = await bench.ready({ clock: { nowMs: () => 1500 } });
    await later.call(bench.admit({ id: 'request-2', operation: 'transfer_once' }));
    expect(await settle(said)).toBe('TOOL_CALL_CHANGED');
    expect(gate.inDoubt()).toHaveLength(1);
  });
});

describe('a settled call', () => {
  test('that was done is answered DONE, without a result, and never runs again', async () => {
    const said = statement();
    expect(await settle(said)).toBeNull();
    expect(await settle(said)).toBeNull();
    const again = await gate.call(bench.admit({ id: 'request-2' }));
    expect(again).toMatchObject({ status: 'DONE', code: null, result: null });
    expect(bench.calls).toHaveLength(1);
    expect(settled()).toHaveLength(1);
    expect(bench.entries.find(({ message }) => message === 'request-2'))
      .toMatchObject({ kind: 'tool.outcome', detail: { repeats: 'request-1' } });
  });

  test('that did not run may run under its key again', async () => {
    expect(await settle(statement({ end: 'not-run' }))).toBeNull();
    expect(await gate.call(bench.admit({ id: 'request-2' }))).toMatchObject({ status: 'DONE' });
    expect(bench.calls).toHaveLength(2);
  });

  test('is on record with who said what and why, and no value of the request', async () => {
    await settle(statement({ end: 'not-run' }));
    expect(settled()).toMatchObject([{
      id: 'request-1.tool.settled.s1', actor: 'sidecar:payments', message: 'request-1',
      outcome: 'NO-GO', code: 'TOOL_SETTLED_NOT_RUN', causedBy: ['request-1'],
      detail: {
        operator: 'alice', end: 'not-run', reason: 'ledger shows T42', doubt: 'TOOL_DIED',
        signed: 'signed',
      },
    }]);
    expect(JSON.stringify(settled())).not.toContain('ACME');
  });
});
