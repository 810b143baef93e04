// SPDX-License-Identifier: Apache-2.0
import type { ProtectionCode } from './codes.ts';

/** Nothing could be decided, because something that it takes is not there. Holds no key or payload. */
export class ProtectionError extends Error {
  override readonly name = 'ProtectionError';
  readonly code: ProtectionCode;

  constructor(code: ProtectionCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
