// SPDX-License-Identifier: Apache-2.0
import type { MessageQueue, QueuedMessage } from './message-queue.ts';

/** One connected recipient, as the router needs it. */
export type Recipient = {
  readonly agent: string;
  /** Hands a message to the connection; the recipient settles it by its position. */
  readonly deliver: (message: QueuedMessage) => void;
};

type Lane = {
  readonly recipient: Recipient;
  readonly inFlight: Set<number>;
};

/** Unsettled deliveries per recipient: enough to fill the line, few enough to hold in memory. */
const windowMessages = 256;

/**
 * Delivers queued messages to connected recipients: at least once, in the order of admission, with
 * a bounded window as back-pressure. What is not settled when a connection ends is delivered again
 * on the next; the recipient de-duplicates by message id.
 */
export class Router {
  readonly #queue: MessageQueue;
  readonly #lanes = new Map<string, Lane>();

  constructor(queue: MessageQueue) {
    this.#queue = queue;
  }

  connect(recipient: Recipient): void {
    const lane: Lane = { recipient, inFlight: new Set() };
    this.#lanes.set(recipient.agent, lane);
    this.#pump(lane);
  }

  /** Ends deliveries to this recipient; a later connection of the same agent is not touched. */
  disconnect(recipient: Recipient): void {
    if (this.#lanes.get(recipient.agent)?.recipient === recipient) this.#lanes.delete(recipient.agent);
  }

  isConnected(agent: string): boolean {
    return this.#lanes.has(agent);
  }

  /** Called when a message became durable; one that an earlier call took along is under way. */
  admitted(message: QueuedMessage): void {
    const lane = this.#lanes.get(message.to);
    if (lane === undefined || lane.inFlight.size >= windowMessages) return;
    if (lane.inFlight.has(message.position)) return;
    const onlyThisWaits = this.#queue.pendingCount(message.to) === lane.inFlight.size + 1;
    if (onlyThisWaits) this.#handOver(lane, message);
    else this.#pump(lane);
  }

  /** Called after the queue has let go of the message, or it is handed over once more. */
  settled(recipient: Recipient, position: number): void {
    const lane = this.#lanes.get(recipient.agent);
    if (lane?.recipient !== recipient || !lane.inFlight.delete(position)) return;
    if (lane.inFlight.size <= windowMessages / 2) this.#pump(lane);
  }

  /** True when this recipient was handed the message on its present connection. */
  isInFlight(recipient: Recipient, position: number): boolean {
    const lane = this.#lanes.get(recipient.agent);
    return lane?.recipient === recipient && lane.inFlight.has(position);
  }

  #pump(lane: Lane): void {
    const room = windowMessages - lane.inFlight.size;
    if (room <= 0) return;
    for (const message of this.#queue.pending(lane.recipient.agent, lane.inFlight, room)) {
      this.#handOver(lane, message);
    }
  }

  #handOver(lane: Lane, message: QueuedMessage): void {
    lane.inFlight.add(message.position);
    lane.recipient.deliver(message);
  }
}
