// SPDX-License-Identifier: Apache-2.0

/**
 * How many of the accounts of deliveries that came on one line are on record, from the first on
 * without a gap. They become durable in any order: a refusal may wait for the digest that counts it.
 */
export class Accounts {
  #begun = 0;
  #prefix = 0;
  readonly #done = new Set<number>();

  get count(): number {
    return this.#prefix;
  }

  /** Takes up the next one; what it returns is called once that is on record, and does `then`. */
  begin(then: () => void): () => void {
    const place = this.#begun;
    this.#begun += 1;
    return () => {
      this.#done.add(place);
      while (this.#done.delete(this.#prefix)) this.#prefix += 1;
      then();
    };
  }
}
