// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import { createHmac } from 'node:crypto';
import { flowsTo } from '../label/label.ts';
import { mintUlid } from '../message/identifiers.ts';
import { domainRefusal, type Reader } from './access.ts';
import type { GivenItem, KnowledgeAnswer, KnowledgeAsk } from './asks.ts';
import {
  askEntry, barredRefusal, givenItem, openOrQuarantine, refusedAnswer, type AskContext, type KnowledgeContext,
} from './context.ts';
import type { StoredItem } from './item.ts';
import { sealItem } from './sealing.ts';
import { neverMs } from './shelf-keys.ts';

type TokeniseAsk = Extract<KnowledgeAsk, { kind: 'tokenise' }>;
type RevealAsk = Extract<KnowledgeAsk, { kind: 'reveal' }>;

const shelf = 'tokens/mesh';
const tokenBytes = 16;

/**
 * A token for each value, in their order. The same value has the same one, so that records of one person
 * stay together; without the key nobody can try names out. Values are kept sealed. Rejects where
 * store, keys or recorder fail; then nothing was replaced, and the caller hands nothing over.
 */
export async function tokenise(
  ask: TokeniseAsk,
  { agent }: Reader,
  context: AskContext,
): Promise<KnowledgeAnswer> {
  const { store, keys, random, recorder, mesh } = context;
  if ((mesh.tokens ?? null) === null) return refusedAnswer('KNOWLEDGE_DENIED');
  const barred = await barredRefusal(ask, context);
  if (barred !== null) {
    const ended = { code: barred, causedBy: [], detail: {} };
    await recorder.record([askEntry('memory.written', agent.name, ask, ended, context)]);
    return refusedAnswer(barred);
  }
  const indexKey = await keys.index(shelf);
  const added = new Map<string, StoredItem>();
  const items: GivenItem[] = [];
  for (const value of ask.values) {
    const token = tokenOf(value, indexKey);
    const known = added.get(token) ?? (await kept(token, context));
    const plain = { facts: factsOf(agent.name, context), value, terms: [token], vector: null };
    const item = known ?? (await sealItem(plain, indexKey, keys, random));
    if (known === null) added.set(token, item);
    items.push(givenItem({ facts: item, value: token }, 1));
  }
  if (added.size > 0) await store.add([...added.values()]);
  await recorder.record([askEntry('memory.written', agent.name, ask, {
    code: null, causedBy: [], detail: { tokens: items.length, isNew: added.size },
  }, context)]);
  return { ok: true, items };
}

/**
 * The values of tokens, for an agent that the mesh file shows them to and that is cleared for them; each
 * time it is on record.
 */
export async function reveal(
  ask: RevealAsk,
  reader: Reader,
  context: AskContext,
): Promise<KnowledgeAnswer> {
  const { mesh, clock, keys, recorder } = context;
  const { agent } = reader;
  const settings = mesh.tokens ?? null;
  const refusal = settings?.sees.has(agent.name) === true
    ? domainRefusal(settings.domain, reader, clock.nowMs(), context) ?? await barredRefusal(ask, context)
    : 'KNOWLEDGE_DENIED';
  if (refusal !== null) {
    const ended = { code: refusal, causedBy: [], detail: {} };
    await recorder.record([askEntry('knowledge.read', agent.name, ask, ended, context)]);
    return refusedAnswer(refusal);
  }
  const indexKey = await keys.index(shelf);
  const items: GivenItem[] = [];
  for (const token of ask.tokens) {
    const item = await kept(token, context);
    const opened = item === null ? null : await openOrQuarantine(item, indexKey, context);
    // A token that somebody made up, or put in the place of another one, says nothing.
    const isOwn = opened !== null && typeof opened.value === 'string' && tokenOf(opened.value, indexKey) === token;
    const isCleared = opened !== null && flowsTo(opened.facts.label.classification, agent.clearance);
    if (isOwn && isCleared) items.push(givenItem({ facts: opened.facts, value: [token, opened.value] }, 1));
  }
  const detail = { tokens: ask.tokens.length, revealed: items.length };
  const ended = { code: null, causedBy: items.map(({ id }) => id), detail };
  await recorder.record([askEntry('knowledge.read', agent.name, ask, ended, context)]);
  return { ok: true, items };
}

async function kept(token: string, { store, clock }: KnowledgeContext): Promise<StoredItem | null> {
  const asked = { shelf, task: null, terms: [token], nowMs: clock.nowMs(), limit: 1 };
  const [item] = await store.find(asked);
  return item?.shelf === shelf ? item : null;
}

function factsOf(agent: string, { mesh, clock, random }: KnowledgeContext) {
  const domain = mesh.domains.get(mesh.tokens?.domain ?? '');
  return {
    id: mintUlid(clock, random), shelf, task: null, document: null, part: 0, parts: 1,
    label: { classification: domain?.classification ?? 'restricted', integrity: 'internal', origins: [] },
    domain: domain?.name ?? '', roles: domain?.allowedRoles ?? [], mandate: null,
    origin: `agent:${agent}`, readers: null,
    writtenAt: clock.nowMs(), expiresAt: neverMs, incarnation: null, causes: [],
    state: 'current', reason: null,
  } as const;
}

function tokenOf(value: string, key: Uint8Array): string {
  const digest = createHmac('sha256', key).update(`token/1 ${value.normalize('NFC')}`).digest();
  return `tok_${Buffer.from(digest.subarray(0, tokenBytes)).toString('base64url')}`;
}
