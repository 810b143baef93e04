// SPDX-License-Identifier: Apache-2.0

/** Places for questions that are asked at one time, and a bounded line of those that wait for one. */
export class Slots {
  readonly #max: number;
  readonly #queueMax: number;
  readonly #waiting = new Set<(entered: boolean) => void>();
  #taken = 0;

  constructor(max: number, queueMax: number) {
    this.#max = max;
    this.#queueMax = queueMax;
  }

  /** True once there is a place; false at once when the line is full, and when the signal fires. */
  async enter(signal: AbortSignal): Promise<boolean> {
    if (this.#taken < this.#max) {
      this.#taken += 1;
      return true;
    }
    if (signal.aborted || this.#waiting.size >= this.#queueMax) return false;
    return new Promise<boolean>((resolve) => {
      const settle = (entered: boolean): void => {
        this.#waiting.delete(settle);
        signal.removeEventListener('abort', leave);
        resolve(entered);
      };
      const leave = (): void => settle(false);
      this.#waiting.add(settle);
      signal.addEventListener('abort', leave);
    });
  }

  /** Owed once for each `enter` that gave true. */
  leave(): void {
    const [next] = this.#waiting;
    if (next === undefined) this.#taken -= 1;
    else next(true);
  }
}
