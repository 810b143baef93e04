// SPDX-License-Identifier: Apache-2.0
import { isName, isUlid } from '../message/identifiers.ts';
import { isJsonObject } from '../message/json.ts';
import type { JsonObject, JsonValue } from '../message/json.ts';
import type { OperatorKey } from './operator-key.ts';
import { readMaker, signStatement, verifyStatement } from './operator-statement.ts';
import type { StatementKind, VerifiedStatement } from './operator-statement.ts';

/** An operator's order to spawn an agent below another one. */
export type SpawnStatement = {
  /** A ULID of the operator's; the same statement gives the same child, however often it is sent. */
  readonly id: string;
  readonly parent: string;
  readonly template: string;
  /** Null: a task of its own, which the mesh mints. */
  readonly task: string | null;
  /** Milliseconds; null: what the template allows. */
  readonly lifetimeMs: number | null;
  readonly operator: string;
  readonly at: number;
  readonly reason: string;
};

const lifetimeMsMax = 3_600_000;

const spawnKind: StatementKind<SpawnStatement> = {
  typ: 'maso-spawn+jws',
  malformed: 'IDENTITY_SPAWN_MALFORMED',
  read: readSpawn,
};

/** Throws `IdentityError` IDENTITY_SPAWN_MALFORMED when the statement is not one that verifies. */
export function signSpawn(statement: SpawnStatement, key: OperatorKey): string {
  return signStatement(spawnKind, statement, key);
}

/** Believes it only when the operator whom it names signed exactly these bytes. Never throws. */
export function verifySpawn(
  signed: string,
  publicKeyOf: (operator: string) => JsonObject | null,
): VerifiedStatement<SpawnStatement> {
  return verifyStatement(spawnKind, signed, publicKeyOf);
}

function readSpawn(value: JsonValue): SpawnStatement | null {
  if (!isJsonObject(value)) return null;
  const { id, parent, template, task, lifetimeMs, operator, at, reason, ...unknown } = value;
  const maker = readMaker(operator, at, reason);
  if (Object.keys(unknown).length > 0 || maker === null) return null;
  if (typeof id !== 'string' || !isUlid(id)) return null;
  if (typeof parent !== 'string' || !isName(parent)) return null;
  if (typeof template !== 'string' || !isName(template)) return null;
  if (task !== null && !(typeof task === 'string' && isUlid(task))) return null;
  if (lifetimeMs !== null && !isLifetime(lifetimeMs)) return null;
  return { id, parent, template, task, lifetimeMs, ...maker };
}

function isLifetime(value: JsonValue | undefined): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 1 && Number(value) <= lifetimeMsMax;
}
