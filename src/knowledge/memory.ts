// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import { dominates, flowsTo, raiseTo } from '../label/label.ts';
import type { MemorySettings } from '../mesh/knowledge-settings.ts';
import { canonicalize } from '../message/canonical-json.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../message/json.ts';
import { domainRefusal, mayRead, type Reader } from './access.ts';
import { givenMax, type KnowledgeAnswer, type KnowledgeAsk } from './asks.ts';
import { blindTerm, blindTerms, isScalar, itemDigest } from './blind.ts';
import {
  askEntry, barredRefusal, givenItem, openOrQuarantine, refusedAnswer, withinAnswer, type AskContext, type KnowledgeContext,
} from './context.ts';
import { memoryShelf, type ItemFacts, type OpenedItem } from './item.ts';
import { itemBytesMax, sealItem } from './sealing.ts';

type RememberAsk = Extract<KnowledgeAsk, { kind: 'remember' }>;
type RecallAsk = Extract<KnowledgeAsk, { kind: 'recall' }>;

/** The newest causes are kept: those before them led to these. */
const causesMax = 256;
/** Entries looked at for each one that is given: some may not be seen, some were altered. */
const overFetch = 3;

/**
 * Keeps an entry of an agent's memory (DP-2.4, DP-3.2): sealed, under the label of all that its writer had
 * read, for its agent and task, until its retention ends. The same value with no worse a label is
 * kept once. Rejects where store, keys or recorder fail; then it is not kept.
 */
export async function remember(
  ask: RememberAsk,
  reader: Reader,
  context: AskContext,
): Promise<KnowledgeAnswer> {
  const { agent } = reader;
  const settings = memoryOf(reader, context);
  const refusal = settings === null ? 'KNOWLEDGE_NO_MEMORY' : await writeRefusal(ask, reader, settings, context);
  if (settings === null || refusal !== null) {
    return refusedWrite(ask, agent.name, refusal ?? 'KNOWLEDGE_NO_MEMORY', context);
  }
  const shelf = memoryShelf(agent.name);
  const repeated = await context.store.get(ask.id);
  if (repeated !== null) {
    return repeated.shelf === shelf ? { ok: true, items: [givenItem({ facts: repeated, value: null }, 1)] }
      : refusedAnswer('KNOWLEDGE_DENIED');
  }
  const kept = await keep(ask, reader, settings, shelf, context);
  return { ok: true, items: [givenItem(kept, 1)] };
}

async function keep(
  ask: RememberAsk,
  { agent }: Reader,
  settings: MemorySettings,
  shelf: string,
  context: AskContext,
): Promise<OpenedItem> {
  const { store, keys, clock, random, recorder, mesh } = context;
  const indexKey = await keys.index(shelf);
  const domain = mesh.domains.get(settings.domain);
  const label = raiseTo(ask.label, domain?.classification ?? 'restricted');
  const digest = itemDigest(ask.value, indexKey);
  const writtenAt = clock.nowMs();
  const alike = await store.find({ shelf, task: ask.task, terms: [digest], nowMs: writtenAt, limit: 8 });
  const known = alike.find((one) => dominates(one.label, label)
    && one.mandate === ask.mandate && namesAll(one, ask.principals));
  const facts = {
    id: ask.id, shelf, label,
    task: ask.task,
    document: null, part: 0, parts: 1,
    domain: settings.domain,
    roles: domain?.allowedRoles ?? [],
    mandate: ask.mandate,
    origin: `agent:${agent.name}`,
    readers: [agent.name],
    writtenAt,
    expiresAt: writtenAt + settings.retentionMs,
    incarnation: ask.incarnation,
    causes: ask.causes.slice(-causesMax),
    principals: ask.principals,
    state: ask.suspect ? 'flagged' as const : 'current' as const,
    reason: ask.suspect ? 'KNOWLEDGE_SUSPECT' as const : null,
  };
  const terms = [digest, ...blindTerms(ask.value, settings.index, indexKey)];
  const item = known ?? (await sealItem({ facts, value: ask.value, terms, vector: null }, indexKey, keys, random));
  if (known === undefined) await store.add([item]);
  const { classification, integrity } = label;
  await recorder.record([askEntry('memory.written', agent.name, ask, {
    code: null,
    causedBy: facts.causes,
    detail: { item: item.id, classification, integrity, digest, isNew: known === undefined, state: item.state },
  }, context)]);
  return { facts: item, value: null };
}

/** An entry that leaves out who led to the newer one would launder it. */
function namesAll({ principals = [] }: ItemFacts, asked: readonly string[]): boolean {
  return principals.includes('*') || asked.every((one) => principals.includes(one));
}

async function writeRefusal(
  ask: RememberAsk,
  reader: Reader,
  settings: MemorySettings,
  context: KnowledgeContext,
): Promise<string | null> {
  const nowMs = context.clock.nowMs();
  const domain = domainRefusal(settings.domain, reader, nowMs, context);
  if (domain !== null) return domain;
  const barred = await barredRefusal(ask, context);
  if (barred !== null) return barred;
  if (!flowsTo(ask.label.classification, reader.agent.clearance)) return 'KNOWLEDGE_CLEARANCE';
  if (ask.mandate !== null && context.revocations.isMandateRevoked(ask.mandate)) return 'KNOWLEDGE_DENIED';
  const bytes = Buffer.byteLength(canonicalize(ask.value), 'utf8');
  if (!(bytes <= itemBytesMax)) return 'KNOWLEDGE_ENTRY_TOO_LARGE';
  const held = await context.store.count(memoryShelf(reader.agent.name), nowMs);
  return held < settings.entriesMax ? null : 'KNOWLEDGE_FULL';
}

async function refusedWrite(
  ask: RememberAsk,
  agent: string,
  code: string,
  context: AskContext,
): Promise<KnowledgeAnswer> {
  const ended = { code, causedBy: [], detail: {} };
  await context.recorder.record([askEntry('memory.written', agent, ask, ended, context)]);
  return refusedAnswer(code);
}

/**
 * Entries of the agent's own memory, newest first: of this task, or of all where the mesh file says so.
 * Each is opened and compared with what was kept. That it is read is on record, and in the trail that
 * quarantine follows, before anything is given. Rejects where store, keys or recorder fail.
 */
export async function recall(
  ask: RecallAsk,
  reader: Reader,
  context: AskContext,
): Promise<KnowledgeAnswer> {
  const { agent } = reader;
  const { clock, recorder, store } = context;
  const settings = memoryOf(reader, context);
  const nowMs = clock.nowMs();
  const refusal = settings === null ? 'KNOWLEDGE_NO_MEMORY'
    : domainRefusal(settings.domain, reader, nowMs, context) ?? whereRefusal(ask, settings)
      ?? await barredRefusal(ask, context);
  if (settings === null || refusal !== null) {
    const code = refusal ?? 'KNOWLEDGE_NO_MEMORY';
    const ended = { code, causedBy: [], detail: {} };
    await recorder.record([askEntry('memory.read', agent.name, ask, ended, context)]);
    return refusedAnswer(code);
  }
  const found = await openedEntries(ask, reader, settings, context);
  const given = withinAnswer(found, Math.min(ask.limit, givenMax));
  const ids = given.map(({ facts }) => facts.id);
  await recorder.record([askEntry('memory.read', agent.name, ask, {
    code: null, causedBy: ids, detail: { items: ids.length },
  }, context)]);
  const served = new Set(await store.noteReads(ask.incarnation, ask.id, ids));
  return {
    ok: true,
    items: given.filter(({ facts }) => served.has(facts.id)).map((one) => givenItem(one, decayed(nowMs - one.facts.writtenAt, settings.halfLifeMs))),
  };
}

async function openedEntries(
  ask: RecallAsk,
  reader: Reader,
  settings: MemorySettings,
  context: KnowledgeContext,
): Promise<readonly OpenedItem[]> {
  const { store, keys, clock } = context;
  const shelf = memoryShelf(reader.agent.name);
  const indexKey = await keys.index(shelf);
  const nowMs = clock.nowMs();
  const terms = Object.entries(ask.where).map(([field, value]) => blindTerm(field, value, indexKey));
  const task = settings.per === 'task' ? ask.task : null;
  const limit = Math.min(ask.limit, givenMax) * overFetch;
  const opened: OpenedItem[] = [];
  for (const item of await store.find({ shelf, task, terms, nowMs, limit })) {
    // What the store searches by is not authenticated: what is in the item decides.
    const isOwn = item.shelf === shelf && (task === null || item.task === task);
    if (!isOwn || !mayRead(item, reader, nowMs, context)) continue;
    const one = await openOrQuarantine(item, indexKey, context);
    if (one !== null && answers(one.value, ask.where)) opened.push(one);
  }
  return opened;
}

function answers(value: JsonValue, where: JsonObject): boolean {
  return Object.entries(where).every(([field, asked]) =>
    isJsonObject(value) && Object.hasOwn(value, field) && value[field] === asked);
}

/** Null where this agent has none: spawned agents share their names with those before them. */
function memoryOf({ agent }: Reader, { mesh }: KnowledgeContext): MemorySettings | null {
  const settings = mesh.memory ?? null;
  const isSpawned = (agent.fromTemplate ?? null) !== null;
  return settings !== null && !isSpawned && settings.agents.has(agent.name) ? settings : null;
}

function whereRefusal({ where }: RecallAsk, { index }: MemorySettings): string | null {
  const isKnown = Object.entries(where).every(([field, value]) => index.includes(field) && isScalar(value));
  return isKnown ? null : 'KNOWLEDGE_FIELD_UNKNOWN';
}

/** How much an entry of this age still counts. */
function decayed(ageMs: number, halfLifeMs: number): number {
  return 2 ** (-Math.max(0, ageMs) / halfLifeMs);
}
