// SPDX-License-Identifier: Apache-2.0
import type { Epistemic, Message } from '../../../src/sdk/join-mesh.ts';

export type Growth = 'below-consensus' | 'at-consensus' | 'above-consensus';
export type Rating = 'buy' | 'hold' | 'sell';

/** What the agents say to each other; the schemas of the same names are in the mesh file. */
export type Payloads = {
  readonly 'research-order/1': { readonly ticker: string };
  readonly 'collect/1': { readonly ticker: string };
  readonly 'clear/1': { readonly ticker: string };
  readonly 'figures/1': { readonly ticker: string; readonly revenue: number; readonly consensus: number; readonly growth: number };
  readonly 'analysis/1': { readonly ticker: string; readonly revenue: number; readonly rating: Rating };
  readonly 'risk/1': { readonly ticker: string; readonly growth: Growth };
  readonly 'draft/1': { readonly ticker: string; readonly rating: Rating; readonly growth: Growth };
  readonly 'challenge-answer/1': { readonly standing: 'stands' | 'doubtful' | 'falls' };
  readonly 'research-result/1': {
    readonly status: 'PUBLISHED' | 'NOTED' | 'STOPPED';
    readonly code: string | null;
    readonly request: string | null;
  };
};

/** The payload under its schema, or null for another one. The sidecar has checked it already. */
export function payloadOf<Schema extends keyof Payloads>(
  message: Message,
  schema: Schema,
): Payloads[Schema] | null {
  return message.schema === schema ? (message.payload as Payloads[Schema]) : null;
}

/** How sure a message may say that it is, as it was told. */
export function toldBy(messages: readonly Message[]): Epistemic {
  const told = messages.flatMap(({ epistemic }) => epistemic ?? []);
  const all = (pick: (one: Epistemic) => readonly string[]): readonly string[] =>
    [...new Set(told.flatMap(pick))];
  return {
    confidence: Math.min(1, ...told.map(({ confidence }) => confidence ?? 1)),
    assumptions: all(({ assumptions }) => assumptions),
    unknowns: all(({ unknowns }) => unknowns),
  };
}
