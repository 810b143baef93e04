// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import type { Approval, ApprovalState } from '../oversight/approvals.ts';
import { decidedFrame } from './node-approvals.ts';

const approval = (state: ApprovalState, more: Partial<Approval> = {}): Approval => ({
  id: 'approval', state, heldAt: 1, decisions: [{ operator: 'alice', signed: 'signed', decision: 'approve' }],
  hold: {
    message: 'message', task: 'task', executor: 'payments', requester: 'triage', rootOrigin: 'tool:mail', action: 'pay', risk: 'HIGH',
    reversibility: 'irreversible', parameters: {}, digest: 'd'.repeat(43), approvalsNeeded: 1, reasons: [], expiresAt: 2,
  },
  ...more,
});

test('an executor hears of no probe, whatever people said about it, and of no question that is open', () => {
  const states: readonly ApprovalState[] = ['pending', 'approved', 'denied', 'expired', 'modified'];
  expect(states.map((state) => decidedFrame(approval(state, { probe: true })))).toEqual([null, null, null, null, null]);
  expect(decidedFrame(approval('pending'))).toBeNull();
  expect(decidedFrame(null)).toBeNull();
});

test('an executor hears of a real question once it is answered, with the statements as they were signed', () => {
  expect(decidedFrame(approval('approved'))).toEqual({
    kind: 'decided', message: 'message', approval: 'approval', outcome: 'approved', decisions: ['signed'],
  });
});
