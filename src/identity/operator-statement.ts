// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import { canonicalize } from '../message/canonical-json.ts';
import type { JsonObject, JsonValue } from '../message/json.ts';
import { defaultJsonLimits, parseStrictJson } from '../message/strict-json.ts';
import type { IdentityCode } from './codes.ts';
import { IdentityError } from './identity-error.ts';
import { signCompactJws, splitCompactJws, verifyCompactJws } from './jws.ts';
import { readPublicJwk, type OperatorKey } from './operator-key.ts';

/** One kind of statement that an operator may sign; no signature over one kind holds for another. */
export type StatementKind<Statement extends { readonly operator: string }> = {
  /** `typ` of the JWS header. */
  readonly typ: string;
  /** Code of a statement that is not one of this kind. */
  readonly malformed: IdentityCode;
  /** The statement, or null unless the value is exactly one; unknown members are refused. */
  readonly read: (value: JsonValue) => Statement | null;
};

export type VerifiedStatement<Statement> =
  | { readonly ok: true; readonly statement: Statement }
  | { readonly ok: false; readonly code: IdentityCode };

const operatorForm = /^[A-Za-z0-9][A-Za-z0-9._@+-]{0,127}$/;
const reasonLengthMax = 500;
const jwsLengthMax = 8_192;
const jsonLimits = { ...defaultJsonLimits, bytesMax: 4_096, depthMax: 3 };
const headerPrefix = '{"alg":"EdDSA","kid":"';

/**
 * Signs a statement as compact JWS; `kid` is the operator's name in the mesh file. Throws
 * `IdentityError` with the kind's own code when the statement is not one that verifies.
 */
export function signStatement<Statement extends { readonly operator: string } & JsonObject>(
  kind: StatementKind<Statement>,
  statement: Statement,
  key: OperatorKey,
): string {
  if (kind.read(statement) === null) {
    throw new IdentityError(kind.malformed, 'The statement is out of bounds.');
  }
  const header = Buffer.from(headerPrefix + statement.operator + suffixOf(kind), 'latin1');
  return signCompactJws(header.toString('base64url'), canonicalize(statement), key.privateKey);
}

/**
 * Believes a statement only when the operator whom it names signed exactly these bytes. As with
 * envelopes, the header is compared byte for byte and nothing is parsed before the signature holds.
 * `publicKeyOf` gives the operator's public JWK of the mesh file, or null. Never throws.
 */
export function verifyStatement<Statement extends { readonly operator: string }>(
  kind: StatementKind<Statement>,
  signed: string,
  publicKeyOf: (operator: string) => JsonObject | null,
): VerifiedStatement<Statement> {
  const parts = signed.length <= jwsLengthMax ? splitCompactJws(signed) : null;
  const operator = parts === null ? null : operatorOf(parts.header, suffixOf(kind));
  if (parts === null || operator === null) return refuse(kind.malformed);
  const jwk = publicKeyOf(operator);
  if (jwk === null) return refuse('IDENTITY_OPERATOR_UNKNOWN');
  const publicKey = readPublicJwk(jwk);
  if (publicKey === null) return refuse('IDENTITY_OPERATOR_KEY_INVALID');
  if (!verifyCompactJws(parts, 'EdDSA', publicKey)) return refuse('IDENTITY_DECISION_SIGNATURE_INVALID');
  const json = parseStrictJson(parts.payload, jsonLimits);
  const statement = json.ok && json.canonical ? kind.read(json.value) : null;
  if (statement === null || statement.operator !== operator) return refuse(kind.malformed);
  return { ok: true, statement };
}

/** Who makes a statement, when on their machine (milliseconds since 1970), and why. */
export type Maker = { readonly operator: string; readonly at: number; readonly reason: string };

/** Null unless name, time and reason (500 characters at most, empty when none) are in bounds. */
export function readMaker(operator: unknown, at: unknown, reason: unknown): Maker | null {
  if (typeof operator !== 'string' || !operatorForm.test(operator)) return null;
  if (typeof at !== 'number' || !Number.isSafeInteger(at) || at < 0) return null;
  if (typeof reason !== 'string' || reason.length > reasonLengthMax) return null;
  return reason.isWellFormed() ? { operator, at, reason } : null;
}

function suffixOf({ typ }: { readonly typ: string }): string {
  return `","typ":"${typ}"}`;
}

function operatorOf(header: string, suffix: string): string | null {
  if (!header.startsWith(headerPrefix) || !header.endsWith(suffix)) return null;
  const operator = header.slice(headerPrefix.length, -suffix.length);
  return operatorForm.test(operator) ? operator : null;
}

function refuse(code: IdentityCode): { readonly ok: false; readonly code: IdentityCode } {
  return { ok: false, code };
}
