// SPDX-License-Identifier: Apache-2.0
import type { ScannerCode } from './codes.ts';

/** A rule, pattern or schema that cannot be used; the process does not start with it. */
export class ScannerError extends Error {
  readonly code: ScannerCode;
  constructor(code: ScannerCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ScannerError';
    this.code = code;
  }
}
