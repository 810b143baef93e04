// SPDX-License-Identifier: Apache-2.0
import { freshContext } from '../label/context.ts';
import { joinLabels } from '../label/label.ts';
import { ValueIndex } from '../label/value-index.ts';
import { actionOutcomeSchema, type ActionOutcome } from '../message/action-request.ts';
import type { EnvelopeBody, Label } from '../message/envelope.ts';
import type { CombinedVerdict } from '../review/verdict.ts';
import type { GateOutcome } from '../tool/gate-outcome.ts';
import type { SidecarContext } from './context.ts';
import { placeAfter } from './memory.ts';
import { prepareAnswer, type Speaker } from './outbound.ts';
import type { InboxMessage, Reply } from './ports.ts';

/** The answer itself is let through, whatever became of the request: that is in its payload. */
const sentVerdict: CombinedVerdict = { outcome: 'GO', lead: null, verdicts: [] };

/** Signed and durable first, then sent: a crash in between repeats this very answer. */
export async function answer(
  message: InboxMessage,
  outcome: ActionOutcome,
  context: SidecarContext,
  ran: GateOutcome | null = null,
): Promise<void> {
  const { body } = message;
  const prepared = prepareAnswer(
    {
      to: body.from,
      type: 'data',
      schema: actionOutcomeSchema,
      domain: body.domain,
      payload: { ...outcome },
      metadata: {},
      inReplyTo: body.id,
      epistemic: null,
      task: body.task,
    },
    answerSpeaker(body, ran),
    sentVerdict,
    0,
    context,
  );
  const instance = context.credential().spiffeId;
  const reply: Reply = { ...prepared, instance, outcome };
  await context.store.saveReply(body.id, reply);
  return sendReply(message, reply, false, context);
}

/** The answer carries the label of what was asked and of what the tool said. */
function answerSpeaker(body: EnvelopeBody, ran: GateOutcome | null): Speaker {
  const values = new ValueIndex();
  if (ran !== null && ran.status === 'DONE') {
    values.indexValues({ result: ran.result }, (pointer) =>
      pointer.startsWith('/result') ? ran.sourceOf(pointer.slice('/result'.length)) : null,
    );
  }
  const label = joinLabels(body.label, ...labelsOf(ran));
  return { source: 'tool', read: { ...freshContext, label }, values, place: placeAfter(body), inputs: [body.id] };
}

/** An answer signed under an identity that has ended since is signed again, and nothing else. */
export async function repeatReply(
  message: InboxMessage,
  reply: Reply,
  context: SidecarContext,
): Promise<void> {
  if (reply.instance === context.credential().spiffeId) {
    return sendReply(message, reply, true, context);
  }
  return answer(message, reply.outcome, context);
}

async function sendReply(
  message: InboxMessage,
  reply: Reply,
  resend: boolean,
  context: SidecarContext,
): Promise<void> {
  const expiresAt = context.clock.nowMs() + context.mesh.limits.messageLifetimeMs;
  await context.link.publish({ ...reply, expiresAt, resend });
  await context.store.setState(message.body.id, 'done');
}

function labelsOf(ran: GateOutcome | null): readonly Label[] {
  return ran === null || ran.label === null ? [] : [ran.label];
}
