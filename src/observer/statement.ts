// SPDX-License-Identifier: Apache-2.0
import type { OperatorKey } from '../identity/operator-key.ts';
import { readMaker, signStatement, verifyStatement } from '../identity/operator-statement.ts';
import type { Maker, StatementKind, VerifiedStatement } from '../identity/operator-statement.ts';
import { isUlid } from '../message/identifiers.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../message/json.ts';

/** Under which name the observer signs; no operator of a mesh file is called so. */
export const observerName = 'observer';

/**
 * What the observer says every few seconds. `consent`: it has read the log up to `size`, and nothing
 * stands against leases for HIGH and CRITICAL. `ask`: it wants an emergency, and waits for people.
 */
export type ObserverStatement = Maker & {
  readonly id: string;
  readonly verdict: 'consent' | 'ask';
  /** Entries of the log that it has read. */
  readonly size: number;
  /** Of its newest self-test; absent in statements about which it says nothing. */
  readonly test?: ObserverTest;
};

/** How many anomalies the observer made up for itself, and which of them it did not find. */
export type ObserverTest = {
  /** When, milliseconds since 1970 on the observer's clock. */
  readonly at: number;
  readonly made: number;
  readonly missed: readonly string[];
};

const missedMax = 32;

const observerKind: StatementKind<ObserverStatement> = {
  typ: 'maso-observer+jws',
  malformed: 'IDENTITY_PACE_MALFORMED',
  read: readStatement,
};

/** Throws `IdentityError` IDENTITY_PACE_MALFORMED when it is not one that verifies. */
export function signObserved(statement: ObserverStatement, key: OperatorKey): string {
  return signStatement(observerKind, statement, key);
}

/** Believes it only under the key that the mesh file names for the observer. Never throws. */
export function verifyObserved(signed: string, key: JsonObject): VerifiedStatement<ObserverStatement> {
  return verifyStatement(observerKind, signed, (name) => (name === observerName ? key : null));
}

function readStatement(value: JsonValue): ObserverStatement | null {
  if (!isJsonObject(value)) return null;
  const { id, verdict, size, operator, at, reason, test: given, ...unknown } = value;
  const test = given === undefined ? null : readTest(given);
  if (given !== undefined && test === null) return null;
  const maker = readMaker(operator, at, reason);
  if (Object.keys(unknown).length > 0 || maker === null || maker.operator !== observerName) return null;
  if (typeof id !== 'string' || !isUlid(id)) return null;
  if (verdict !== 'consent' && verdict !== 'ask') return null;
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) return null;
  return { id, verdict, size, ...maker, ...(test === null ? {} : { test }) };
}

function readTest(value: JsonValue): ObserverTest | null {
  if (!isJsonObject(value)) return null;
  const { at, made, missed, ...unknown } = value;
  if (Object.keys(unknown).length > 0 || !isCount(at) || !isCount(made)) return null;
  if (!Array.isArray(missed) || missed.length > missedMax) return null;
  const texts = missed.filter((one) => typeof one === 'string' && one.length <= 64);
  return texts.length === missed.length ? { at, made, missed: texts.map(String) } : null;
}

function isCount(value: JsonValue | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
