// SPDX-License-Identifier: Apache-2.0
import type { Backbone, Recipient } from './backbone.ts';
import type { MessageQueue, QueuedMessage } from './message-queue.ts';

type LocalQueue = Pick<MessageQueue, 'settle' | 'pending' | 'pendingCount'>;

type Lane = {
  readonly recipient: Recipient;
  readonly inFlight: Set<number>;
  /** Nothing more is handed over; what is in flight goes on. */
  paused: boolean;
};

/** Unsettled deliveries per recipient: enough to fill the line, few enough to hold in memory. */
const windowMessages = 256;

/** The first implementation: one node, which every recipient is connected to. */
export class LocalBackbone implements Backbone {
  readonly #queue: LocalQueue;
  readonly #lanes = new Map<string, Lane>();

  constructor(queue: LocalQueue) {
    this.#queue = queue;
  }

  watch(recipient: Recipient): void {
    const lane: Lane = { recipient, inFlight: new Set(), paused: false };
    this.#lanes.set(recipient.agent, lane);
    this.#pump(lane);
  }

  unwatch(recipient: Recipient): void {
    if (this.#lanes.get(recipient.agent)?.recipient === recipient) this.#lanes.delete(recipient.agent);
  }

  pause(recipient: Recipient): void {
    const lane = this.#lanes.get(recipient.agent);
    if (lane?.recipient === recipient) lane.paused = true;
  }

  resume(recipient: Recipient): void {
    const lane = this.#lanes.get(recipient.agent);
    if (lane?.recipient !== recipient) return;
    lane.paused = false;
    this.#pump(lane);
  }

  /** One that an earlier call took along is under way already. */
  publish(message: QueuedMessage): void {
    const lane = this.#lanes.get(message.to);
    if (lane === undefined || lane.paused || lane.inFlight.size >= windowMessages) return;
    if (lane.inFlight.has(message.position)) return;
    const onlyThisWaits = this.#queue.pendingCount(message.to) === lane.inFlight.size + 1;
    if (onlyThisWaits) this.#handOver(lane, message);
    else this.#pump(lane);
  }

  acknowledge(recipient: Recipient, position: number): void {
    const lane = this.#lanes.get(recipient.agent);
    if (lane?.recipient !== recipient || !lane.inFlight.delete(position)) return;
    // The queue lets go of it first, or it would be handed over once more.
    this.#queue.settle(position).catch(() => {
      // Still on disk: it comes again after a restart, and the recipient knows it.
      return undefined;
    });
    if (lane.inFlight.size <= windowMessages / 2) this.#pump(lane);
  }

  isUnderWay(recipient: Recipient, position: number): boolean {
    const lane = this.#lanes.get(recipient.agent);
    return lane?.recipient === recipient && lane.inFlight.has(position);
  }

  #pump(lane: Lane): void {
    const room = windowMessages - lane.inFlight.size;
    if (room <= 0 || lane.paused) return;
    for (const message of this.#queue.pending(lane.recipient.agent, lane.inFlight, room)) {
      this.#handOver(lane, message);
    }
  }

  #handOver(lane: Lane, message: QueuedMessage): void {
    lane.inFlight.add(message.position);
    lane.recipient.deliver(message);
  }
}
