// SPDX-License-Identifier: Apache-2.0
import { flowsTo } from '../label/label.ts';
import type { KnowledgeSource } from '../mesh/knowledge-settings.ts';
import type { Classification, Label } from '../message/envelope.ts';
import { mintUlid } from '../message/identifiers.ts';
import { domainRefusal, mayRead, type Audience, type Reader } from './access.ts';
import { givenMax, type KnowledgeAnswer, type KnowledgeAsk } from './asks.ts';
import { blindVector, itemDigest } from './blind.ts';
import type { KnowledgeCode } from './codes.ts';
import {
  askEntry, givenItem, openOrQuarantine, refusedAnswer, withinAnswer, type KnowledgeContext,
} from './context.ts';
import { sourceShelf, type ItemState, type OpenedItem, type StoredItem } from './item.ts';
import { piecesOf } from './pieces.ts';
import { sealItem } from './sealing.ts';
import { neverMs } from './shelf-keys.ts';

type QueryAsk = Extract<KnowledgeAsk, { kind: 'query' }>;

/** A document as its operator gives it. */
export type Document = {
  /** Stable over its versions: a later one of the same name replaces it. */
  readonly name: string;
  readonly text: string;
  /** Above that of the source; null is that of the source. */
  readonly classification: Classification | null;
  /** Of those that may query the source; null is all. */
  readonly readers: readonly string[] | null;
};

export type Ingested =
  | {
      readonly ok: true;
      readonly pieces: number;
      /** Pieces in which a control found something. */
      readonly flagged: number;
      readonly superseded: number;
      /** Keyed digest of the whole text, as it stands in the record. */
      readonly digest: string;
    }
  | { readonly ok: false; readonly code: KnowledgeCode };

/**
 * Takes a document into a source: cut into pieces, each looked at by the content controls, hashed and
 * sealed. A piece in which something is found is kept and flagged. Earlier pieces of the document are
 * superseded in the same step. Rejects where store or keys fail; then nothing of it is kept.
 */
export async function ingest(
  document: Document,
  source: KnowledgeSource,
  context: KnowledgeContext,
): Promise<Ingested> {
  const { store, keys, clock } = context;
  const shelf = sourceShelf(source.name);
  const texts = piecesOf(document.text);
  if (texts.length === 0) return { ok: false, code: 'KNOWLEDGE_ITEM_UNKNOWN' };
  const writtenAt = clock.nowMs();
  const held = await store.count(shelf, writtenAt);
  const earlier = (await store.document(shelf, document.name)).map(({ id }) => id);
  if (held - earlier.length + texts.length > source.piecesMax) return { ok: false, code: 'KNOWLEDGE_FULL' };
  const indexKey = await keys.index(shelf);
  const items: StoredItem[] = [];
  for (const [part, text] of texts.entries()) {
    const place = { part, parts: texts.length, writtenAt };
    items.push(await pieceOf(document, text, place, source, indexKey, context));
  }
  await store.add(items, earlier);
  return {
    ok: true,
    pieces: items.length,
    flagged: items.filter(({ state }) => state === 'flagged').length,
    superseded: earlier.length,
    digest: itemDigest(document.text, indexKey),
  };
}

async function pieceOf(
  document: Document,
  text: string,
  place: Pick<StoredItem, 'part' | 'parts' | 'writtenAt'>,
  source: KnowledgeSource,
  indexKey: Uint8Array,
  context: KnowledgeContext,
): Promise<StoredItem> {
  const { keys, clock, random, mesh, review } = context;
  const found = await review(text);
  const given = document.classification ?? source.classification;
  const facts = {
    id: mintUlid(clock, random),
    shelf: sourceShelf(source.name),
    task: null,
    document: document.name,
    ...place,
    label: knowledgeLabel(source, given),
    domain: source.domain,
    roles: mesh.domains.get(source.domain)?.allowedRoles ?? [],
    mandate: null,
    origin: source.origin,
    readers: document.readers,
    expiresAt: neverMs,
    incarnation: null,
    causes: [],
    state: found === null ? 'current' as const : 'flagged' as const,
    reason: found === null ? null : 'KNOWLEDGE_SUSPECT' as const,
  };
  const vector = blindVector(text, indexKey);
  return sealItem({ facts, value: { text }, terms: [], vector }, indexKey, keys, random);
}

/** Whoever wrote a document chose its words: what is retrieved is data of a third party, whatever it says. */
function knowledgeLabel(source: KnowledgeSource, given: Classification): Label {
  const classification = flowsTo(source.classification, given) ? given : source.classification;
  return { classification, integrity: 'untrusted', origins: [`knowledge:${source.name}`] };
}

/**
 * Pieces of a source near to a text, of those that this agent may see, that are not stale, and in which
 * nothing was found. More are found than are asked for, and each is opened and compared with its hash
 * (DP-2.2, DP-3.1). Rejects where store, keys or recorder fail.
 */
export async function query(
  ask: QueryAsk,
  reader: Reader,
  context: KnowledgeContext,
): Promise<KnowledgeAnswer> {
  const { agent } = reader;
  const { mesh, clock, recorder, store } = context;
  const source = mesh.knowledge?.get(ask.source);
  const mayQuery = source?.readers.has(agent.fromTemplate ?? agent.name) === true;
  const refusal = source === undefined || !mayQuery ? 'KNOWLEDGE_DENIED'
    : domainRefusal(source.domain, reader, clock.nowMs(), context);
  if (source === undefined || refusal !== null) {
    const code = refusal ?? 'KNOWLEDGE_DENIED';
    // A source that nobody declared is named by the agent: its name is not for the record.
    const detail = source === undefined ? {} : { source: source.name };
    await recorder.record([askEntry('knowledge.read', agent.name, ask, { code, causedBy: [], detail }, context)]);
    return refusedAnswer(code);
  }
  const { opened, withheld } = await openedPieces(ask, source, reader, context);
  const given = withinAnswer(opened, Math.min(ask.limit, givenMax));
  const ids = given.map(({ facts }) => facts.id);
  const detail = { source: source.name, items: ids.length, withheld };
  const ended = { code: null, causedBy: ids, detail };
  await recorder.record([askEntry('knowledge.read', agent.name, ask, ended, context)]);
  await store.noteReads(ask.incarnation, ask.id, ids);
  return { ok: true, items: given.map((one) => givenItem(one, one.weight)) };
}

type NearPiece = OpenedItem & { readonly weight: number };

async function openedPieces(
  ask: QueryAsk,
  source: KnowledgeSource,
  reader: Reader,
  context: KnowledgeContext,
): Promise<{ readonly opened: readonly NearPiece[]; readonly withheld: number }> {
  const { store, keys, clock } = context;
  const shelf = sourceShelf(source.name);
  const indexKey = await keys.index(shelf);
  const vector = blindVector(ask.text, indexKey);
  const nowMs = clock.nowMs();
  const limit = Math.min(ask.limit, givenMax) * source.overFetch;
  const opened: NearPiece[] = [];
  let withheld = 0;
  // Before they are ranked: words in a piece that he may not see change nothing of what he gets.
  const maySee = (item: Audience): boolean => isServed(item.state, source) &&
    nowMs - item.writtenAt < source.maxAgeMs && mayRead(item, reader, nowMs, context);
  for (const { item, similarity: weight } of await store.nearest(shelf, vector, limit, maySee)) {
    // What is read now counts, also where it changed since the vectors were read.
    const isSeen = item.shelf === shelf && maySee(item);
    const one = isSeen && weight > 0 ? await openOrQuarantine(item, indexKey, context) : null;
    if (one === null) withheld += 1;
    else opened.push({ ...one, weight });
  }
  return { opened, withheld };
}

function isServed(state: ItemState, { flagged }: KnowledgeSource): boolean {
  return state === 'current' || (state === 'flagged' && flagged === 'serve');
}
