// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import { canonicalize } from '../message/canonical-json.ts';
import { isJsonObject } from '../message/json.ts';
import type { JsonObject, JsonValue } from '../message/json.ts';
import { defaultJsonLimits, parseStrictJson } from '../message/strict-json.ts';
import type { IdentityCode } from './codes.ts';
import { isAssertionOver, passkeyChallenge, readPasskeyJwk } from './passkey-assertion.ts';
import { IdentityError } from './identity-error.ts';
import { decodeBase64Url, signCompactJws, splitCompactJws, verifyCompactJws } from './jws.ts';
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
const jsonLimits = { ...defaultJsonLimits, bytesMax: 4_096, depthMax: 8 };
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
  if (signed.startsWith(passkeyPrefix)) return verifyWithPasskey(kind, signed, publicKeyOf);
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

/**
 * An operator's word that a passkey is theirs: what the passkey signs on this site until then
 * counts as signed by the operator. It is made with the operator's own key, so a node that lies can
 * endorse nothing.
 */
export type PasskeyEndorsement = {
  /** Credential id, base64url. */
  readonly credential: string;
  readonly publicKey: JsonObject;
  /** Relying party id: the host name of the console. */
  readonly site: string;
  /** Milliseconds since 1970. */
  readonly until: number;
} & Maker;

const passkeyKind: StatementKind<PasskeyEndorsement> = {
  typ: 'maso-passkey+jws',
  malformed: 'IDENTITY_PASSKEY_MALFORMED',
  read: readEndorsement,
};

const passkeyPrefix = 'passkey.';
const credentialForm = /^[A-Za-z0-9_-]{16,512}$/;
const siteForm = /^[a-z0-9]([a-z0-9.-]{0,253}[a-z0-9])?$/;

/** Endorses a passkey with the operator's own key; throws IDENTITY_PASSKEY_MALFORMED out of bounds. */
export function endorsePasskey(endorsement: PasskeyEndorsement, key: OperatorKey): string {
  const { credential, publicKey, site, until, operator, at, reason } = endorsement;
  return signStatement(
    passkeyKind, { credential, publicKey, site, until, operator, at, reason }, key,
  );
}

/** Believes an endorsement only under the key that the mesh file has for its operator. */
export function verifyEndorsement(
  signed: string,
  publicKeyOf: (operator: string) => JsonObject | null,
): VerifiedStatement<PasskeyEndorsement> {
  if (signed.startsWith(passkeyPrefix)) return refuse('IDENTITY_PASSKEY_MALFORMED');
  return verifyStatement(passkeyKind, signed, publicKeyOf);
}

/**
 * A statement that a passkey signed, as text: `passkey`, the canonical statement, authenticator
 * data, client data and signature, each base64url, then the endorsement, all joined by dots.
 */
function verifyWithPasskey<Statement extends { readonly operator: string }>(
  kind: StatementKind<Statement>,
  signed: string,
  publicKeyOf: (operator: string) => JsonObject | null,
): VerifiedStatement<Statement> {
  const [, text = '', data = '', client = '', mark = '', ...rest] =
    signed.length <= jwsLengthMax ? signed.split('.', 9) : [];
  const [payload, authenticatorData, clientData, signature] =
    [text, data, client, mark].map(decodeBase64Url);
  if (!payload || !authenticatorData || !clientData || !signature || rest.length !== 3) {
    return refuse(kind.malformed);
  }
  const endorsed = verifyEndorsement(rest.join('.'), publicKeyOf);
  if (!endorsed.ok) return endorsed;
  const { operator, until } = endorsed.statement;
  const challenge = passkeyChallenge(kind.typ, payload);
  if (!isAssertionOver(challenge, { authenticatorData, clientData, signature }, endorsed.statement)) {
    return refuse('IDENTITY_DECISION_SIGNATURE_INVALID');
  }
  const json = parseStrictJson(payload, jsonLimits);
  const statement = json.ok && json.canonical ? kind.read(json.value) : null;
  if (statement === null || statement.operator !== operator) return refuse(kind.malformed);
  const at: unknown = Reflect.get(statement, 'at');
  if (!(typeof at === 'number' && at < until)) return refuse('IDENTITY_PASSKEY_EXPIRED');
  return { ok: true, statement };
}

function readEndorsement(value: JsonValue): PasskeyEndorsement | null {
  if (!isJsonObject(value)) return null;
  const { credential, publicKey, site, until, operator, at, reason, ...unknown } = value;
  const maker = readMaker(operator, at, reason);
  if (Object.keys(unknown).length > 0 || maker === null) return null;
  if (typeof credential !== 'string' || !credentialForm.test(credential)) return null;
  if (publicKey === undefined || !isJsonObject(publicKey) || readPasskeyJwk(publicKey) === null) return null;
  if (typeof site !== 'string' || !siteForm.test(site)) return null;
  if (typeof until !== 'number' || !Number.isSafeInteger(until) || until <= maker.at) return null;
  return { credential, publicKey, site, until, ...maker };
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
