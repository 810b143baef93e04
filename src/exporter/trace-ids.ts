// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import { createHmac } from 'node:crypto';
import { isTraceparent, isUlid } from '../message/identifiers.ts';

const crockford = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const spanIdBytes = 8;
const traceIdBytes = 16;

/** A span of a task: what step, of which message or entry. Equal steps have equal span ids. */
export type SpanStage = 'outbound' | 'admitted' | 'delivered' | 'reviewed' | 'tool' | 'entry';

/**
 * The 128 bits of a task's ULID as a W3C trace id. Nothing has to be carried along: every hop has
 * the task in its signed envelope, so all of them land in one trace, whoever exports them and
 * however often. Null for what is no ULID, and for the one ULID that is no trace id.
 */
export function traceIdOfTask(task: string): string | null {
  if (!isUlid(task)) return null;
  let value = 0n;
  for (const character of task) value = value * 32n + BigInt(crockford.indexOf(character));
  const traceId = value.toString(16).padStart(traceIdBytes * 2, '0');
  return /^0+$/.test(traceId) ? null : traceId;
}

/** Ids under a key of this mesh, for where a ULID, which holds a time, must not leave. */
export class SpanIds {
  readonly #key: Uint8Array;
  readonly #keyed: boolean;

  /** `keyed`: trace ids are pseudonyms too; for every task, so that none is split in two traces. */
  constructor(key: Uint8Array, keyed: boolean) {
    this.#key = key;
    this.#keyed = keyed;
  }

  traceId(task: string): string | null {
    const plain = traceIdOfTask(task);
    return plain === null || !this.#keyed ? plain : this.#mac(`trace ${task}`, traceIdBytes);
  }

  spanId(stage: SpanStage, id: string): string {
    return this.#mac(`${stage} ${id}`, spanIdBytes);
  }

  #mac(text: string, bytes: number): string {
    const mac = createHmac('sha256', this.#key).update(text).digest().subarray(0, bytes);
    // An id of zeros means "none" in W3C Trace Context.
    if (mac.every((byte) => byte === 0)) mac[bytes - 1] = 1;
    return Buffer.from(mac).toString('hex');
  }
}

/**
 * A `traceparent` as a link, or null when it is of another form. The agent's word: it never becomes
 * the trace or the parent of anything.
 */
export function linkOf(
  traceparent: unknown,
): { readonly traceId: string; readonly spanId: string } | null {
  if (!isTraceparent(traceparent)) return null;
  const [, traceId = '', spanId = ''] = traceparent.split('-');
  return { traceId, spanId };
}
