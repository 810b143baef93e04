// SPDX-License-Identifier: Apache-2.0
import { isDigest, isName, isUlid } from '../message/identifiers.ts';
import { isJsonObject } from '../message/json.ts';
import type { JsonObject, JsonValue } from '../message/json.ts';
import type { OperatorKey } from './operator-key.ts';
import { readMaker, signStatement, verifyStatement } from './operator-statement.ts';
import type { StatementKind, VerifiedStatement } from './operator-statement.ts';

/** What an operator orders of the flight recorder. */
export type RecorderAct =
  /** Keep what belongs to the subject, whatever its age, until the order is released. */
  | 'hold'
  | 'release'
  /** Destroy the keys to the payloads of a task. */
  | 'erase'
  /** Ask the custodians for the key of an epoch, under the key whose digest is given. */
  | 'open'
  /** Say which custodians gave their shares, before anything is opened. */
  | 'opened'
  /** Take out of the log what is old enough, exactly as the plan of that digest says. */
  | 'prune';

export type RecorderOrder = {
  /** A ULID of the operator's; the same order is applied once, however often it is sent. */
  readonly id: string;
  /** Name of the log that it is about; no order for one log holds for another. */
  readonly log: string;
  readonly act: RecorderAct;
  /** A task, `agent:NAME` or `all` of a hold; a hold's id, a task, an epoch, or an opening's id. */
  readonly subject: string;
  /** SHA-256, base64url, of what goes with the order; empty where nothing does. */
  readonly digest: string;
  readonly operator: string;
  /** Milliseconds since 1970 on the operator's machine. */
  readonly at: number;
  /** At most 500 characters, and not empty. */
  readonly reason: string;
};

const orderKind: StatementKind<RecorderOrder> = {
  typ: 'maso-recorder-order+jws',
  malformed: 'IDENTITY_RECORDER_ORDER_MALFORMED',
  read: readOrder,
};

const logForm = /^[A-Za-z0-9_-]{1,64}$/;
const withDigest: ReadonlySet<string> = new Set(['open', 'opened', 'prune']);

/** Throws `IdentityError` IDENTITY_RECORDER_ORDER_MALFORMED when it is not one that verifies. */
export function signRecorderOrder(order: RecorderOrder, key: OperatorKey): string {
  return signStatement(orderKind, order, key);
}

/** Believes it only when the operator whom it names signed exactly these bytes. Never throws. */
export function verifyRecorderOrder(
  signed: string,
  publicKeyOf: (operator: string) => JsonObject | null,
): VerifiedStatement<RecorderOrder> {
  return verifyStatement(orderKind, signed, publicKeyOf);
}

function readOrder(value: JsonValue): RecorderOrder | null {
  if (!isJsonObject(value)) return null;
  const { id, log, act, subject, digest, operator, at, reason, ...unknown } = value;
  const maker = readMaker(operator, at, reason);
  if (Object.keys(unknown).length > 0 || maker === null || maker.reason === '') return null;
  if (typeof id !== 'string' || !isUlid(id)) return null;
  if (typeof log !== 'string' || !logForm.test(log)) return null;
  if (typeof digest !== 'string' || typeof subject !== 'string') return null;
  if (!isAct(act) || !subjectFits(act, subject)) return null;
  if (withDigest.has(act) ? !isDigest(digest) : digest !== '') return null;
  return { id, log, act, subject, digest, ...maker };
}

function isAct(value: JsonValue | undefined): value is RecorderAct {
  return typeof value === 'string' && Object.hasOwn(subjects, value);
}

const subjects: { readonly [act in RecorderAct]: (subject: string) => boolean } = {
  hold: (subject) =>
    subject === 'all' || isUlid(subject) ||
    (subject.startsWith('agent:') && isName(subject.slice('agent:'.length))),
  release: isUlid,
  erase: isUlid,
  open: isEpoch,
  opened: isUlid,
  prune: (subject) => subject === 'log',
};

function subjectFits(act: RecorderAct, subject: string): boolean {
  return subjects[act](subject);
}

function isEpoch(subject: string): boolean {
  return /^[1-9]\d{0,14}$/.test(subject);
}
