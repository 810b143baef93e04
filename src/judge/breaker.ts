// SPDX-License-Identifier: Apache-2.0

export type BreakerLimits = { readonly failures: number; readonly openMs: number };

/**
 * Leaves a model alone that failed several times in a row. After `openMs` one call may try it: when
 * that one succeeds it is closed again, else open for as long.
 */
export class JudgeBreaker {
  readonly #limits: BreakerLimits;
  #failures = 0;
  #openUntilMs: number | null = null;

  constructor(limits: BreakerLimits) {
    this.#limits = limits;
  }

  /** Whether a call may begin now; one that may try an open breaker keeps the others out. */
  admits(nowMs: number): boolean {
    if (this.#openUntilMs === null) return true;
    if (!(nowMs >= this.#openUntilMs)) return false;
    this.#openUntilMs = nowMs + this.#limits.openMs;
    return true;
  }

  succeeded(): void {
    this.#failures = 0;
    this.#openUntilMs = null;
  }

  failed(nowMs: number): void {
    this.#failures += 1;
    if (this.#failures >= this.#limits.failures) this.#openUntilMs = nowMs + this.#limits.openMs;
  }
}
