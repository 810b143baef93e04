// SPDX-License-Identifier: Apache-2.0
import type { EnvelopeBody } from '../message/envelope.ts';
import { admittedEntry, envelopeDigest, type Refusal } from './admission-entries.ts';
import type { Admission, AdmitContext, Publication } from './admit.ts';

/** The very bytes admitted before, repeated because the answer was lost: nothing is delivered again. */
export function isHarmlessResend(
  publication: Publication,
  judged: { readonly body: EnvelopeBody | null; readonly refusal: Refusal | null },
  context: AdmitContext,
): boolean {
  return (
    publication.resend &&
    judged.refusal?.code === 'BUS_REPLAY' &&
    context.queue.digestOf(judged.body?.id ?? '') === envelopeDigest(publication.envelope)
  );
}

/** A crash may have kept the message and lost its entries; the recorder ignores those it has. */
export async function exitResent(
  publication: Publication,
  body: EnvelopeBody,
  keyKept: Promise<void> | undefined,
  context: AdmitContext,
): Promise<Admission> {
  try {
    // The first copy and its data key may still be on their way to the disk; it may yet be withdrawn.
    await Promise.all([context.queue.flushed(), keyKept]);
    if (context.queue.digestOf(body.id) !== envelopeDigest(publication.envelope)) {
      return { answer: 'refused', code: 'BUS_UNAVAILABLE', drop: false };
    }
    const kept = context.payloads.keep(body);
    await Promise.all([
      context.recorder.record([
        publication.entry, admittedEntry(body, context, null), ...(kept?.entries ?? []),
      ]),
      kept?.durable,
    ]);
    return { answer: 'accepted', message: null };
  } catch {
    // Still not on record: the sender goes on repeating until it is.
    return { answer: 'refused', code: 'BUS_UNAVAILABLE', drop: false };
  }
}
