// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { verifyKnowledgeOrder } from '../identity/knowledge-order.ts';
import type { KnowledgeAct, KnowledgeOrder } from '../identity/knowledge-order.ts';
import type { KnowledgeContext } from '../knowledge/context.ts';
import { prepareDocuments, type Document } from '../knowledge/source.ts';
import type { Operator } from '../mesh/mesh.ts';
import { hasRight, type OperatorRight } from '../mesh/operator-roles.ts';
import { canonicalize } from '../message/canonical-json.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../message/json.ts';
import type { Turns } from '../oversight/turns.ts';
import { refuse, type RefusalContext } from './refusal.ts';

export type KnowledgeOrdersContext = RefusalContext & {
  readonly knowledge: KnowledgeContext;
  readonly operators: ReadonlyMap<string, Operator>;
  /** Puts an item aside with all that follows from it, and says how much that was. */
  readonly quarantine: (subject: string) => Promise<JsonObject>;
  /** When this node started, milliseconds since 1970: what was signed before it is not carried out. */
  readonly startedAt: number;
  /** Orders carried out since, by id; only as long as they could be repeated. */
  readonly taken: Map<string, number>;
  readonly turns: Turns;
};

export type KnowledgeOrderAnswer = JsonObject & { readonly code: string | null };

/** An order that is older was kept back. */
const orderMsMax = 5 * 60_000;
/** Documents of one order at most. */
export const documentsMax = 64;
/** Characters of one document at most. */
export const documentLengthMax = 2 * 1024 * 1024;

/** Whoever may stop an agent may put aside what it remembers; what is served, the policy's owners decide. */
const rightsOfActs: { readonly [act in KnowledgeAct]: OperatorRight } = {
  ingest: 'policy', quarantine: 'stop', clear: 'policy',
};

const documents: z.ZodType<readonly Document[]> = z.array(z.strictObject({
  name: z.string().min(1).max(512),
  text: z.string().min(1).max(documentLengthMax),
  classification: z.enum(['public', 'internal', 'confidential', 'restricted']).nullable(),
  readers: z.array(z.string().min(1).max(63)).max(1000).nullable(),
})).min(1).max(documentsMax);

/** SHA-256 over what goes with an order, as its operator signs it. */
export function attachedDigest(attached: JsonValue): string {
  return createHash('sha256').update(canonicalize(attached)).digest('base64url');
}

/** What an order does, and what of it waits until it is on record. */
type CarriedOut = {
  readonly answer: KnowledgeOrderAnswer;
  readonly serve: (() => Promise<void>) | null;
};

/**
 * Takes an operator's signed order about knowledge or memory. What puts aside counts at once; what is to be
 * served counts in one step, all of it or none, after the order is on record: a crash in between
 * leaves an order that changed nothing, and it is given again. Rejects where store, keys or recorder fail.
 */
export function takeKnowledgeOrder(
  signed: string,
  attached: JsonValue | null,
  context: KnowledgeOrdersContext,
): Promise<KnowledgeOrderAnswer> {
  return context.turns.take(() => takeInTurn(signed, attached, context));
}

async function takeInTurn(
  signed: string,
  attached: JsonValue | null,
  context: KnowledgeOrdersContext,
): Promise<KnowledgeOrderAnswer> {
  const { operators } = context;
  const verified = verifyKnowledgeOrder(signed, (name) => operators.get(name)?.publicKey ?? null);
  if (!verified.ok) return refusedOrder(verified.code, context);
  const order = verified.statement;
  if (!hasRight(operators.get(order.operator), rightsOfActs[order.act])) {
    return refusedOrder('KNOWLEDGE_ORDER_ROLE', context);
  }
  if (!isFresh(order, context)) return refusedOrder('KNOWLEDGE_ORDER_CHANGED', context);
  context.taken.set(order.id, order.at);
  const { answer, serve } = await carryOut(order, attached, context);
  if (answer.code !== null) {
    context.taken.delete(order.id);
    return refusedOrder(answer.code, context);
  }
  await record(order, answer, signed, context);
  await serve?.().catch(async (cause: unknown) => {
    // On record as given, and as failed: whoever reads the one finds the other.
    await recordFailed(order, context);
    throw cause;
  });
  return answer;
}

async function carryOut(
  order: KnowledgeOrder,
  attached: JsonValue | null,
  context: KnowledgeOrdersContext,
): Promise<CarriedOut> {
  const { store } = context.knowledge;
  switch (order.act) {
    case 'ingest':
      return ingestAll(order, attached, context);
    case 'quarantine':
      return { answer: { code: null, ...(await context.quarantine(order.subject)) }, serve: null };
    case 'clear': {
      const item = await store.get(order.subject);
      const mayClear = item !== null && (item.state === 'flagged' || item.state === 'quarantined');
      if (!mayClear) return refusedWith('KNOWLEDGE_ITEM_UNKNOWN');
      // What was altered cannot be served, whoever wants it: it would not open.
      if (item.reason === 'KNOWLEDGE_ALTERED') return refusedWith('KNOWLEDGE_ALTERED');
      return { answer: { code: null, cleared: item.id }, serve: () => store.setState([item.id], 'current', null) };
    }
    default:
      return order.act satisfies never;
  }
}

async function ingestAll(
  order: KnowledgeOrder,
  attached: JsonValue | null,
  { knowledge }: KnowledgeOrdersContext,
): Promise<CarriedOut> {
  const source = knowledge.mesh.knowledge?.get(order.subject);
  if (source === undefined) return refusedWith('KNOWLEDGE_ITEM_UNKNOWN');
  const given = documents.safeParse(attached);
  if (!given.success || attachedDigest(attached) !== order.digest) return refusedWith('KNOWLEDGE_ORDER_CHANGED');
  const prepared = await prepareDocuments(given.data, source, knowledge);
  if (!prepared.ok) return refusedWith(prepared.code);
  const { items, superseded } = prepared;
  return {
    answer: { code: null, taken: prepared.documents.map((one) => ({ ...one })) },
    serve: () => knowledge.store.add(items, superseded),
  };
}

function refusedWith(code: string): CarriedOut {
  return { answer: { code }, serve: null };
}

function isFresh({ id, at }: KnowledgeOrder, { clock, startedAt, taken }: KnowledgeOrdersContext): boolean {
  const nowMs = clock.nowMs();
  for (const [old, takenAt] of taken) if (nowMs - takenAt > orderMsMax) taken.delete(old);
  return Math.abs(nowMs - at) <= orderMsMax && at >= startedAt && !taken.has(id);
}

/** Names of documents may say what is in them: the record has keyed digests of what was taken in. */
async function record(
  order: KnowledgeOrder,
  ended: KnowledgeOrderAnswer,
  signed: string,
  { recorder, clock }: KnowledgeOrdersContext,
): Promise<void> {
  const { code: _code, taken, ...more } = ended;
  const listed = Array.isArray(taken) ? { documents: taken.map(withoutName) } : {};
  const subject = order.act === 'ingest' ? { source: order.subject } : { item: order.subject };
  await recorder.record([{
    kind: order.act === 'ingest' ? 'knowledge.ingested' : 'knowledge.changed',
    id: order.id,
    at: clock.nowMs(),
    actor: `operator:${order.operator}`,
    task: null,
    message: null,
    causedBy: order.act === 'ingest' ? [] : [order.subject],
    outcome: null,
    code: order.act === 'quarantine' ? 'KNOWLEDGE_QUARANTINED' : null,
    verdicts: [],
    tookUs: null,
    detail: { act: order.act, ...subject, ...listed, ...more, reason: order.reason, signed },
  }], { privileged: true });
}

async function recordFailed(
  order: KnowledgeOrder,
  { recorder, clock }: KnowledgeOrdersContext,
): Promise<void> {
  await recorder.record([{
    kind: 'knowledge.changed',
    id: `${order.id}.failed`,
    at: clock.nowMs(),
    actor: 'node',
    task: null,
    message: null,
    causedBy: [order.id],
    outcome: null,
    code: 'KNOWLEDGE_UNAVAILABLE',
    verdicts: [],
    tookUs: null,
    detail: { act: order.act, failed: true },
  }]);
}

function withoutName(taken: JsonValue): JsonObject {
  if (!isJsonObject(taken)) return {};
  return Object.fromEntries(Object.entries(taken).filter(([member]) => member !== 'document'));
}

async function refusedOrder(code: string, context: RefusalContext): Promise<KnowledgeOrderAnswer> {
  const { code: refused } = await refuse(code, { at: 'knowledge' }, context);
  return { code: refused };
}
