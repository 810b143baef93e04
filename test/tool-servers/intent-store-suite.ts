// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import type { Intent, IntentStore } from '../../src/tool/intent-store.ts';
import { intentKey } from '../../src/tool/intent-store.ts';

export function exampleIntent(change: Partial<Intent> = {}): Intent {
  return {
    key: intentKey('payments', 'triage', 'k1'),
    requestId: 'request-1',
    executor: 'payments',
    requester: 'triage',
    action: 'pay_invoice',
    tool: 'bank',
    operation: 'transfer',
    argumentsDigest: 'digest-1',
    write: true,
    risk: 'HIGH',
    privileged: true,
    mandate: null,
    task: 'task-1',
    at: 1000,
    ...change,
  };
}

const outcome = { status: 'DONE', result: { status: 'paid' }, at: 2000 } as const;

/** Every implementation of `IntentStore` passes this. */
export function intentStoreSuite(name: string, open: () => IntentStore): void {
  describe(`${name} as an intent store`, () => {
    test('refuses a key that stands for other arguments, and keeps the first call', async () => {
      const store = open();
      await store.begin(exampleIntent());
      const other = exampleIntent({ argumentsDigest: 'digest-2' });
      expect(await store.begin(other)).toEqual({ state: 'reused' });
      expect(store.openIntents()).toEqual([exampleIntent()]);
    });

    test('refuses a key that stands for another operation', async () => {
      const store = open();
      await store.begin(exampleIntent());
      expect(
        await store.begin(exampleIntent({ operation: 'history' })),
      ).toEqual({ state: 'reused' });
    });

    test('refuses to settle, doubt, forget or reopen what is not in that state', async () => {
      const store = open();
      const { key } = exampleIntent();
      const code = 'TOOL_STORE_UNAVAILABLE';
      await expect(store.settle(key, outcome)).rejects.toMatchObject({ code });
      await expect(store.forget(key)).rejects.toMatchObject({ code });
      await expect(store.reopen(key, 1500)).rejects.toMatchObject({ code });
      await store.begin(exampleIntent());
      await store.settle(key, outcome);
      await expect(store.settle(key, outcome)).rejects.toMatchObject({ code });
      await expect(store.markInDoubt(key, 'TOOL_TIMEOUT')).rejects.toMatchObject({ code });
      await expect(store.forget(key)).rejects.toMatchObject({ code });
    });

    test('knows whether others asked for a call after another one', async () => {
      const store = open();
      const first = exampleIntent();
      const back = { action: 'take_back', argumentsDigest: 'digest-2' };
      await store.begin(exampleIntent({ ...back, key: 'before', requestId: 'before' }));
      await store.begin(first);
      await store.begin(exampleIntent({ ...back, key: 'own', requestId: 'own', requester: 'payments' }));
      await store.begin(exampleIntent({ ...back, key: 'other', requestId: 'other', argumentsDigest: 'digest-3' }));
      expect(store.isFollowedBy(first, 'take_back', 'digest-2')).toBe(false);
      await store.begin(exampleIntent({ ...back, key: 'after', requestId: 'after' }));
      expect(store.isFollowedBy(first, 'take_back', 'digest-2')).toBe(true);
      await store.forget('after');
      expect(store.isFollowedBy(first, 'take_back', 'digest-2')).toBe(false);
    });

    test('tells a new call, one under way, and one that is done', async () => {
      const store = open();
      const { key } = exampleIntent();
      expect(await store.begin(exampleIntent())).toEqual({ state: 'new' });
      expect(
        await store.begin(exampleIntent({ requestId: 'request-2' })),
      ).toEqual({ state: 'running' });
      await store.settle(key, outcome);
      expect(await store.begin(exampleIntent())).toEqual({ state: 'done', outcome });
      expect(store.openIntents()).toEqual([]);
    });

    test('keeps doubt until it is opened again', async () => {
      const store = open();
      const { key } = exampleIntent();
      await store.begin(exampleIntent());
      await store.markInDoubt(key, 'TOOL_TIMEOUT');
      expect(await store.begin(exampleIntent())).toEqual(
        { state: 'in-doubt', code: 'TOOL_TIMEOUT' },
      );
      expect(store.inDoubt()).toEqual([{ ...exampleIntent(), code: 'TOOL_TIMEOUT' }]);
      await store.reopen(key, 1500);
      expect(store.inDoubt()).toEqual([]);
      expect(store.openIntents()).toEqual([exampleIntent({ at: 1500 })]);
    });

    test('settles the doubt that a person looked at, and no other', async () => {
      const store = open();
      const { key } = exampleIntent();
      const looked = { ...exampleIntent(), code: 'TOOL_TIMEOUT' };
      const done = { statement: 's1', end: 'done', at: 3000 } as const;
      await store.begin(exampleIntent());
      expect(await store.settleDoubt(looked, done)).toBe(false);
      await store.markInDoubt(key, 'TOOL_TIMEOUT');
      expect(await store.settleDoubt({ ...looked, requestId: 'request-2' }, done)).toBe(false);
      await store.reopen(key, 1500);
      await store.markInDoubt(key, 'TOOL_TIMEOUT');
      expect(await store.settleDoubt(looked, done)).toBe(false);
      expect(store.settlementOf('request-1')).toBeNull();
      expect(await store.settleDoubt({ ...looked, at: 1500 }, done)).toBe(true);
      expect(store.settlementOf('request-1')).toBe('s1');
      expect(store.inDoubt()).toEqual([]);
      expect(store.unrecorded()).toEqual([]);
      expect(await store.begin(exampleIntent({ requestId: 'request-2' }))).toEqual({
        state: 'done', outcome: { status: 'DONE', result: null, at: 3000 },
      });
    });

    test('forgets a call that a person found not to have run, and remembers who said so', async () => {
      const store = open();
      await store.begin(exampleIntent());
      await store.markInDoubt(exampleIntent().key, 'TOOL_DIED');
      const looked = { ...exampleIntent(), code: 'TOOL_DIED' };
      const notRun = { statement: 's2', end: 'not-run', at: 3000 } as const;
      expect(await store.settleDoubt(looked, notRun)).toBe(true);
      expect(store.settlementOf('request-1')).toBe('s2');
      expect(await store.begin(exampleIntent({ requestId: 'request-2' }))).toEqual({ state: 'new' });
    });

    test('forgets a call that did nothing, so that its key may be used again', async () => {
      const store = open();
      await store.begin(exampleIntent());
      await store.forget(exampleIntent().key);
      expect(
        await store.begin(exampleIntent({ argumentsDigest: 'digest-2' })),
      ).toEqual({ state: 'new' });
    });

    test('lists ends that the recorder does not have, and only those', async () => {
      const store = open();
      const { key } = exampleIntent();
      await store.begin(exampleIntent());
      await store.markRecorded(key, 'request-1');
      await store.settle(key, outcome);
      expect(store.unrecorded()).toEqual([{ intent: exampleIntent(), end: 'done', code: null }]);
      await store.markRecorded(key, 'request-2');
      expect(store.unrecorded()).toHaveLength(1);
      await store.markRecorded(key, 'request-1');
      expect(store.unrecorded()).toEqual([]);
    });
  });
}
