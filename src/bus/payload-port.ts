// SPDX-License-Identifier: Apache-2.0
import type { EnvelopeBody } from '../message/envelope.ts';
import type { KeptPayload, PayloadPieces, ReadOfAgent } from '../recorder/payload-keeper.ts';

/** Keeps payloads of admitted messages, sealed, where the mesh file says so. */
export type PayloadPort = {
  /**
   * What is recorded with the admission, and what must be durable with it; null where this payload is
   * not kept. Throws `RecorderError` when it is to be kept and cannot be.
   */
  readonly keep: (body: EnvelopeBody) => KeptPayload | null;
  /** The same for what an agent read through a tool of its own, in pieces of its canonical form. */
  readonly keepRead: (read: ReadOfAgent, pieces: PayloadPieces) => KeptPayload | null;
};

/** What must be kept and cannot be is not admitted; the sender repeats it. */
export function keepPayload(body: EnvelopeBody, payloads: PayloadPort): KeptPayload | null | 'unavailable' {
  try {
    return payloads.keep(body);
  } catch {
    // No key to seal it with: said in the operator log by whoever opens epochs.
    return 'unavailable';
  }
}
