// SPDX-License-Identifier: Apache-2.0

/**
 * How long a refusal still waits before its agent hears it, ms, so that all of them are answered at
 * whole multiples of `gridMs` after they were asked: the time that one took says which control spoke,
 * and with it whether a recipient, a value or a clearance exists (DP-1.2, seed 003). 0 where there is
 * no grid. The attacker chooses what is asked, and sees the clock.
 */
export function waitForGridMs(elapsedMs: number, gridMs: number): number {
  if (!(gridMs > 0)) return 0;
  const steps = Math.max(1, Math.ceil(Math.max(0, elapsedMs) / gridMs));
  return Math.max(0, steps * gridMs - elapsedMs);
}
