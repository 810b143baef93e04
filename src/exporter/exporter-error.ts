// SPDX-License-Identifier: Apache-2.0
import type { ExporterCode } from './codes.ts';

/** An exporter that cannot start as configured. Deliveries that fail are values, not this. */
export class ExporterError extends Error {
  readonly code: ExporterCode;
  constructor(code: ExporterCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ExporterError';
    this.code = code;
  }
}
