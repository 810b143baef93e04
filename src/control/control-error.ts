// SPDX-License-Identifier: Apache-2.0
import type { ControlCode } from './codes.ts';

/** The control plane, or a sidecar's way to it, cannot go on; nothing was granted. */
export class ControlError extends Error {
  readonly code: ControlCode;
  constructor(code: ControlCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ControlError';
    this.code = code;
  }
}
