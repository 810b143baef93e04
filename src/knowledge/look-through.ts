// SPDX-License-Identifier: Apache-2.0
import { isJsonObject, type JsonValue } from '../message/json.ts';
import { isScalar } from './blind.ts';
import type { KnowledgeCode } from './codes.ts';
import { markItem, openOrQuarantine, type KnowledgeContext } from './context.ts';
import { type ItemFacts, type OpenedItem, type StoredItem } from './item.ts';

/** Something about a kept item or document that somebody should look at. */
export type Concern = {
  readonly item: string;
  readonly shelf: string;
  readonly document: string | null;
  readonly code: KnowledgeCode;
};

const pageSize = 100;
/** Of what is broken, and of the rest, in one answer; what is beyond is acted upon all the same. */
const concernsMax = 10_000;

/**
 * Looks through everything that is kept, with no help of the agents (DP-2.2, DP-3.3): what is over is
 * removed, what does not open is quarantined, documents that lack a piece, are stale or were replaced
 * are named, what is broken first, and an entry that contradicts an older one is flagged. `pause` lets other
 * work go on between two pages, and between two entries that were compared with others. Rejects where store
 * or keys fail.
 */
export async function lookThrough(
  context: KnowledgeContext,
  pause: () => Promise<void>,
): Promise<readonly Concern[]> {
  const { store, keys, clock } = context;
  const nowMs = clock.nowMs();
  await store.removeExpired(nowMs);
  await keys.prune(nowMs);
  const broken: Concern[] = [];
  const others: Concern[] = [];
  const name = (found: Concern): void => {
    const list = found.code === 'KNOWLEDGE_ALTERED' || found.code === 'KNOWLEDGE_INCOMPLETE' ? broken : others;
    if (list.length < concernsMax) list.push(found);
  };
  const documents = new Map<string, { readonly facts: ItemFacts; count: number }>();
  for (let page = await store.list(null, '', pageSize); page.length > 0; ) {
    for (const item of page) {
      for (const found of await concernsOf(item, nowMs, context)) name(found);
      if (item.document === null && item.terms.length > 1) await pause();
      notePiece(item, documents);
    }
    await pause();
    page = await store.list(null, page.at(-1)?.id ?? '', pageSize);
  }
  for (const { facts, count } of documents.values()) {
    if (count !== facts.parts) name(concern(facts, 'KNOWLEDGE_INCOMPLETE'));
  }
  return [...broken, ...others];
}

async function concernsOf(
  item: StoredItem,
  nowMs: number,
  context: KnowledgeContext,
): Promise<readonly Concern[]> {
  if (item.state === 'quarantined') return [concern(item, item.reason ?? 'KNOWLEDGE_QUARANTINED')];
  const indexKey = await context.keys.index(item.shelf);
  const opened = await openOrQuarantine(item, indexKey, context);
  if (opened === null) return [concern(item, 'KNOWLEDGE_ALTERED')];
  if (item.state === 'superseded') return [concern(item, 'KNOWLEDGE_SUPERSEDED')];
  const [, source = ''] = item.shelf.split('/');
  const maxAgeMs = item.document === null ? null : context.mesh.knowledge?.get(source)?.maxAgeMs;
  // A source that the mesh file has no more is served to nobody.
  const isStale = maxAgeMs === undefined || (maxAgeMs !== null && !(nowMs - item.writtenAt < maxAgeMs));
  if (isStale) return [concern(item, 'KNOWLEDGE_STALE')];
  if (item.state === 'flagged') return [concern(item, item.reason ?? 'KNOWLEDGE_SUSPECT')];
  if (item.document !== null || !(await contradicts(opened, indexKey, context))) return [];
  await markItem(item, 'flagged', 'KNOWLEDGE_CONTRADICTS', context);
  return [concern(item, 'KNOWLEDGE_CONTRADICTS')];
}

function notePiece(
  item: StoredItem,
  documents: Map<string, { readonly facts: ItemFacts; count: number }>,
): void {
  if (item.document === null || item.state === 'superseded') return;
  const name = `${item.shelf} ${item.document} ${item.writtenAt} ${item.parts}`;
  const known = documents.get(name);
  if (known === undefined) documents.set(name, { facts: item, count: 1 });
  else known.count += 1;
}

/**
 * True when an older entry about the same thing, which is what its indexed members say, has another value
 * in a member that both have, and the writer of the newer one had not read it: whoever has read what
 * held before may say that it holds no more.
 */
async function contradicts(
  { facts, value }: OpenedItem,
  indexKey: Uint8Array,
  context: KnowledgeContext,
): Promise<boolean> {
  const { store, mesh, clock } = context;
  const index = mesh.memory?.index ?? [];
  const item = await store.get(facts.id);
  const terms = (item?.terms ?? []).filter((term) => term !== facts.digest);
  if (index.length === 0 || terms.length !== index.length || !isJsonObject(value)) return false;
  const task = mesh.memory?.per === 'task' ? facts.task : null;
  const asked = { shelf: facts.shelf, task, terms, nowMs: clock.nowMs(), limit: pageSize };
  for (const other of await store.find(asked)) {
    if (other.id === facts.id || other.writtenAt > facts.writtenAt) continue;
    const older = await openOrQuarantine(other, indexKey, context);
    if (older === null || !differs(older.value, value, index)) continue;
    if (!(await hadRead(facts, other.id, context))) return true;
  }
  return false;
}

function differs(older: JsonValue, newer: JsonValue, index: readonly string[]): boolean {
  if (!isJsonObject(older) || !isJsonObject(newer)) return false;
  return Object.entries(newer).some(([member, value]) => {
    const before = Object.hasOwn(older, member) ? older[member] : undefined;
    return !index.includes(member) && isScalar(value) && isScalar(before) && before !== value;
  });
}

/** The process that wrote the newer one wrote the older one too, or was given it before. */
async function hadRead(
  { id, incarnation }: ItemFacts,
  older: string,
  { store }: KnowledgeContext,
): Promise<boolean> {
  if (incarnation === null) return false;
  const [wrote, touched] = [await store.firstTouch(incarnation, id), await store.firstTouch(incarnation, older)];
  return wrote !== null && touched !== null && touched < wrote;
}

function concern({ id, shelf, document }: ItemFacts, code: KnowledgeCode): Concern {
  return { item: id, shelf, document, code };
}
