// SPDX-License-Identifier: Apache-2.0
import { isUlid } from '../message/identifiers.ts';
import { isJsonObject } from '../message/json.ts';
import type { JsonObject, JsonValue } from '../message/json.ts';
import type { OperatorKey } from './operator-key.ts';
import { readMaker, signStatement, verifyStatement } from './operator-statement.ts';
import type { StatementKind, VerifiedStatement } from './operator-statement.ts';
import { revocationKinds, type RevocationTarget } from './revocation.ts';

/** What an operator says about an identity, or about what was granted to one. */
export type RevocationStatement = {
  /** A ULID of the operator's; the same statement is applied once, however often it is sent. */
  readonly id: string;
  readonly op: 'revoke' | 'reinstate';
  readonly target: RevocationTarget;
  /**
   * Where `op` is `reinstate`: the id of the revocation that is lifted, so that an old permission
   * cannot be used against a new revocation. Else null.
   */
  readonly lifts: string | null;
  readonly operator: string;
  /** Milliseconds since 1970 on the operator's machine. */
  readonly at: number;
  /** At most 500 characters; empty when none was given. */
  readonly reason: string;
};

const valueLengthMax = 1_024;

const revocationKind: StatementKind<RevocationStatement> = {
  typ: 'maso-revocation+jws',
  malformed: 'IDENTITY_REVOCATION_MALFORMED',
  read: readStatement,
};

/**
 * Signs a revocation, or its lifting, as compact JWS. Throws `IdentityError`
 * IDENTITY_REVOCATION_MALFORMED when the statement is not one that verifies.
 */
export function signRevocation(statement: RevocationStatement, key: OperatorKey): string {
  return signStatement(revocationKind, statement, key);
}

/** Believes it only when the operator whom it names signed exactly these bytes. Never throws. */
export function verifyRevocation(
  signed: string,
  publicKeyOf: (operator: string) => JsonObject | null,
): VerifiedStatement<RevocationStatement> {
  return verifyStatement(revocationKind, signed, publicKeyOf);
}

function readStatement(value: JsonValue): RevocationStatement | null {
  if (!isJsonObject(value)) return null;
  const { id, op, target, lifts, operator, at, reason, ...unknown } = value;
  const maker = readMaker(operator, at, reason);
  const read = readTarget(target);
  if (Object.keys(unknown).length > 0 || maker === null || read === null) return null;
  if (typeof id !== 'string' || !isUlid(id)) return null;
  if (op === 'revoke' && lifts === null) return { id, op, target: read, lifts, ...maker };
  if (op !== 'reinstate' || typeof lifts !== 'string' || !isUlid(lifts)) return null;
  return { id, op, target: read, lifts, ...maker };
}

function readTarget(value: JsonValue | undefined): RevocationTarget | null {
  if (!isJsonObject(value)) return null;
  const { kind, value: named, ...unknown } = value;
  if (Object.keys(unknown).length > 0) return null;
  const known = revocationKinds.find((one) => one === kind);
  if (known === undefined) return null;
  if (typeof named !== 'string' || named === '' || named.length > valueLengthMax) return null;
  return { kind: known, value: named };
}
