// SPDX-License-Identifier: Apache-2.0
import type { ToolCode } from './codes.ts';

/** A tool that cannot be used as configured, or a broken invariant of the gate. */
export class ToolError extends Error {
  readonly code: ToolCode;
  constructor(code: ToolCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ToolError';
    this.code = code;
  }
}
