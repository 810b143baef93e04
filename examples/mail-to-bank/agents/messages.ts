// SPDX-License-Identifier: Apache-2.0
import type { Message } from '../../../src/sdk/join-mesh.ts';

export type Details = { readonly invoice: string; readonly payee: string; readonly amount: number };

/** What the agents say to each other; the schemas of the same names are in `schemas/`. */
export type Payloads = {
  readonly 'invoice-order/1': { readonly mail: string } & Partial<Details>;
  readonly 'read-mail/1': { readonly mail: string };
  readonly 'mail-report/1': {
    readonly read: boolean;
    readonly attachment: string | null;
    readonly details: Details | null;
    readonly instructions: readonly Details[];
    readonly forward: Forward | null;
  };
  readonly 'check-invoice/1': { readonly mail: string; readonly attachment: string | null };
  readonly 'invoice-finding/1': {
    readonly agrees: boolean;
    readonly details: Details | null;
    readonly instructions: readonly Details[];
  };
  readonly 'order-result/1': {
    readonly status: 'PAID' | 'NOT-PAID' | 'HELD';
    readonly code: string | null;
    readonly request: string | null;
  };
};

export type Forward = { readonly how: 'message' | 'request' | 'payee'; readonly text: string };

/** The payload under its schema, or null for another one. The sidecar has checked it already. */
export function payloadOf<Schema extends keyof Payloads>(
  message: Message,
  schema: Schema,
): Payloads[Schema] | null {
  return message.schema === schema ? (message.payload as Payloads[Schema]) : null;
}
