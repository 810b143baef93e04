// SPDX-License-Identifier: Apache-2.0
import type { FirewallCode } from './codes.ts';

/** The firewall is configured in a way that cannot work; the process does not start with it. */
export class FirewallError extends Error {
  readonly code: FirewallCode;
  constructor(code: FirewallCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'FirewallError';
    this.code = code;
  }
}
