// SPDX-License-Identifier: Apache-2.0
import { keysWith } from '../mesh/operator-roles.ts';
import { verifySettlement } from '../identity/settlement-statement.ts';
import type { Operator } from '../mesh/mesh.ts';
import { doubtfulCallsMax } from '../message/doubtful-call.ts';
import type { Turns } from '../oversight/turns.ts';
import { doubtfulCallOf, settleDoubt, type SettleContext } from '../tool/settle-doubt.ts';
import type { CallsFrame, SidecarFrame } from '../wire/frame.ts';

export type SettleCallContext = SettleContext & {
  /** Whom this sidecar knows itself; the node's word on who is an operator is not asked. */
  readonly operators: () => ReadonlyMap<string, Operator>;
  readonly turns: Turns;
};

/**
 * Answers what the node asks about calls in doubt. The node only carries what an operator signed: it
 * is verified here, and says nothing about any other call, executor or attempt. Never rejects; no
 * answer means that the store cannot be read.
 */
export async function answerOnCalls(
  frame: Exclude<CallsFrame, { kind: 'undo-call' }>,
  context: SettleCallContext,
): Promise<Extract<SidecarFrame, { kind: 'calls' | 'call-settled' }> | null> {
  switch (frame.kind) {
    case 'list-calls':
      try {
        const calls = context.intents.inDoubt().slice(0, doubtfulCallsMax).map(doubtfulCallOf);
        return { kind: 'calls', number: frame.number, calls };
      } catch {
        // An empty list would say that nothing is in doubt.
        return null;
      }
    case 'settle-call': {
      const { settlement, signed } = frame;
      const code = await context.turns.take(() => settle(settlement, signed, context));
      return { kind: 'call-settled', settlement, code };
    }
    default:
      return frame satisfies never;
  }
}

async function settle(
  id: string,
  signed: string,
  context: SettleCallContext,
): Promise<string | null> {
  const operators = context.operators();
  const verified = verifySettlement(signed, keysWith(operators, 'operate'));
  if (!verified.ok) return verified.code;
  if (verified.statement.id !== id) return 'IDENTITY_SETTLEMENT_MALFORMED';
  return settleDoubt(verified.statement, signed, context);
}
