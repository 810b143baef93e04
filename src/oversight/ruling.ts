// SPDX-License-Identifier: Apache-2.0
import type { OperatorStatement } from '../identity/operator-signature.ts';
import { mayDecide, type EscalationLevel, type OperatorRole } from '../mesh/operator-roles.ts';
import type { Operator } from '../mesh/mesh.ts';
import type { OversightCode } from './codes.ts';

/** What a held action asks of people. */
export type Question = {
  readonly digest: string;
  readonly approvalsNeeded: 1 | 2;
  /** Roles of the action's manifest; empty means every role that decides. */
  readonly approvers: readonly OperatorRole[];
  /** Operators who set the action off or changed it: nobody approves what they caused. */
  readonly causedBy: readonly string[];
};

export type Ruling = {
  readonly state: 'pending' | 'approved' | 'denied' | 'modified';
  /** Different people whose approval counts, in order. */
  readonly approvedBy: readonly string[];
  /** Who decides from here on; null where it was not escalated. */
  readonly level: EscalationLevel | null;
};

export type RulingAnswer =
  | { readonly ok: true; readonly ruling: Ruling }
  | { readonly ok: false; readonly code: OversightCode };

/** Where a question stands before anybody has spoken. */
export const unruled: Ruling = { state: 'pending', approvedBy: [], level: null };

/**
 * One more statement, whose signature the caller has verified, on a question. The node asks it when
 * a decision comes; the executor's sidecar asks it again over all of them, so that a node that lies
 * gains nothing. A denial is everybody's to give who may decide, also of what they caused.
 */
export function rule(
  before: Ruling,
  statement: OperatorStatement,
  question: Question,
  operator: Operator | null,
): RulingAnswer {
  const { decision } = statement;
  if (statement.digest !== question.digest) return refused('OVERSIGHT_APPROVAL_DIGEST_MISMATCH');
  if (before.state !== 'pending') return refused('OVERSIGHT_APPROVAL_CLOSED');
  if (!mayDecide(operator, before.level, question.approvers)) {
    return refused('OVERSIGHT_ROLE_REFUSED');
  }
  const caused = question.causedBy.includes(statement.operator);
  switch (decision) {
    case 'deny':
      return ruled({ ...before, state: 'denied' });
    case 'escalate': {
      const level = before.level === null ? 'security' : 'ciso';
      return before.level === 'ciso' ? refused('OVERSIGHT_ESCALATED_TO_THE_TOP') : ruled({ ...before, level });
    }
    case 'modify':
      if (caused) return refused('OVERSIGHT_APPROVAL_OWN_CAUSE');
      return ruled({ ...before, state: 'modified' });
    case 'approve': {
      if (caused) return refused('OVERSIGHT_APPROVAL_OWN_CAUSE');
      if (before.approvedBy.includes(statement.operator)) {
        return refused('OVERSIGHT_APPROVAL_SAME_PERSON');
      }
      const approvedBy = [...before.approvedBy, statement.operator];
      const complete = approvedBy.length >= question.approvalsNeeded;
      return ruled({ ...before, approvedBy, state: complete ? 'approved' : 'pending' });
    }
    default:
      return decision satisfies never;
  }
}

function ruled(ruling: Ruling): RulingAnswer {
  return { ok: true, ruling };
}

function refused(code: OversightCode): RulingAnswer {
  return { ok: false, code };
}
