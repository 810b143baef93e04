// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, test } from 'vitest';
import { Bench, done, nested, read, verdict } from '../../test/tool-servers/gate-bench.ts';
import { intentOf } from './intent-store.ts';
import type { ToolAnswer } from './tool-runner.ts';

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});

describe('the gate marks a write IN-DOUBT', () => {
  const cases: readonly (readonly [string, ToolAnswer, string])[] = [
    ['when the tool timed out', { status: 'unknown', reason: 'TOOL_TIMEOUT' }, 'TOOL_TIMEOUT'],
    ['when the tool died', { status: 'unknown', reason: 'TOOL_DIED' }, 'TOOL_DIED'],
    ['when prose came instead of the promised shape', done('It is paid.'), 'TOOL_RESULT_SCHEMA'],
    [
      'when the result has an unknown field',
      done({ status: 'paid', note: 'x' }),
      'TOOL_RESULT_SCHEMA',
    ],
    ['when the result is too large', done('x'.repeat(10_001)), 'TOOL_RESULT_TOO_LARGE'],
    ['when the result is too deep', done(nested(20)), 'TOOL_RESULT_TOO_DEEP'],
    ['when the result is no JSON', done(Number.NaN), 'TOOL_RESULT_NOT_JSON'],
  ];

  test.each(cases)('%s, and never calls again', async (_name, answer, code) => {
    const gate = await bench.ready();
    bench.answer = async () => answer;
    const expected = { status: 'IN-DOUBT', code, result: null, label: null };
    expect(await gate.call(bench.admit())).toMatchObject(expected);
    expect(await gate.call(bench.admit({ id: 'request-2' }))).toMatchObject(expected);
    expect(bench.calls).toHaveLength(1);
    expect(gate.inDoubt()).toMatchObject([{ requestId: 'request-1', code }]);
    expect(bench.kinds()).toContain('tool.in-doubt');
  });

  test('while the same answers fail a read and leave nothing behind', async () => {
    const gate = await bench.ready();
    bench.answer = async () => ({ status: 'unknown', reason: 'TOOL_TIMEOUT' });
    expect(await gate.call(bench.admit({}, read))).toMatchObject(
      { status: 'FAILED', code: 'TOOL_TIMEOUT' },
    );
    expect(gate.inDoubt()).toEqual([]);
    expect(bench.intents.openIntents()).toEqual([]);
  });

  test('when the runner hangs past its own timeout, or rejects', async () => {
    const gate = await bench.ready();
    bench.answer = () => new Promise(() => {});
    const hanging = gate.call(bench.admit());
    await Promise.resolve();
    while (bench.expire === null) await new Promise(setImmediate);
    bench.expire();
    expect(await hanging).toMatchObject({ status: 'IN-DOUBT', code: 'TOOL_TIMEOUT' });
    bench.answer = async () => {
      throw new Error('broken runner');
    };
    const second = bench.admit({ idempotencyKey: 'k2' });
    expect(await gate.call(second)).toMatchObject({ status: 'IN-DOUBT', code: 'TOOL_DIED' });
  });

  test('when a control withholds its result', async () => {
    const gate = await bench.ready();
    bench.review = async () => verdict('NO-GO');
    expect(await gate.call(bench.admit())).toMatchObject(
      { status: 'IN-DOUBT', code: 'SCAN_SECRET', result: null },
    );
    bench.review = async () => verdict('ESCALATE');
    expect(
      await gate.call(bench.admit({ idempotencyKey: 'k2' })),
    ).toMatchObject({ status: 'IN-DOUBT' });
    const read1 = bench.admit({}, read);
    expect(await gate.call(read1)).toMatchObject({ status: 'DONE' });
  });

  test('when the controls fail or say nothing', async () => {
    const gate = await bench.ready();
    bench.review = async () => {
      throw new Error('scanner down');
    };
    expect(await gate.call(bench.admit({}, read))).toMatchObject(
      { status: 'FAILED', code: 'TOOL_REVIEW_FAILED' },
    );
    bench.review = async () => ({ outcome: 'GO', lead: null, verdicts: [] });
    expect(await gate.call(bench.admit({}, read))).toMatchObject(
      { status: 'FAILED', code: 'REVIEW_MISSING' },
    );
  });

  test('when its outcome cannot be made durable', async () => {
    const gate = await bench.ready();
    bench.intents.settle = async () => {
      throw new Error('disk full');
    };
    expect(await gate.call(bench.admit())).toMatchObject(
      { status: 'IN-DOUBT', code: 'TOOL_STORE_UNAVAILABLE' },
    );
    expect(await gate.call(bench.admit())).toMatchObject(
      { status: 'IN-DOUBT', code: 'TOOL_CALL_RUNNING' },
    );
    expect(bench.calls).toHaveLength(1);
  });
});

describe('after doubt, an operation that takes the key', () => {
  const once = { operation: 'transfer_once' };

  test('is called again with the very same key', async () => {
    const gate = await bench.ready();
    bench.answer = async () => ({ status: 'unknown', reason: 'TOOL_DIED' });
    expect(await gate.call(bench.admit(once))).toMatchObject({ status: 'IN-DOUBT' });
    bench.answer = async () => done({ status: 'paid' });
    expect(await gate.call(bench.admit(once))).toMatchObject({ status: 'DONE' });
    expect(bench.calls.map((call) => call.idempotencyKey)).toHaveLength(2);
    expect(new Set(bench.calls.map((call) => call.idempotencyKey)).size).toBe(1);
  });

  test('stays in doubt when the second call only shows that the tool is away', async () => {
    const gate = await bench.ready();
    bench.answer = async () => ({ status: 'unknown', reason: 'TOOL_DIED' });
    await gate.call(bench.admit(once));
    bench.answer = async () => ({ status: 'failed', reason: 'TOOL_UNAVAILABLE' });
    expect(await gate.call(bench.admit(once))).toMatchObject(
      { status: 'IN-DOUBT', code: 'TOOL_DIED' },
    );
    bench.recorderFails = true;
    expect(await gate.call(bench.admit(once))).toMatchObject(
      { status: 'IN-DOUBT', code: 'TOOL_DIED' },
    );
    expect(gate.inDoubt()).toHaveLength(1);
  });

  test.each(['reopen', 'markInDoubt'] as const)(
    'is not called refused when the store fails to %s', async (step) => {
      const gate = await bench.ready();
      bench.answer = async () => ({ status: 'unknown', reason: 'TOOL_DIED' });
      await gate.call(bench.admit(once));
      bench.intents[step] = async () => {
        throw new Error('disk full');
      };
      bench.recorderFails = true;
      expect(await gate.call(bench.admit(once))).toMatchObject(
        { status: 'IN-DOUBT', code: 'TOOL_STORE_UNAVAILABLE' },
      );
      expect(bench.calls).toHaveLength(1);
    },
  );
});

describe('after a crash the gate', () => {
  test('turns open writes into IN-DOUBT, fails open reads, and calls neither again', async () => {
    await bench.intents.begin(intentOf(bench.admit(), 1));
    await bench.intents.begin(intentOf(bench.admit({ idempotencyKey: 'k2' }, read), 1));
    const gate = bench.gate();
    expect(await gate.recover()).toMatchObject(
      [{ requestId: 'request-1', code: 'TOOL_INTERRUPTED' }],
    );
    expect(bench.entries.map((entry) => [entry.kind, entry.id, entry.code])).toEqual([
      ['tool.outcome', expect.stringMatching(/^read-1\.tool\.outcome\../), 'TOOL_INTERRUPTED'],
      ['tool.in-doubt', 'request-1.tool.in-doubt', 'TOOL_INTERRUPTED'],
    ]);
    expect(await gate.call(bench.admit())).toMatchObject(
      { status: 'IN-DOUBT', code: 'TOOL_INTERRUPTED' },
    );
    expect(bench.calls).toEqual([]);
  });

  test('knows how the write of a request ended, and of no other request', async () => {
    const asked = { requester: '', idempotencyKey: '', requestId: 'request-1' };
    const { requester, idempotencyKey } = bench.admit().fields;
    const gate = await bench.ready();
    const request = { ...asked, requester, idempotencyKey };
    expect(gate.endOf(request)).toBeNull();
    bench.answer = async () => done({ status: 'paid' });
    await gate.call(bench.admit());
    const { end, recorded } = { end: gate.endOf(request), recorded: bench.entries.length };
    expect(end).toMatchObject({ decision: { status: 'DONE', result: { status: 'paid' } } });
    expect(gate.endOf({ ...request, requestId: 'request-2' })).toBeNull();
    expect(gate.endOf({ ...request, requester: 'another' })).toBeNull();
    expect([bench.calls.length, bench.entries.length]).toEqual([1, recorded]);
  });

  test('calls it a doubt when its store cannot be read', async () => {
    const gate = await bench.ready();
    bench.intents.find = () => {
      throw new Error('broken store');
    };
    expect(gate.endOf({ requester: 'a', idempotencyKey: 'b', requestId: 'c' })).toMatchObject({
      decision: { status: 'IN-DOUBT', code: 'TOOL_STORE_UNAVAILABLE' },
      mayRepeat: true,
    });
  });

  test('records durable outcomes that were missed, once the recorder is back', async () => {
    const gate = await bench.ready();
    bench.answer = async () => {
      bench.recorderFails = true;
      return done({ status: 'paid' });
    };
    expect(await gate.call(bench.admit())).toMatchObject({ status: 'DONE' });
    expect(bench.kinds()).toEqual(['tool.intent']);
    bench.recorderFails = false;
    const next = await bench.ready();
    expect(bench.entries.at(-1)).toMatchObject({ id: 'request-1.tool.outcome', outcome: 'GO' });
    bench.answer = async () => done({ status: 'paid' });
    await next.call(bench.admit({ id: 'request-3', idempotencyKey: 'k3' }));
    expect(bench.kinds().filter((kind) => kind === 'tool.outcome')).toHaveLength(2);
  });

  test('records a missed end after the next call that is recorded, without a restart', async () => {
    const gate = await bench.ready();
    bench.answer = async () => {
      bench.recorderFails = true;
      return done({ status: 'paid' });
    };
    await gate.call(bench.admit());
    bench.recorderFails = false;
    bench.answer = async () => done({});
    await gate.call(bench.admit({}, read));
    expect(bench.entries.map((entry) => entry.id)).toContain('request-1.tool.outcome');
  });
});
