// SPDX-License-Identifier: Apache-2.0
import { actionOutcomeSchema } from '../message/action-request.ts';
import type { InboxMessage } from './ports.ts';

/** Messages held for the agent, and characters of their JSON text; beyond either the bus waits. */
export const undeliveredMax = 10_000;
const undeliveredLengthMax = 64 * 1024 * 1024;

type Waiting = { readonly message: InboxMessage; readonly length: number };
type Asked = { readonly executor: string; readonly settle: (message: InboxMessage | null) => void };

/** Messages that wait for the agent to fetch them, in the order in which the bus admitted them. */
export class Inbox {
  #waiting: Waiting[] = [];
  #length = 0;
  readonly #waitingForMessage = new Set<() => void>();
  readonly #waitingForRoom = new Set<() => void>();
  /** Who waits for the answer to a request, by the request's id. */
  readonly #asked = new Map<string, Asked>();

  /**
   * Up to `max` messages, waiting for the first one until `signal` fires or `isLive` is false. One
   * that `goesAlone` is taken by itself.
   */
  async take(
    max: number,
    signal: AbortSignal,
    isLive: () => boolean,
    goesAlone: (message: InboxMessage) => boolean = () => false,
  ): Promise<readonly InboxMessage[]> {
    while (this.#waiting.length === 0 && !signal.aborted && isLive()) {
      await wakeOf(this.#waitingForMessage, signal);
    }
    if (!isLive()) return [];
    const alone = this.#waiting.slice(0, max).findIndex(({ message }) => goesAlone(message));
    return this.#remove(0, alone < 0 ? max : Math.max(1, alone));
  }

  /** Resolves once there is room for another one: so the sender is held back. */
  async add(message: InboxMessage): Promise<void> {
    if (this.#answers(message)) return;
    this.#waiting.push(this.#weigh(message));
    this.wake();
    while (!this.#hasRoom()) await wakeOf(this.#waitingForRoom);
  }

  /** Puts what was not handed over in front, except what waits already. */
  putBack(messages: readonly InboxMessage[]): void {
    const known = new Set(this.#waiting.map(({ message }) => message.body.id));
    const missing = messages.filter(({ body }) => !known.has(body.id));
    this.#waiting.unshift(...missing.map((message) => this.#weigh(message)));
    this.wake();
  }

  /** Takes out what is not to be handed over any more. */
  drop(ids: readonly string[]): void {
    const dropped = new Set(ids);
    const kept = this.#waiting.filter(({ message }) => !dropped.has(message.body.id));
    if (kept.length === this.#waiting.length) return;
    this.#waiting = kept;
    this.#length = kept.reduce((sum, { length }) => sum + length, 0);
    for (const wake of this.#waitingForRoom) wake();
  }

  /** Lets everybody who waits for a message look again. */
  wake(): void {
    for (const wake of this.#waitingForMessage) wake();
  }

  /**
   * Resolves with the executor's answer to a request, also one that came before anybody asked for
   * it, or null when `signal` fires first.
   */
  outcomeOf(
    requestId: string,
    executor: string,
    signal: AbortSignal,
  ): Promise<InboxMessage | null> {
    const here = this.#waiting.findIndex(({ message }) => isAnswer(message, requestId, executor));
    if (here >= 0) return Promise.resolve(this.#remove(here, 1)[0] ?? null);
    if (signal.aborted) return Promise.resolve(null);
    return new Promise((resolve) => {
      const settle = (message: InboxMessage | null): void => {
        if (this.#asked.delete(requestId)) resolve(message);
      };
      this.#asked.set(requestId, { executor, settle });
      signal.addEventListener('abort', () => settle(null), { once: true });
    });
  }

  #answers(message: InboxMessage): boolean {
    const requestId = message.body.inReplyTo ?? '';
    const asked = this.#asked.get(requestId);
    if (asked === undefined || !isAnswer(message, requestId, asked.executor)) return false;
    asked.settle(message);
    return true;
  }

  #hasRoom(): boolean {
    return this.#waiting.length < undeliveredMax && this.#length < undeliveredLengthMax;
  }

  #weigh(message: InboxMessage): Waiting {
    const { length } = JSON.stringify(message.body.payload);
    this.#length += length;
    return { message, length };
  }

  #remove(from: number, count: number): readonly InboxMessage[] {
    const removed = this.#waiting.splice(from, count);
    for (const { length } of removed) this.#length -= length;
    for (const wake of this.#waitingForRoom) wake();
    return removed.map(({ message }) => message);
  }
}

function isAnswer({ body }: InboxMessage, requestId: string, executor: string): boolean {
  return (
    body.schema === actionOutcomeSchema && body.inReplyTo === requestId && body.from === executor
  );
}

/** Resolves when somebody wakes the set, or `signal` fires. */
export function wakeOf(sleepers: Set<() => void>, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const wake = (): void => {
      sleepers.delete(wake);
      signal?.removeEventListener('abort', wake);
      resolve();
    };
    sleepers.add(wake);
    signal?.addEventListener('abort', wake);
  });
}
