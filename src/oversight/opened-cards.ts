// SPDX-License-Identifier: Apache-2.0

const openedMax = 20_000;

/**
 * When each operator first opened each card, so that the time to decide is that of the person and
 * not of the queue. Kept in memory: after a restart a card was not opened yet.
 */
export class OpenedCards {
  readonly #openedAt = new Map<string, number>();

  note(approval: string, operator: string, nowMs: number): void {
    const key = `${approval} ${operator}`;
    if (this.#openedAt.has(key)) return;
    this.#openedAt.set(key, nowMs);
    const [oldest] = this.#openedAt.keys();
    if (this.#openedAt.size > openedMax && oldest !== undefined) this.#openedAt.delete(oldest);
  }

  /** Milliseconds since 1970; null where the card was not opened, as in a terminal. */
  at(approval: string, operator: string): number | null {
    return this.#openedAt.get(`${approval} ${operator}`) ?? null;
  }
}
