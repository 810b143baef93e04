// SPDX-License-Identifier: Apache-2.0
import { isDigest, isName, isUlid } from '../message/identifiers.ts';
import { isJsonObject } from '../message/json.ts';
import type { JsonObject, JsonValue } from '../message/json.ts';
import type { OperatorKey } from './operator-key.ts';
import { readMaker, signStatement, verifyStatement } from './operator-statement.ts';
import type { StatementKind, VerifiedStatement } from './operator-statement.ts';

/** What an operator orders of knowledge and memory. */
export type KnowledgeAct =
  /** Take documents into a source; the digest is over them. */
  | 'ingest'
  /** Put an item aside, with everything that follows from it. */
  | 'quarantine'
  /** Serve an item again in which something was found. */
  | 'clear';

export type KnowledgeOrder = {
  /** A ULID of the operator's; an order is carried out once. */
  readonly id: string;
  readonly act: KnowledgeAct;
  /** A source to ingest into; else the id of an item, or of a message. */
  readonly subject: string;
  /** SHA-256, base64url, of the canonical documents; empty where there are none. */
  readonly digest: string;
  readonly operator: string;
  readonly at: number;
  readonly reason: string;
};

const orderKind: StatementKind<KnowledgeOrder> = {
  typ: 'maso-knowledge-order+jws',
  malformed: 'IDENTITY_KNOWLEDGE_ORDER_MALFORMED',
  read: readOrder,
};

/** Throws `IdentityError` IDENTITY_KNOWLEDGE_ORDER_MALFORMED when it is not one that verifies. */
export function signKnowledgeOrder(order: KnowledgeOrder, key: OperatorKey): string {
  return signStatement(orderKind, order, key);
}

/** Believes it only when the operator whom it names signed exactly these bytes. Never throws. */
export function verifyKnowledgeOrder(
  signed: string,
  publicKeyOf: (operator: string) => JsonObject | null,
): VerifiedStatement<KnowledgeOrder> {
  return verifyStatement(orderKind, signed, publicKeyOf);
}

function readOrder(value: JsonValue): KnowledgeOrder | null {
  if (!isJsonObject(value)) return null;
  const { id, act, subject, digest, operator, at, reason, ...unknown } = value;
  const maker = readMaker(operator, at, reason);
  if (Object.keys(unknown).length > 0 || maker === null) return null;
  if (typeof id !== 'string' || !isUlid(id)) return null;
  if (typeof subject !== 'string' || typeof digest !== 'string') return null;
  if (act === 'ingest') {
    return isName(subject) && isDigest(digest) ? { id, act, subject, digest, ...maker } : null;
  }
  if (act !== 'quarantine' && act !== 'clear') return null;
  return isUlid(subject) && digest === '' ? { id, act, subject, digest, ...maker } : null;
}
