// SPDX-License-Identifier: Apache-2.0
import type { PolicyCode } from './codes.ts';

/** Where a Cedar policy is wrong: its id and the character in its text, when that is known. */
export type PolicyFault = {
  readonly policy: string;
  readonly offset: number | null;
  readonly reason: string;
};

/** Policies that cannot be used; it stops the start. */
export class PolicyError extends Error {
  readonly code: PolicyCode;
  readonly faults: readonly PolicyFault[];
  constructor(
    code: PolicyCode,
    message: string,
    faults: readonly PolicyFault[] = [],
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'PolicyError';
    this.code = code;
    this.faults = faults;
  }
}
