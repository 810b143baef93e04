// SPDX-License-Identifier: Apache-2.0
import { isUlid } from '../message/identifiers.ts';
import { isJsonObject } from '../message/json.ts';
import type { JsonObject, JsonValue } from '../message/json.ts';
import type { OperatorKey } from './operator-key.ts';
import { readMaker, signStatement, verifyStatement } from './operator-statement.ts';
import type { StatementKind, VerifiedStatement } from './operator-statement.ts';

/**
 * An operator's no to a proposed change of a workflow. A yes is another statement: the signature over
 * the version that the change makes (`PolicyStatement`).
 */
export type WorkflowDenial = {
  /** A ULID of the operator's. */
  readonly id: string;
  /** Id of the change. */
  readonly change: string;
  readonly operator: string;
  readonly at: number;
  readonly reason: string;
};

const denialKind: StatementKind<WorkflowDenial> = {
  typ: 'maso-workflow-denial+jws',
  malformed: 'IDENTITY_WORKFLOW_MALFORMED',
  read: readDenial,
};

/** Throws `IdentityError` IDENTITY_WORKFLOW_MALFORMED when the statement is not one that verifies. */
export function signWorkflowDenial(statement: WorkflowDenial, key: OperatorKey): string {
  return signStatement(denialKind, statement, key);
}

/** Believes it only when the operator whom it names signed exactly these bytes. Never throws. */
export function verifyWorkflowDenial(
  signed: string,
  publicKeyOf: (operator: string) => JsonObject | null,
): VerifiedStatement<WorkflowDenial> {
  return verifyStatement(denialKind, signed, publicKeyOf);
}

function readDenial(value: JsonValue): WorkflowDenial | null {
  if (!isJsonObject(value)) return null;
  const { id, change, operator, at, reason, ...unknown } = value;
  const maker = readMaker(operator, at, reason);
  if (Object.keys(unknown).length > 0 || maker === null) return null;
  if (typeof id !== 'string' || !isUlid(id)) return null;
  return typeof change === 'string' && isUlid(change) ? { id, change, ...maker } : null;
}
