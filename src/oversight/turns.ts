// SPDX-License-Identifier: Apache-2.0

/**
 * Runs one work after the other. Between what a work read and what it writes lies a wait for the
 * disk; two decisions on one action must not both start from the state before either.
 */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  /** Settles as the work does; one that fails does not hold up the next. */
  take<Value>(work: () => Promise<Value>): Promise<Value> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => undefined);
    return turn;
  }
}
