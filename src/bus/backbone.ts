// SPDX-License-Identifier: Apache-2.0
import type { QueuedMessage } from './message-queue.ts';

/** One connected recipient, as the backbone needs it. */
export type Recipient = {
  readonly agent: string;
  /** Hands a message to the connection; the recipient acknowledges it by its position. */
  readonly deliver: (message: QueuedMessage) => void;
};

/**
 * Brings admitted messages to the node that their recipient is connected to. Each node is the only
 * writer of its own queue; what is published is durable there already, with its record.
 *
 * Deliveries are at least once, in the order of admission per recipient, with a bounded number
 * under way as back-pressure. What is not acknowledged when a recipient stops watching is delivered
 * again to the next that watches under the same name; recipients de-duplicate by message id. No
 * method throws or waits.
 */
export interface Backbone {
  /** Once per message, after its queue has released it. */
  publish(message: QueuedMessage): void;
  /** Begins deliveries; whoever watched under this name before gets no more. */
  watch(recipient: Recipient): void;
  /**
   * Keeps messages back until `resume`; what is under way stays so. A recipient that lags behind in
   * its policy would judge them under what is no longer in force.
   */
  pause(recipient: Recipient): void;
  resume(recipient: Recipient): void;
  /** Ends deliveries to this recipient; a later one of the same name is not touched. */
  unwatch(recipient: Recipient): void;
  /**
   * The recipient has the message durably: it is settled in its queue, durable soon. Ignored for
   * what is not under way to this recipient: nobody settles another's messages.
   */
  acknowledge(recipient: Recipient, position: number): void;
  /** True when this recipient was handed the message and has not acknowledged it. */
  isUnderWay(recipient: Recipient, position: number): boolean;
}
