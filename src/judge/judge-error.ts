// SPDX-License-Identifier: Apache-2.0
import type { JudgeCode } from './codes.ts';

/** A judge that cannot be set up, or a model that could not be asked. Never holds a key or a text. */
export class JudgeError extends Error {
  readonly code: JudgeCode;
  constructor(code: JudgeCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'JudgeError';
    this.code = code;
  }
}
