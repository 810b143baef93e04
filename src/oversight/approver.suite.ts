// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { Approver, Notice } from './approver.ts';

const notice: Notice = {
  approval: '01K00000000000000000000000',
  action: 'pay_invoice',
  risk: 'HIGH',
  executor: 'payments',
  expiresAt: 1_800_000_000_000,
};

/** What every `Approver` does: it takes word of the same action more than once. */
export function approverSuite(name: string, create: () => Approver): void {
  describe(`${name} as an approver`, () => {
    it('takes the same word again, as after a crash, and gives none back', async () => {
      const approver = create();
      expect(approver.name).not.toBe('');
      expect(await approver.waiting(notice)).toBeUndefined();
      expect(await approver.waiting(notice)).toBeUndefined();
    });

    it('takes an alarm, and gives nothing back', async () => {
      const alarm = { code: 'JUDGE_REFUSED_LATE', task: 't', message: 'm', agents: ['a'], owners: ['o'], done: 1 };
      expect(await create().alarm(alarm)).toBeUndefined();
    });
  });
}
