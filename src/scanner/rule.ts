// SPDX-License-Identifier: Apache-2.0
import type { ScannerCode } from './codes.ts';

/**
 * One shipped rule. The expression is tried only where one of the keywords stands, from `before`
 * characters ahead of it, and every repetition in it is bounded: cost does not grow with the text.
 */
export type Rule = {
  /** `secret/github-token`; unique. */
  readonly id: string;
  readonly code: ScannerCode;
  readonly outcome: 'NO-GO' | 'ESCALATE';
  /** Lower-case ASCII, found whatever the case of the text. */
  readonly keywords: readonly string[];
  /** Sticky when `before` is 0: it starts at the keyword. */
  readonly expression: RegExp;
  readonly before: number;
  /** True when no letter or digit may stand before the match. */
  readonly wordStart: boolean;
  /**
   * Says whether a match is the real thing. When it is not, the finding has `otherwise` instead of
   * `outcome`, or there is none.
   */
  readonly verify: ((match: string) => boolean) | null;
  readonly otherwise: 'ESCALATE' | null;
  /** Weak rules do not speak about what a person writes to an agent of their own. */
  readonly appliesToUser: boolean;
};
