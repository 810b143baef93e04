// SPDX-License-Identifier: Apache-2.0

/**
 * Keeps what several steps of one sender wait for in the order in which they came. A step that has
 * nothing to wait for, and nobody of its sender before it, does not wait at all.
 */
export class InOrder {
  readonly #last = new Map<string, Promise<unknown>>();

  /**
   * Null when the step may go on at once. Else resolves with what `work` gives, once every earlier
   * step of the same sender has gone on; never rejects unless `work` does.
   */
  turn<Value>(sender: string, work: Promise<Value> | null): Promise<Value | null> | null {
    const before = this.#last.get(sender);
    if (before === undefined && work === null) return null;
    const turn = Promise.all([work, before]).then(([value]) => value);
    const settled = turn.catch(() => undefined);
    this.#last.set(sender, settled);
    void settled.then(() => {
      if (this.#last.get(sender) === settled) this.#last.delete(sender);
    });
    return turn;
  }
}
