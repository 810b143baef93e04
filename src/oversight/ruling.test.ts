// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import type { OperatorStatement } from '../identity/operator-signature.ts';
import type { OperatorRole } from '../mesh/operator-roles.ts';
import { rule, unruled, type Question, type Ruling } from './ruling.ts';

const digest = 'd'.repeat(43);
const question: Question = { digest, approvalsNeeded: 1, approvers: [], causedBy: [] };
const person = (name: string, ...roles: readonly OperatorRole[]) =>
  ({ name, publicKey: {}, ...(roles.length === 0 ? {} : { roles }) });

function says(
  decision: OperatorStatement['decision'],
  operator: ReturnType<typeof person> | null,
  before: Ruling = unruled,
  asked: Partial<Question> = {},
) {
  const statement = {
    approval: 'a', digest, decision, operator: operator?.name ?? 'eve', at: 1, reason: '',
  };
  return rule(before, statement, { ...question, ...asked }, operator);
}

const codeOf = (answer: ReturnType<typeof rule>): string | null => answer.ok ? null : answer.code;
const rulingOf = (answer: ReturnType<typeof rule>): Ruling => {
  if (!answer.ok) throw new Error(answer.code);
  return answer.ruling;
};

describe('nobody decides', () => {
  test.each<[string, ReturnType<typeof person> | null]>([
    ['whom the mesh does not know', null],
    ['who may only look', person('ann', 'auditor')],
    ['who runs things and releases none', person('ann', 'operator')],
  ])('%s', (_, operator) => {
    for (const decision of ['approve', 'deny', 'modify', 'escalate'] as const) {
      expect(codeOf(says(decision, operator))).toBe('OVERSIGHT_ROLE_REFUSED');
    }
  });

  test('what the manifest leaves to another role', () => {
    const asked = { approvers: ['security'] as const };
    expect(codeOf(says('approve', person('ann', 'approver'), unruled, asked))).toBe('OVERSIGHT_ROLE_REFUSED');
    expect(codeOf(says('approve', person('sue', 'security'), unruled, asked))).toBeNull();
  });

  test('what they set off or changed; but they may deny it', () => {
    const asked = { causedBy: ['ann'] };
    expect(codeOf(says('approve', person('ann'), unruled, asked))).toBe('OVERSIGHT_APPROVAL_OWN_CAUSE');
    expect(codeOf(says('modify', person('ann'), unruled, asked))).toBe('OVERSIGHT_APPROVAL_OWN_CAUSE');
    expect(rulingOf(says('deny', person('ann'), unruled, asked)).state).toBe('denied');
  });

  test('twice, where two are asked for', () => {
    const asked = { approvalsNeeded: 2 as const };
    const once = rulingOf(says('approve', person('ann'), unruled, asked));
    expect(once.state).toBe('pending');
    expect(codeOf(says('approve', person('ann'), once, asked))).toBe('OVERSIGHT_APPROVAL_SAME_PERSON');
    expect(rulingOf(says('approve', person('bob'), once, asked)))
      .toMatchObject({ state: 'approved', approvedBy: ['ann', 'bob'] });
  });

  test('after it is decided', () => {
    const denied = rulingOf(says('deny', person('ann')));
    expect(codeOf(says('approve', person('bob'), denied))).toBe('OVERSIGHT_APPROVAL_CLOSED');
  });
});

describe('an escalated question', () => {
  test('is for security, then for the CISO, and for nobody below', () => {
    const first = rulingOf(says('escalate', person('ann', 'approver')));
    expect(first.level).toBe('security');
    expect(codeOf(says('approve', person('ann', 'approver'), first))).toBe('OVERSIGHT_ROLE_REFUSED');
    expect(codeOf(says('approve', person('sue', 'security'), first))).toBeNull();
    const second = rulingOf(says('escalate', person('sue', 'security'), first));
    expect(codeOf(says('approve', person('sue', 'security'), second))).toBe('OVERSIGHT_ROLE_REFUSED');
    expect(rulingOf(says('approve', person('cat', 'ciso'), second)).state).toBe('approved');
    expect(codeOf(says('escalate', person('cat', 'ciso'), second))).toBe('OVERSIGHT_ESCALATED_TO_THE_TOP');
  });
});
