// SPDX-License-Identifier: Apache-2.0
import type { IdentityCode } from './codes.ts';

/**
 * Broken configuration, broken key files and failed issuance. A peer's bad input on the message
 * path is a value with a code instead. The message never holds key material or a token.
 */
export class IdentityError extends Error {
  readonly code: IdentityCode;
  constructor(code: IdentityCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'IdentityError';
    this.code = code;
  }
}
