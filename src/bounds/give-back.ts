// SPDX-License-Identifier: Apache-2.0
import { doubtOf, keepMs } from './allot.ts';
import type { Allotment, Ledger } from './ledger.ts';

/**
 * The requests that were told that this call is in doubt, as of now: they asked for the same call
 * under one key, so they hold one allotment with it. Asked for before a settlement is sent: whoever
 * asks later may run, and keeps its charge.
 */
export function doubtfulHolders(
  ledger: Ledger,
  executor: string,
  call: string,
): readonly string[] {
  const told = heldBy(ledger, executor, call)
    .flatMap(({ id }) => ledger.allotment(doubtOf(id))?.holders ?? []);
  return [...new Set([call, ...told])];
}

/**
 * An operator found that a call in doubt did not run, and its executor has taken that: what it was
 * charged comes back, unless somebody beside those in doubt holds it too. Once; an allotment that is
 * forgotten by now stays charged until it leaves its window, which is the safe side.
 */
export function giveBackDoubt(
  ledger: Ledger,
  executor: string,
  call: string,
  doubtful: readonly string[],
  nowMs: number,
): void {
  for (const allotment of heldBy(ledger, executor, call)) {
    const others = allotment.holders.filter((holder) => !doubtful.includes(holder));
    if (others.length > 0) {
      ledger.saveAllotment({ ...allotment, holders: others }, nowMs + keepMs);
      continue;
    }
    for (const charged of allotment.charged) ledger.takeBack(charged);
    ledger.dropAllotment(allotment.id);
    ledger.dropAllotment(doubtOf(allotment.id));
  }
}

/** Of this executor only: another one's word says nothing about its calls. */
function heldBy(ledger: Ledger, executor: string, call: string): readonly Allotment[] {
  return ledger.heldBy(call).filter((allotment) => allotment.executor === executor);
}
