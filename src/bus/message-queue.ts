// SPDX-License-Identifier: Apache-2.0
import type { EnvelopeBody, SignedEnvelope } from '../message/envelope.ts';

export type QueuedMessage = {
  /** Order of admission; deliveries to one recipient keep it. */
  readonly position: number;
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly envelope: SignedEnvelope;
  readonly expiresAt: number;
};

/**
 * The durable queue and replay memory of one node; the node is its only writer.
 *
 * `enqueue` resolves when message and nonce are durable, and rejects when they are not; ids and
 * nonces stay known until the message would have expired on its own.
 */
export interface MessageQueue {
  enqueue(body: EnvelopeBody, envelope: SignedEnvelope): Promise<QueuedMessage>;
  /** Resolves when all that was enqueued before is durable or was withdrawn. */
  flushed(): Promise<void>;
  /** Forgets the content; the id and nonce stay until expiry. Durable soon, not at once. */
  settle(position: number): Promise<void>;
  /** Undoes an enqueue whose record failed: content, id and nonce are forgotten. */
  withdraw(message: QueuedMessage, nonce: string): Promise<void>;
  /** Makes an enqueued message visible to `pending`, once its record is durable too. */
  release(message: QueuedMessage): void;
  /** Released messages not yet settled, in order, leaving out these positions. */
  pending(to: string, without: ReadonlySet<number>, limit: number): readonly QueuedMessage[];
  pendingCount(to: string): number;
  /** Released messages that expired before this time and were not settled, oldest first. */
  expired(nowMs: number, limit: number): readonly QueuedMessage[];
  /** How many of them this sender sent. */
  pendingCountFrom(to: string, from: string): number;
  /** SHA-256 of the envelope admitted under this id, or null. */
  digestOf(id: string): string | null;
  nonceKnown(from: string, nonce: string): boolean;
  /** The replay memory is complete from here on; milliseconds since 1970. */
  readonly intactSinceMs: number;
  prune(nowMs: number): Promise<void>;
}
