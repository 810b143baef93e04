// SPDX-License-Identifier: Apache-2.0
import type { JsonValue } from '../message/json.ts';

/** Longest chain, in characters: what an envelope carries in `mandate`. */
export const chainLengthMax = 16_384;
/** Hops after the originator, without and with a person's approval (DESIGN 6.3). */
export const depthDefault = 2;
export const depthMax = 3;

/** Bounds on the payload of one block; `schema/mandate.json` states the same ones. */
export const mandateBounds = {
  payloadBytesMax: 8_192,
  rightsMax: 32,
  parametersMax: 16,
  valuesMax: 64,
  textLengthMax: 256,
  referencesMax: 4,
  ratesMax: 4,
  countMax: 1_000_000_000,
  windowMsMax: 7 * 24 * 3_600_000,
} as const;

/** Closed set: formats that JSON Schema defines and whose check is linear on bounded text. */
export const mandateFormats = [
  'date',
  'date-time',
  'email',
  'hostname',
  'ipv4',
  'ipv6',
  'time',
  'uuid',
] as const;
export type MandateFormat = (typeof mandateFormats)[number];

/** A field of a trusted message, by the message's id or by the id of its schema. */
export type FieldReference = {
  readonly message: string;
  /** JSON Pointer (RFC 6901) into the payload. */
  readonly pointer: string;
};

/**
 * What one parameter may be. Every member that is present must hold; a narrower constraint states
 * every member of the wider one. A constrained parameter must be present unless `absent` is true.
 */
export type Constraint = {
  readonly absent?: true;
  /** The value is a list of at least one item, and the other members bind every item. */
  readonly each?: true;
  /** Ascending by canonical text, none twice. */
  readonly oneOf?: readonly Scalar[];
  /** Inclusive bounds on a number. */
  readonly min?: number;
  readonly max?: number;
  /** A number from 0 to this. */
  readonly atMost?: number;
  /** Ascending; the value is text of every one of them. */
  readonly formats?: readonly MandateFormat[];
  /** Ascending by canonical text; the value equals every one of these fields. */
  readonly equalTo?: readonly FieldReference[];
};

export type Scalar = string | number | boolean;

/** At most `count` uses in any `windowMs` milliseconds. */
export type Rate = { readonly count: number; readonly windowMs: number };

/** What all uses under one mandate, and under all that were narrowed from it, share. */
export type Limits = {
  readonly count: number | null;
  /** Parameter -> highest sum over all uses. */
  readonly totals: { readonly [parameter: string]: number };
  /** Ascending by window, then by count. */
  readonly rates: readonly Rate[];
};

type Scope = {
  readonly action: string;
  /** Parameters that are not named here are not this mandate's to bind. */
  readonly constraints: { readonly [parameter: string]: Constraint };
  readonly limits: Limits;
};

/** To do the action oneself. */
export type PerformRight = Scope & { readonly right: 'perform' };
/** To ask `executor` for the action; it says nothing about what the holder may do itself. */
export type RequestRight = Scope & { readonly right: 'request'; readonly executor: string };
export type Right = PerformRight | RequestRight;

/** What a delegator grants a delegate. */
export type MandateTerms = {
  /** Who receives it: an agent's name in the mesh file, or the SPIFFE id of one instance. */
  readonly audience: string;
  /** ULID of the one task that it serves. */
  readonly task: string;
  /** The person who answers for the task. */
  readonly sponsor: string;
  /** Ascending by `rightKey`, none twice. */
  readonly rights: readonly Right[];
  /** Milliseconds since 1970; valid from `notBefore` until just before `expiresAt`. */
  readonly notBefore: number;
  readonly expiresAt: number;
  /** Schema id of the result that is expected; null when none is. */
  readonly output: string | null;
  /** Hops after the originator that the chain may have, this one included. */
  readonly maxDepth: number;
  /** Reference to the human approval of a depth of 3; null below that. */
  readonly approval: string | null;
  /** Digest of the delegate's OISpec; null when it has none. */
  readonly oispec: string | null;
};

/** The signed payload of one block: the terms, who grants them, and all that came before. */
export type MandateBlock = MandateTerms & {
  readonly v: 1;
  /** SPIFFE id of the signer, or `operator:NAME`. */
  readonly issuer: string;
  /** SHA-256 (base64url) over the text of all blocks before this one; null in the first. */
  readonly parent: string | null;
};

/** Limits that one mandate of the chain sets; uses are charged to each of them. */
export type Budget = { readonly mandate: string; readonly rights: readonly Right[] };

/** What a whole chain grants its last delegate: the intersection of all its blocks. */
export type EffectiveMandate = MandateTerms & {
  /** SHA-256 (base64url) over the whole chain: what is revoked, recorded and charged. */
  readonly id: string;
  /** Ids of all mandates of the chain, first to last; revoking any one revokes this. */
  readonly lineage: readonly string[];
  /** `operator:NAME`, `node:NAME` or `agent:NAME` of the originator, then every delegate. */
  readonly path: readonly string[];
  /** Hops after the originator. */
  readonly depth: number;
  readonly budgets: readonly Budget[];
};

/** One name for a right: no mandate holds two rights of one key. */
export function rightKey(right: Right): string {
  return right.right === 'perform'
    ? `perform ${right.action}`
    : `request ${right.executor} ${right.action}`;
}

export function isScalar(value: JsonValue): value is Scalar {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}

export const noLimits: Limits = { count: null, totals: {}, rates: [] };
