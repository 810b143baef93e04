// SPDX-License-Identifier: Apache-2.0
import type { Mesh } from '../mesh/mesh.ts';
import type { Clock, Random } from '../message/clock.ts';
import type { JsonObject, JsonValue } from '../message/json.ts';
import type { EntryDraft, EntryKind, Recorder } from '../recorder/entry.ts';
import { finding } from '../review/verdict.ts';
import type { AccessContext } from './access.ts';
import type { GivenItem, KnowledgeAnswer, KnowledgeAsk } from './asks.ts';
import type { KnowledgeCode } from './codes.ts';
import type { ItemFacts, ItemState, OpenedItem, StoredItem } from './item.ts';
import type { ItemStore } from './item-store.ts';
import { openItem } from './sealing.ts';
import type { ShelfKeys } from './shelf-keys.ts';

/** What queries and entries are answered with; one for each node. */
export type KnowledgeContext = AccessContext & {
  readonly mesh: Mesh;
  readonly store: ItemStore;
  readonly keys: ShelfKeys;
  readonly clock: Clock;
  readonly random: Random;
  readonly recorder: Recorder;
  /** The content controls on a text of a document; the code of what they found, or null. */
  readonly review: (text: string) => Promise<string | null>;
};

/** With when the ask came, microseconds of `performance.now`. */
export type AskContext = KnowledgeContext & { readonly startedUs: number };

/**
 * An item opened, or null where it was altered: then it is quarantined before anything else happens, and
 * on record as a sign. What cannot be asked just now rejects.
 */
export async function openOrQuarantine(
  item: StoredItem,
  indexKey: Uint8Array,
  context: KnowledgeContext,
): Promise<OpenedItem | null> {
  const value = await openItem(item, indexKey, context.keys);
  if (value !== undefined) return { facts: item, value };
  await markItem(item, 'quarantined', 'KNOWLEDGE_ALTERED', context);
  return null;
}

/** Puts an item into another state for what was found, with a sign of it on record; one for each item and find. */
export async function markItem(
  item: ItemFacts,
  state: ItemState,
  code: KnowledgeCode,
  { store, recorder, clock }: KnowledgeContext,
): Promise<void> {
  await store.setState([item.id], state, code);
  await recorder.record([{
    kind: 'indicator.raised',
    id: `${item.id}.${code}`,
    at: clock.nowMs(),
    actor: 'node',
    task: item.task,
    message: item.id,
    causedBy: [item.id],
    outcome: null,
    code,
    verdicts: [],
    tookUs: null,
    detail: { indicator: 'KNOWLEDGE', ...shelfDetail(item.shelf) },
  }]);
}

/** A shelf as the record names it. */
function shelfDetail(shelf: string): JsonObject {
  const [kind = '', name = ''] = shelf.split('/');
  return kind === 'memory' ? { agent: name } : { source: name };
}

/** A run of an agent that was given what was put aside keeps nothing and is given nothing more. */
export async function barredRefusal(
  { incarnation }: Pick<KnowledgeAsk, 'incarnation'>,
  { store }: Pick<KnowledgeContext, 'store'>,
): Promise<KnowledgeCode | null> {
  return (await store.isBarred(incarnation)) ? 'KNOWLEDGE_QUARANTINED' : null;
}

/** What is given of an opened item; never more than the reader's domain lets it see. */
export function givenItem({ facts, value }: OpenedItem, weight: number): GivenItem {
  const { id, label, origin, document, part, writtenAt } = facts;
  return { id, value, label, origin, document, part, writtenAt, weight, principals: principalsOf(facts) };
}

/** Of an entry that does not say who led to it, anybody may have: nobody can vouch for that. */
function principalsOf({ shelf, principals }: ItemFacts): readonly string[] {
  return principals ?? (shelf.startsWith('memory/') ? ['*'] : []);
}

/**
 * The account of one read or write, with the verdict on it and under which version of the policy it was
 * said; causes are the items that were read, or what led to the entry.
 */
export function askEntry(
  kind: Extract<EntryKind, 'memory.written' | 'memory.read' | 'knowledge.read'>,
  agent: string,
  ask: KnowledgeAsk,
  ended: { readonly code: string | null; readonly causedBy: readonly string[]; readonly detail: JsonObject },
  { clock, mesh, startedUs }: AskContext,
): EntryDraft {
  const { code } = ended;
  const outcome = code === null ? 'GO' : 'NO-GO';
  const tookUs = Math.max(0, Math.round(performance.now() * 1000 - startedUs));
  const findings = code === null ? [] : [finding(code, `knowledge/${ask.kind}`)];
  const version = mesh.digest.slice(0, 12);
  return {
    kind,
    id: `${ask.id}.${ask.kind}`,
    at: clock.nowMs(),
    actor: 'node',
    task: ask.task,
    message: ask.id,
    causedBy: ended.causedBy,
    outcome,
    code,
    verdicts: [{ outcome, control: 'policy-compliance', version, tookUs, findings }],
    tookUs,
    detail: { agent, incarnation: ask.incarnation, ...ended.detail },
  };
}

export function refusedAnswer(code: string): KnowledgeAnswer {
  return { ok: false, code };
}

/** Bytes of the items of one answer at most: it has to fit a frame. */
export const answerBytesMax = 384 * 1024;

/** As many of the first items as one answer may hold. */
export function withinAnswer<Item extends { readonly value: JsonValue }>(
  items: readonly Item[],
  countMax: number,
): readonly Item[] {
  let bytes = 0;
  const fitting: Item[] = [];
  for (const item of items) {
    bytes += JSON.stringify(item.value).length * 3;
    if (fitting.length >= countMax || bytes > answerBytesMax * 3) break;
    fitting.push(item);
  }
  return fitting;
}
