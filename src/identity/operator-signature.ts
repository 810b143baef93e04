// SPDX-License-Identifier: Apache-2.0
import { isDigest } from '../message/identifiers.ts';
import { isJsonObject } from '../message/json.ts';
import type { JsonObject, JsonValue } from '../message/json.ts';
import type { OperatorKey } from './operator-key.ts';
import { readMaker, signStatement, verifyStatement } from './operator-statement.ts';
import type { StatementKind, VerifiedStatement } from './operator-statement.ts';

/** What an operator says about one held action. The digest binds it to that action and no other. */
export type OperatorStatement = {
  readonly approval: string;
  /** SHA-256 (base64url) of the hold. */
  readonly digest: string;
  readonly decision: 'approve' | 'deny' | 'modify' | 'escalate';
  /** What is to be done instead, whole; with `modify` and nothing else. */
  readonly parameters?: JsonObject;
  readonly operator: string;
  /** Milliseconds since 1970 on the operator's machine. */
  readonly at: number;
  /** At most 500 characters; empty when none was given. */
  readonly reason: string;
};

export type OperatorDecision = VerifiedStatement<OperatorStatement>;

const approvalForm = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
const decisionKind: StatementKind<OperatorStatement> = {
  typ: 'maso-decision+jws',
  malformed: 'IDENTITY_DECISION_MALFORMED',
  read: readStatement,
};

/**
 * Signs a decision as compact JWS. Throws `IdentityError` IDENTITY_DECISION_MALFORMED when the
 * statement is not one that verifies.
 */
export function signOperatorDecision(statement: OperatorStatement, key: OperatorKey): string {
  return signStatement(decisionKind, statement, key);
}

/**
 * Believes a decision only when the operator whom it names signed exactly these bytes. Whether the
 * digest is that of an open hold, and who may decide it, is the caller's to check. Never throws.
 */
export function verifyOperatorDecision(
  signed: string,
  publicKeyOf: (operator: string) => JsonObject | null,
): OperatorDecision {
  return verifyStatement(decisionKind, signed, publicKeyOf);
}

function readStatement(value: JsonValue): OperatorStatement | null {
  if (!isJsonObject(value)) return null;
  const { approval, digest, decision, operator, at, reason, parameters, ...unknown } = value;
  const maker = readMaker(operator, at, reason);
  if (Object.keys(unknown).length > 0 || maker === null) return null;
  if (typeof approval !== 'string' || !approvalForm.test(approval)) return null;
  if (typeof digest !== 'string' || !isDigest(digest)) return null;
  if (!isDecision(decision)) return null;
  if (decision !== 'modify') {
    return parameters === undefined ? { approval, digest, decision, ...maker } : null;
  }
  if (parameters === undefined || !isJsonObject(parameters)) return null;
  return { approval, digest, decision, parameters, ...maker };
}

const decisions = ['approve', 'deny', 'modify', 'escalate'] as const;
function isDecision(value: unknown): value is OperatorStatement['decision'] {
  return decisions.some((known) => known === value);
}
