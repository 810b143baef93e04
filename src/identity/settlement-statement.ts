// SPDX-License-Identifier: Apache-2.0
import { isDigest, isName, isUlid } from '../message/identifiers.ts';
import { isJsonObject } from '../message/json.ts';
import type { JsonObject, JsonValue } from '../message/json.ts';
import type { OperatorKey } from './operator-key.ts';
import { readMaker, signStatement, verifyStatement } from './operator-statement.ts';
import type { StatementKind, VerifiedStatement } from './operator-statement.ts';

/** What an operator found out about a call in doubt, at the tool. */
export type SettlementStatement = {
  /** A ULID of the operator's; the same statement is applied once, however often it is sent. */
  readonly id: string;
  readonly executor: string;
  /** Id of the action request that the call was made for. */
  readonly call: string;
  /** Of the facts that the operator was shown; see `doubtfulCallDigest`. */
  readonly digest: string;
  /** `done`: it had its effect. `not-run`: it had none, and will have none. */
  readonly end: 'done' | 'not-run';
  readonly operator: string;
  /** Milliseconds since 1970 on the operator's machine. */
  readonly at: number;
  /** At most 500 characters, and not empty: it is all that is known of what was found. */
  readonly reason: string;
};

const callForm = /^[!-~]{1,160}$/;

const settlementKind: StatementKind<SettlementStatement> = {
  typ: 'maso-settlement+jws',
  malformed: 'IDENTITY_SETTLEMENT_MALFORMED',
  read: readStatement,
};

/** Throws `IdentityError` IDENTITY_SETTLEMENT_MALFORMED when it is not one that verifies. */
export function signSettlement(statement: SettlementStatement, key: OperatorKey): string {
  return signStatement(settlementKind, statement, key);
}

/** Believes it only when the operator whom it names signed exactly these bytes. Never throws. */
export function verifySettlement(
  signed: string,
  publicKeyOf: (operator: string) => JsonObject | null,
): VerifiedStatement<SettlementStatement> {
  return verifyStatement(settlementKind, signed, publicKeyOf);
}

function readStatement(value: JsonValue): SettlementStatement | null {
  if (!isJsonObject(value)) return null;
  const { id, executor, call, digest, end, operator, at, reason, ...unknown } = value;
  const maker = readMaker(operator, at, reason);
  if (Object.keys(unknown).length > 0 || maker === null || maker.reason === '') return null;
  if (typeof id !== 'string' || !isUlid(id)) return null;
  if (typeof executor !== 'string' || !isName(executor)) return null;
  if (typeof call !== 'string' || !callForm.test(call)) return null;
  if (typeof digest !== 'string' || !isDigest(digest)) return null;
  if (end !== 'done' && end !== 'not-run') return null;
  return { id, executor, call, digest, end, ...maker };
}
