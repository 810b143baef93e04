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
  askEntry, barredRefusal, givenItem, openOrQuarantine, refusedAnswer, withinAnswer, type AskContext, type KnowledgeContext,
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

export type Ingested = {
  readonly document: string;
  readonly pieces: number;
  /** Pieces in which a control found something. */
  readonly flagged: number;
  readonly superseded: number;
  /** Keyed digest of the whole text, as it stands in the record. */
  readonly digest: string;
};

/** Documents sealed and not kept yet: `ItemStore.add` takes both lists in one step, all or none. */
export type Prepared =
  | {
      readonly ok: true;
      readonly items: readonly StoredItem[];
      readonly superseded: readonly string[];
      readonly documents: readonly Ingested[];
    }
  | { readonly ok: false; readonly code: KnowledgeCode; readonly document: string };

/**
 * Makes documents ready for a source: cut into pieces, each looked at by the content controls, hashed and
 * sealed. A piece in which something is found is flagged. Earlier pieces of the documents are to be
 * superseded in the step that adds these. Rejects where store or keys fail.
 */
export async function prepareDocuments(
  documents: readonly Document[],
  source: KnowledgeSource,
  context: KnowledgeContext,
): Promise<Prepared> {
  const { store, keys, clock } = context;
  const shelf = sourceShelf(source.name);
  const indexKey = await keys.index(shelf);
  const writtenAt = clock.nowMs();
  const names = new Set<string>();
  const items: StoredItem[] = [];
  const superseded: string[] = [];
  const taken: Ingested[] = [];
  let held = await store.count(shelf, writtenAt);
  for (const document of documents) {
    const refuse = (code: KnowledgeCode): Prepared => ({ ok: false, code, document: document.name });
    const texts = piecesOf(document.text);
    if (texts.length === 0) return refuse('KNOWLEDGE_ITEM_UNKNOWN');
    if (names.has(document.name)) return refuse('KNOWLEDGE_DOCUMENT_TWICE');
    names.add(document.name);
    const earlier = (await store.document(shelf, document.name)).map(({ id }) => id);
    held += texts.length - earlier.length;
    if (held > source.piecesMax) return refuse('KNOWLEDGE_FULL');
    const before = items.length;
    for (const [part, text] of texts.entries()) {
      const place = { part, parts: texts.length, writtenAt };
      items.push(await pieceOf(document, text, place, source, indexKey, context));
    }
    superseded.push(...earlier);
    taken.push({
      document: document.name,
      pieces: texts.length,
      flagged: items.slice(before).filter(({ state }) => state === 'flagged').length,
      superseded: earlier.length,
      digest: itemDigest(document.text, indexKey),
    });
  }
  return { ok: true, items, superseded, documents: taken };
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
  context: AskContext,
): Promise<KnowledgeAnswer> {
  const { agent } = reader;
  const { mesh, clock, recorder, store } = context;
  const source = mesh.knowledge?.get(ask.source);
  const mayQuery = source?.readers.has(agent.fromTemplate ?? agent.name) === true;
  const refusal = source === undefined || !mayQuery ? 'KNOWLEDGE_DENIED'
    : domainRefusal(source.domain, reader, clock.nowMs(), context) ?? await barredRefusal(ask, context);
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
  const served = new Set(await store.noteReads(ask.incarnation, ask.id, ids));
  return {
    ok: true,
    items: given.filter(({ facts }) => served.has(facts.id)).map((one) => givenItem(one, one.weight)),
  };
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
