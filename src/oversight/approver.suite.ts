// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { Approver, Notice } from './approver.ts';

const action: Notice = {
  waits: 'action',
  approval: '01K00000000000000000000000',
  action: 'pay_invoice',
  risk: 'HIGH',
  executor: 'payments',
  expiresAt: 1_800_000_000_000,
};
const change: Notice = {
  waits: 'change',
  change: '01K00000000000000000000001',
  workflow: 'invoices',
  agent: 'planner',
  opens: 1,
  closes: 0,
  expiresAt: 1_800_000_000_000,
};

/** What every `Approver` does: it takes the same word more than once. */
export function approverSuite(name: string, create: () => Approver): void {
  describe(`${name} as an approver`, () => {
    it.each([action, change])('takes the same word again, as after a crash, and gives none back', async (notice) => {
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
