// SPDX-License-Identifier: Apache-2.0
import type { JsonObject, JsonValue } from './json.ts';

/**
 * What an agent-to-agent message may be (PG-1.4). An action request is an `instruction` whose
 * schema is `action-request/N`; the outcome of one is `data` with schema `action-outcome/N`.
 */
export type MessageType = 'data' | 'instruction' | 'claim';
export const messageTypes: readonly MessageType[] = ['data', 'instruction', 'claim'];

export type Classification = 'public' | 'internal' | 'confidential' | 'restricted';
export type Integrity = 'trusted' | 'internal' | 'untrusted';

/**
 * How sensitive a value is and where it came from. Stamped by the sidecar, never by the agent.
 * `origins` names root sources (`prompt`, `tool:mail`, `agent:triage`), sorted, at most 32; a
 * longer set becomes `['*']`, which no list of allowed origins contains.
 */
export type Label = {
  readonly classification: Classification;
  readonly integrity: Integrity;
  readonly origins: readonly string[];
};

/** How the agent is kept apart from its sidecar; `none` means the guarantees do not hold for it. */
export type Isolation = 'none' | 'uid' | 'container';

/** Epistemic fields of `claim` and `data` messages, as the sender states them. */
export type Epistemic = {
  readonly confidence: number | null;
  readonly assumptions: readonly string[];
  readonly unknowns: readonly string[];
};

/** Somebody whose instruction is in the causal context of a message. */
export type Principal = {
  /** Name in the mesh file; `*` stands for more than can be listed, and has no right at all. */
  readonly agent: string;
  /** Chain of a mandate that shows what it may ask for in this task; null where none is known. */
  readonly mandate: string | null;
};

/**
 * The signed body of one message. Every member is always present, unknown members are refused, and
 * the bytes that travel are its RFC 8785 form. Everything but `to`, `type`, `schema`, `domain`,
 * `payload`, `metadata`, `inReplyTo` and `epistemic` is stamped by the sender's sidecar; what the
 * agent says about itself is ignored.
 */
export type EnvelopeBody = {
  readonly v: 1;
  /** 26 characters of Crockford base32: 48 bits of milliseconds, 80 random bits (ULID). */
  readonly id: string;
  readonly type: MessageType;
  /** `name/major`, for example `action-request/1`. */
  readonly schema: string;
  /** Name of the sending agent in the mesh file. */
  readonly from: string;
  /** SPIFFE URI of the sending instance. */
  readonly instance: string;
  readonly to: string;
  readonly domain: string;
  /** One originator's request; minted by the mesh. */
  readonly task: string;
  /** 0 where the originator speaks; each hand-off adds one. */
  readonly hop: number;
  /** SHA-256 (base64url) over everything delivered to this incarnation before this message. */
  readonly causes: { readonly digest: string; readonly count: number };
  readonly inReplyTo: string | null;
  readonly label: Label;
  /** JSON Pointer into `payload` -> the declared sources whose whole value stands there. */
  readonly sources: { readonly [pointer: string]: readonly string[] };
  readonly provenance: {
    readonly source: 'user' | 'tool' | 'agent';
    readonly isolation: Isolation;
  };
  readonly epistemic: Epistemic | null;
  readonly metadata: { readonly [key: string]: string };
  /** Milliseconds since 1970. */
  readonly issuedAt: number;
  readonly expiresAt: number;
  /** 128 random bits, base64url. */
  readonly nonce: string;
  /**
   * Chain of the mandate: on an action request the one it acts under, on another instruction the one
   * that is given to the recipient. Null where nothing is asked for or passed on.
   */
  readonly mandate: string | null;
  /**
   * On instructions, who else's instructions led to it: ascending by agent, at most 32. Stamped from
   * what was delivered to the sender's process, never from its word.
   */
  readonly principals: readonly Principal[];
  /** SHA-256 (base64url) of the task's originating prompt. */
  readonly goalHash: string | null;
  readonly payload: JsonValue;
};

/**
 * A signed envelope as it travels: compact JWS (RFC 7515), `alg` that of the signer's key (`EdDSA`
 * by default), `typ` `maso-envelope+jws`, `x5t#S256` the thumbprint of the signer's X.509-SVID,
 * payload the canonical bytes of the body. What is sealed follows after a tilde, in base64url; then
 * the header's `item` is its SHA-256.
 */
export type SignedEnvelope = string;

/** What the sending agent itself may choose. */
export type Outgoing = {
  readonly to: string;
  readonly type: MessageType;
  readonly schema: string;
  readonly domain: string | null;
  readonly payload: JsonValue;
  readonly metadata: { readonly [key: string]: string };
  readonly inReplyTo: string | null;
  readonly epistemic: Epistemic | null;
  readonly task: string | null;
};

export type EnvelopePayload = JsonObject;
