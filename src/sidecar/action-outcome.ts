// SPDX-License-Identifier: Apache-2.0
import type { ActionOutcome, ActionRequest } from '../message/action-request.ts';
import type { Decision } from '../tool/gate-outcome.ts';
import type { SidecarContext } from './context.ts';

/** The request was not fulfilled; its requester hears a coarse code. */
export function turnedAwayAs(
  { action, idempotencyKey }: ActionRequest,
  code: string,
  context: SidecarContext,
): ActionOutcome {
  return {
    action,
    idempotencyKey,
    status: 'REFUSED',
    code: context.agentSees(code),
    result: null,
  };
}

/** How the gate ended the call, as the requester hears it. */
export function outcomeOf(
  { action, idempotencyKey }: ActionRequest,
  ran: Decision,
  context: SidecarContext,
): ActionOutcome {
  switch (ran.status) {
    case 'DONE':
      return { action, idempotencyKey, status: 'DONE', code: null, result: ran.result };
    case 'IN-DOUBT':
      return { action, idempotencyKey, status: 'IN-DOUBT', code: 'IN_DOUBT', result: null };
    case 'REFUSED':
    case 'FAILED': {
      const code = context.agentSees(ran.code ?? 'REVIEW_MISSING');
      return { action, idempotencyKey, status: ran.status, code, result: null };
    }
    default:
      return ran.status satisfies never;
  }
}
