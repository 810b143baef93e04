// SPDX-License-Identifier: Apache-2.0
import type { OperatorKey } from '../identity/operator-key.ts';
import { readMaker, signStatement, verifyStatement } from '../identity/operator-statement.ts';
import type { Maker, StatementKind, VerifiedStatement } from '../identity/operator-statement.ts';
import { isUlid } from '../message/identifiers.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../message/json.ts';
import type { PaceOrder, RecoveryEvidence } from './book.ts';
import { phases } from './clamp.ts';
import { isUnit, parseUnit, type PaceUnit } from './unit.ts';

/** An order to PACE under an operator's signature. */
export type PaceStatement = Maker & {
  /** A ULID of the operator's; the same statement is applied once, however often it is sent. */
  readonly id: string;
  readonly order: PaceOrder;
};

const textLengthMax = 500;

const paceKind: StatementKind<PaceStatement> = {
  typ: 'maso-pace+jws',
  malformed: 'IDENTITY_PACE_MALFORMED',
  read: readStatement,
};

/** Throws `IdentityError` IDENTITY_PACE_MALFORMED when it is not one that verifies. */
export function signPaceOrder(statement: PaceStatement, key: OperatorKey): string {
  return signStatement(paceKind, statement, key);
}

/** Believes it only when the operator whom it names signed exactly these bytes. Never throws. */
export function verifyPaceOrder(
  signed: string,
  publicKeyOf: (operator: string) => JsonObject | null,
): VerifiedStatement<PaceStatement> {
  return verifyStatement(paceKind, signed, publicKeyOf);
}

function readStatement(value: JsonValue): PaceStatement | null {
  if (!isJsonObject(value)) return null;
  const { id, order: given, operator, at, reason, ...unknown } = value;
  const maker = readMaker(operator, at, reason);
  const order = readOrder(given);
  if (Object.keys(unknown).length > 0 || maker === null || order === null) return null;
  return typeof id === 'string' && isUlid(id) ? { id, order, ...maker } : null;
}

function readOrder(value: JsonValue | undefined): PaceOrder | null {
  if (!isJsonObject(value)) return null;
  const { op, unit: givenUnit, stop, to, incident, evidence: givenEvidence } = value;
  const unit = readUnit(givenUnit);
  const has = (count: number): boolean => Object.keys(value).length === count;
  switch (op) {
    case 'kill':
    case 'halt':
      return unit !== null && has(2) ? { op, unit } : null;
    case 'confirm':
    case 'decline':
    case 'resume':
      return typeof stop === 'string' && isUlid(stop) && has(2) ? { op, stop } : null;
    case 'raise': {
      const phase = phases.find((one) => one === to);
      return unit !== null && phase !== undefined && has(3) ? { op, unit, to: phase } : null;
    }
    case 'recover': {
      const evidence = readEvidence(givenEvidence);
      const named = typeof incident === 'string' && incident.length <= 160;
      return unit !== null && evidence !== null && named && has(4) ? { op, unit, incident, evidence } : null;
    }
    default:
      return null;
  }
}

function readUnit(value: JsonValue | undefined): PaceUnit | null {
  if (!isJsonObject(value)) return null;
  const { kind, value: name, ...unknown } = value;
  if (typeof kind !== 'string' || typeof name !== 'string' || !isUnit(kind, name)) return null;
  return Object.keys(unknown).length === 0 ? parseUnit(`${kind}:${name}`) : null;
}

function readEvidence(value: JsonValue | undefined): RecoveryEvidence | null {
  if (!isJsonObject(value)) return null;
  const { rootCause, remediation, baselines, ...unknown } = value;
  const isText = (one: unknown): one is string =>
    typeof one === 'string' && one.length <= textLengthMax && one.isWellFormed();
  if (!isText(rootCause) || !isText(remediation) || !isText(baselines)) return null;
  return Object.keys(unknown).length === 0 ? { rootCause, remediation, baselines } : null;
}
