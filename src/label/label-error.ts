// SPDX-License-Identifier: Apache-2.0
import type { LabelCode } from './codes.ts';

/** State that this folder wrote does not read back; nobody can say what the agent has read. */
export class LabelError extends Error {
  readonly code: LabelCode;
  constructor(code: LabelCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'LabelError';
    this.code = code;
  }
}
