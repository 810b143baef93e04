// SPDX-License-Identifier: Apache-2.0
import type { Step } from '../text/view.ts';

type Enforced = 'NO-GO' | 'ESCALATE';

export type HidingOf = {
  /** `hidden/base64+rot13`, outermost first. */
  readonly rule: string;
  /** What a match that was hidden like this amounts to. */
  readonly raise: (outcome: Enforced) => Enforced;
};

/** Nobody writes like this by accident: what was hidden so is meant. */
const deliberate: ReadonlySet<Step> = new Set([
  'invisible',
  'base64',
  'base32',
  'hex',
  'number-list',
  'gzip',
  'rot13',
]);

/**
 * What it means that a match was seen only after undoing these steps. Markup, escapes and letters
 * with marks are ordinary, so a match behind them counts as it is; behind an encoding a doubtful
 * match is a sure one.
 */
export function hidingOf(steps: readonly Step[]): HidingOf | null {
  if (steps.length === 0) return null;
  const isDeliberate = steps.some((step) => deliberate.has(step));
  return {
    rule: `hidden/${steps.join('+')}`,
    raise: (outcome) => (isDeliberate ? 'NO-GO' : outcome),
  };
}
