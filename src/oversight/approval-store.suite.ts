// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { Approval, ApprovalStore } from './approvals.ts';

function approval(change: Partial<Approval> = {}, message = 'm1', executor = 'payments'): Approval {
  return {
    id: 'approval-1',
    state: 'pending',
    heldAt: 1_000,
    decisions: [],
    hold: {
      message,
      task: 't1',
      executor,
      requester: 'triage',
      rootOrigin: 'tool:mail',
      action: 'pay_invoice',
      risk: 'HIGH',
      reversibility: 'irreversible',
      parameters: { amount: 5_000 },
      digest: 'd'.repeat(43),
      approvalsNeeded: 1,
      reasons: [],
      expiresAt: 60_000,
    },
    ...change,
  };
}

/** What every `ApprovalStore` does; `open` opens the same disk again, a new one per test. */
export function approvalStoreSuite(name: string, create: () => { readonly open: () => ApprovalStore }): void {
  describe(`${name} as an approval store`, () => {
    it('knows nothing of what it was not given', () => {
      const store = create().open();
      expect([store.get('x'), store.byMessage('m1', 'payments'), store.pending(), store.list(9)])
        .toEqual([null, null, [], []]);
    });

    it('finds an approval by its id, and by message and executor together', async () => {
      const store = create().open();
      await store.save(approval());
      await store.save(approval({ id: 'approval-2' }, 'm1', 'shipping'));
      expect(store.get('approval-2')?.hold.executor).toBe('shipping');
      expect(store.byMessage('m1', 'payments')?.id).toBe('approval-1');
      expect(store.byMessage('m1', 'shipping')?.id).toBe('approval-2');
      expect(store.byMessage('m1', 'nobody')).toBeNull();
    });

    it('keeps states and decisions over a restart, and lists the newest first', async () => {
      const disk = create();
      const store = disk.open();
      const decisions = [{ operator: 'alice', signed: 'signed' }];
      await store.save(approval());
      await store.save(approval({ id: 'approval-2', heldAt: 2_000 }, 'm2'));
      await store.save(approval({ state: 'approved', decisions }));
      for (const one of [store, disk.open()]) {
        expect(one.get('approval-1')).toMatchObject({ state: 'approved', decisions });
        expect(one.byMessage('m1', 'payments')?.state).toBe('approved');
        expect(one.pending().map(({ id }) => id)).toEqual(['approval-2']);
        expect(one.list(9).map(({ id }) => id)).toEqual(['approval-2', 'approval-1']);
        expect(one.list(1)).toHaveLength(1);
      }
    });

    it('finds the question about exactly one request among those about its message', async () => {
      const store = create().open();
      const { hold } = approval();
      await store.save(approval({ state: 'modified' }));
      await store.save(approval({ id: 'approval-2', heldAt: 2_000, hold: { ...hold, digest: 'e'.repeat(43) } }));
      expect(store.byDigest('m1', 'payments', hold.digest)?.id).toBe('approval-1');
      expect(store.byDigest('m1', 'payments', 'e'.repeat(43))?.id).toBe('approval-2');
      expect(store.byDigest('m1', 'payments', 'f'.repeat(43))).toBeNull();
      expect(store.byMessage('m1', 'payments')?.id).toBe('approval-2');
    });

    it('is read as saved at once, before it is durable', async () => {
      const store = create().open();
      const saved = store.save(approval());
      expect(store.pending()).toHaveLength(1);
      await saved;
    });
  });
}
