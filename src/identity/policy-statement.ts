// SPDX-License-Identifier: Apache-2.0
import { isDigest, isUlid } from '../message/identifiers.ts';
import { isJsonObject } from '../message/json.ts';
import type { JsonObject, JsonValue } from '../message/json.ts';
import type { OperatorKey } from './operator-key.ts';
import { readMaker, signStatement, verifyStatement } from './operator-statement.ts';
import type { StatementKind, VerifiedStatement } from './operator-statement.ts';

/**
 * What an operator says about a version of the policy: the mesh file with its OISpecs, Cedar
 * policies and schemas. It names the version and what it follows, so that no earlier permission can
 * be used again, and two operators cannot overwrite each other unseen. DESIGN 6.10.
 */
export type PolicyStatement = {
  /** A ULID of the operator's. */
  readonly id: string;
  /** Above every version before it. */
  readonly version: number;
  /** Digest of the mesh (`Mesh.digest`) that is to be in force. */
  readonly digest: string;
  /** Digest of the one in force when this was signed. */
  readonly previous: string;
  /** `restart`: kept, and in force when the node starts the next time. */
  readonly effective: 'now' | 'restart';
  readonly operator: string;
  /** Milliseconds since 1970 on the operator's machine. */
  readonly at: number;
  /** At most 500 characters; empty when none was given. */
  readonly reason: string;
};

const policyKind: StatementKind<PolicyStatement> = {
  typ: 'maso-policy+jws',
  malformed: 'IDENTITY_POLICY_MALFORMED',
  read: readStatement,
};

/** Throws `IdentityError` IDENTITY_POLICY_MALFORMED when the statement is not one that verifies. */
export function signPolicy(statement: PolicyStatement, key: OperatorKey): string {
  return signStatement(policyKind, statement, key);
}

/** Believes it only when the operator whom it names signed exactly these bytes. Never throws. */
export function verifyPolicy(
  signed: string,
  publicKeyOf: (operator: string) => JsonObject | null,
): VerifiedStatement<PolicyStatement> {
  return verifyStatement(policyKind, signed, publicKeyOf);
}

function readStatement(value: JsonValue): PolicyStatement | null {
  if (!isJsonObject(value)) return null;
  const { id, version, digest, previous, effective, operator, at, reason, ...unknown } = value;
  const maker = readMaker(operator, at, reason);
  if (Object.keys(unknown).length > 0 || maker === null) return null;
  if (typeof id !== 'string' || !isUlid(id)) return null;
  if (typeof version !== 'number' || !Number.isSafeInteger(version) || version < 1) return null;
  if (typeof digest !== 'string' || !isDigest(digest)) return null;
  if (typeof previous !== 'string' || !isDigest(previous)) return null;
  if (effective !== 'now' && effective !== 'restart') return null;
  return { id, version, digest, previous, effective, ...maker };
}
