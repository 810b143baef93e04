// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import { parseEnvelopeBody } from '../message/envelope-parse.ts';
import type { EnvelopeBody, SignedEnvelope } from '../message/envelope.ts';
import { parseStrictJson } from '../message/strict-json.ts';
import type { EntryDraft } from '../recorder/entry.ts';
import { admittedEntry, undeliveredEntry } from './admission-entries.ts';
import type { AdmitContext } from './admit.ts';

/** Entries that one call of the recorder takes here. */
const entriesPerCall = 256;
/** Messages that are looked at in one go. */
const messagesPerLook = 4_096;

type WaitingContext = Pick<AdmitContext, 'queue' | 'recorder' | 'mesh' | 'clock'>;

/**
 * A crash may have kept a message and lost the entry of its admission. Records what waits for agents of
 * the mesh; the recorder leaves out what it has. To be done before anybody can connect: a recipient that
 * is faster would be handed what is not on record, and nobody would know of it if its sender stayed away.
 * Rejects when the recorder cannot write. G8.
 */
export async function recordWaiting(context: WaitingContext): Promise<void> {
  for (const agent of context.mesh.agents.keys()) {
    const seen = new Set<number>();
    for (;;) {
      const waiting = context.queue.pending(agent, seen, messagesPerLook);
      if (waiting.length === 0) break;
      for (const { position } of waiting) seen.add(position);
      const entries = waiting.flatMap(({ envelope }) => {
        const body = admittedBody(envelope);
        return body === null ? [] : [admittedEntry(body, context, null)];
      });
      await recordAll(entries, context);
    }
  }
}

/** What expired while its recipient was away takes up no room; each is on record first. */
export async function dropExpired(
  context: WaitingContext & { readonly connected: { has(agent: string): boolean } },
  nowMs: number,
  most: number,
): Promise<void> {
  for (const message of context.queue.expired(nowMs, most)) {
    // A connected recipient is handed it, and says itself that it came too late.
    if (context.connected.has(message.to)) continue;
    const body = admittedBody(message.envelope);
    if (body !== null) await context.recorder.record([undeliveredEntry(body, context)]);
    await context.queue.settle(message.position);
  }
}

async function recordAll(entries: readonly EntryDraft[], { recorder }: WaitingContext): Promise<void> {
  for (let from = 0; from < entries.length; from += entriesPerCall) {
    await recorder.record(entries.slice(from, from + entriesPerCall));
  }
}

/** The body of an envelope that this node admitted, and so verified, before. */
function admittedBody(envelope: SignedEnvelope): EnvelopeBody | null {
  const json = parseStrictJson(Buffer.from(envelope.split('.')[1] ?? '', 'base64url'));
  const parsed = json.ok ? parseEnvelopeBody(json.value) : null;
  return parsed?.ok === true ? parsed.body : null;
}
