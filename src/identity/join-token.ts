// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import { canonicalize } from '../message/canonical-json.ts';
import type { Random } from '../message/clock.ts';
import { isDigest, isName } from '../message/identifiers.ts';
import { isJsonObject } from '../message/json.ts';
import { parseStrictJson } from '../message/strict-json.ts';
import type { IdentityCode } from './codes.ts';
import { IdentityError } from './identity-error.ts';
import { decodeBase64Url } from './jws.ts';

/** What a join token says in the clear, for the one who joins. The node believes none of it. */
export type JoinTokenClaims = {
  readonly agent: string;
  /** `host:port` of the node's enrolment server. */
  readonly address: string;
  /** SHA-256 (base64url) over the DER of the authority's certificate; pins the node's TLS. */
  readonly caHash: string;
  /** Milliseconds since 1970. */
  readonly expiresAtMs: number;
};

/** What the node keeps of a join token. The secret itself is nowhere at rest. */
export type JoinTokenRecord = {
  /** SHA-256 (base64url) over the secret's text. */
  readonly secretDigest: string;
  readonly agent: string;
  readonly expiresAtMs: number;
};

export type JoinTokenUse =
  | 'ACCEPTED'
  | 'IDENTITY_JOIN_TOKEN_UNKNOWN'
  | 'IDENTITY_JOIN_TOKEN_SPENT'
  | 'IDENTITY_JOIN_TOKEN_EXPIRED'
  | 'IDENTITY_JOIN_TOKEN_WRONG_AGENT';

/**
 * Remembers join tokens. `add` resolves when the record is durable and rejects otherwise.
 *
 * `consume` answers ACCEPTED at most once for a secret, ever: of two calls at the same time one
 * gets SPENT, and an ACCEPTED that resolved survives `kill -9`. An attempt for another agent spends
 * the token too, because whoever made it holds what is not theirs. UNKNOWN before SPENT before
 * EXPIRED (unless `nowMs < expiresAtMs`) before WRONG_AGENT. It rejects when durability fails; then
 * the caller refuses. Spent and expired records are kept at least a day, so that a theft can be
 * told from a typing error.
 */
export interface JoinTokenStore {
  add(record: JoinTokenRecord): Promise<void>;
  consume(secretDigest: string, agent: string, nowMs: number): Promise<JoinTokenUse>;
}

export type JoinTokenReading =
  | { readonly ok: true; readonly claims: JoinTokenClaims; readonly secret: string }
  | { readonly ok: false; readonly code: IdentityCode };

const prefix = 'maso1';
const secretBytes = 32;
const tokenLengthMax = 2_048;
const addressForm = /^(?:[a-zA-Z0-9.-]{1,253}|\[[0-9a-fA-F:.]{2,45}\]):[0-9]{1,5}$/;

/**
 * Makes a token `maso1.CLAIMS.SECRET` and the record that the node keeps of it. Throws
 * IDENTITY_JOIN_TOKEN_MALFORMED when the claims could not be read back.
 */
export function mintJoinToken(
  claims: JoinTokenClaims,
  random: Random,
): { readonly token: string; readonly record: JoinTokenRecord } {
  const secret = Buffer.from(random.bytes(secretBytes)).toString('base64url');
  const text = Buffer.from(canonicalize({ ...claims }), 'utf8').toString('base64url');
  const token = `${prefix}.${text}.${secret}`;
  if (!parseJoinToken(token).ok) {
    throw new IdentityError('IDENTITY_JOIN_TOKEN_MALFORMED', 'These claims make no token.');
  }
  const { agent, expiresAtMs } = claims;
  return { token, record: { secretDigest: joinSecretDigest(secret), agent, expiresAtMs } };
}

/** Reads a token as strictly as it is written. Expiry is the caller's to check. */
export function parseJoinToken(token: string): JoinTokenReading {
  if (token.length > tokenLengthMax) return malformed;
  const [mark, text, secret, ...rest] = token.split('.', 4);
  if (mark !== prefix || text === undefined || secret === undefined || rest.length > 0) {
    return malformed;
  }
  const bytes = decodeBase64Url(text);
  if (bytes === null || decodeBase64Url(secret)?.length !== secretBytes) return malformed;
  const json = parseStrictJson(bytes);
  if (!json.ok || !json.canonical || !isJsonObject(json.value)) return malformed;
  const { agent, address, caHash, expiresAtMs, ...unknown } = json.value;
  if (Object.keys(unknown).length > 0) return malformed;
  if (typeof agent !== 'string' || !isName(agent)) return malformed;
  if (typeof address !== 'string' || !addressForm.test(address)) return malformed;
  if (typeof caHash !== 'string' || !isDigest(caHash)) return malformed;
  if (typeof expiresAtMs !== 'number' || !Number.isSafeInteger(expiresAtMs)) return malformed;
  return { ok: true, claims: { agent, address, caHash, expiresAtMs }, secret };
}

/** What the node looks a secret up by; the lookup time of a digest tells nothing of the secret. */
export function joinSecretDigest(secret: string): string {
  return createHash('sha256').update(secret, 'utf8').digest('base64url');
}

const malformed = { ok: false, code: 'IDENTITY_JOIN_TOKEN_MALFORMED' } as const;
