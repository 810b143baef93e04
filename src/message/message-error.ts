// SPDX-License-Identifier: Apache-2.0
import type { MessageCode } from './codes.ts';

/** A broken invariant: a value got here that the strict parser would have refused. */
export class MessageError extends Error {
  readonly code: MessageCode;
  constructor(code: MessageCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'MessageError';
    this.code = code;
  }
}
