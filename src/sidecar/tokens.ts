// SPDX-License-Identifier: Apache-2.0
import type { KnowledgeAsk } from '../knowledge/asks.ts';
import { tokenLengthMax, tokensMax } from '../knowledge/asks.ts';
import type { KnowledgeCode } from '../knowledge/codes.ts';
import { memberForm } from '../label/combination.ts';
import { canonicalize } from '../message/canonical-json.ts';
import { mintUlid } from '../message/identifiers.ts';
import type { JsonValue } from '../message/json.ts';
import type { SidecarContext } from './context.ts';

const tokenForm = /tok_[A-Za-z0-9_-]{22}/g;
const wholeToken = /^tok_[A-Za-z0-9_-]{22}$/;
/** Different personal texts of one value at most; each batch of them is a step of the node. */
const personalMax = 16 * tokensMax;
/** Of one batch as JSON, in characters: with three bytes each it fits a frame. */
const batchLengthMax = 256 * 1024;

/**
 * A value under tokens, or why it is handed to nobody: KNOWLEDGE_UNAVAILABLE passes, while
 * KNOWLEDGE_TOKENS_TOO_LARGE is for good, since the same value is as large the next time.
 */
export type Tokened =
  | { readonly ok: true; readonly value: JsonValue }
  | {
      readonly ok: false;
      readonly code: Extract<KnowledgeCode, 'KNOWLEDGE_UNAVAILABLE' | 'KNOWLEDGE_TOKENS_TOO_LARGE'>;
    };

/**
 * The value with a token in the place of each text and number at or below a declared member: what is
 * personal leaves an agent, and a tool towards an agent that is not shown it, under tokens only. A
 * number is known by its canonical text. At most 1024 different ones of 4096 characters each.
 */
export async function withTokens(
  value: JsonValue,
  task: string,
  context: SidecarContext,
): Promise<Tokened> {
  const settings = context.mesh.tokens ?? null;
  if (settings === null) return { ok: true, value };
  const named = new Set<string>();
  mapPersonal(value, settings.members, (text) => {
    named.add(text);
    return text;
  });
  if (named.size === 0) return { ok: true, value };
  // Looked at before the node is asked: it would drop the line for what no frame may hold.
  const isHeld = (text: string): boolean => text.length <= tokenLengthMax && text.isWellFormed();
  if (named.size > personalMax || ![...named].every(isHeld)) {
    return { ok: false, code: 'KNOWLEDGE_TOKENS_TOO_LARGE' };
  }
  const tokens = new Map<string, string>();
  for (const values of batchesOf([...named])) {
    const given = await asked({ kind: 'tokenise', values }, task, context);
    if (given === null || given.length !== values.length) return { ok: false, code: 'KNOWLEDGE_UNAVAILABLE' };
    for (const [at, text] of values.entries()) tokens.set(text, String(given[at]));
  }
  return { ok: true, value: mapPersonal(value, settings.members, (text) => tokens.get(text) ?? '') };
}

/** What an agent says, under tokens; at once where there is nothing to ask. */
export function tokened(
  payload: JsonValue,
  task: string,
  context: SidecarContext,
): Tokened | Promise<Tokened> {
  if ((context.mesh.tokens ?? null) === null || payload === null) return { ok: true, value: payload };
  return withTokens(payload, task, context);
}

/** The value as its reader may see it: with names for whom the mesh file shows them to, else as it is. */
export async function withNames(
  value: JsonValue,
  task: string,
  context: SidecarContext,
): Promise<JsonValue> {
  if (!seesNames(context)) return value;
  const found = new Set<string>();
  mapTexts(value, (text) => {
    for (const [token] of text.matchAll(tokenForm)) found.add(token);
    return text;
  });
  const names = new Map<string, string>();
  for (const tokens of batchesOf([...found].slice(0, personalMax))) {
    // What cannot be told now stays a token, which says nothing wrong.
    const pairs = (await asked({ kind: 'reveal', tokens }, task, context)) ?? [];
    for (const pair of pairs) if (Array.isArray(pair)) names.set(String(pair[0]), String(pair[1]));
  }
  return mapTexts(value, (text) => text.replaceAll(tokenForm, (token) => names.get(token) ?? token));
}

export function seesNames({ mesh, agent }: Pick<SidecarContext, 'mesh' | 'agent'>): boolean {
  return mesh.tokens?.sees.has(agent.name) === true;
}

type TokenAsk =
  | Pick<Extract<KnowledgeAsk, { kind: 'tokenise' }>, 'kind' | 'values'>
  | Pick<Extract<KnowledgeAsk, { kind: 'reveal' }>, 'kind' | 'tokens'>;

async function asked(
  ask: TokenAsk,
  task: string,
  { knowledge, clock, random, store }: SidecarContext,
): Promise<readonly JsonValue[] | null> {
  // The sidecar itself asks before its agent has a session.
  const incarnation = store.incarnation()?.id ?? 'none';
  const answer = await knowledge.ask({ ...ask, id: mintUlid(clock, random), task, incarnation });
  return answer?.ok === true ? answer.items.map(({ value }) => value) : null;
}

/** As many at a time as one ask may name and one frame may hold. */
function batchesOf(texts: readonly string[]): readonly (readonly string[])[] {
  const batches: string[][] = [];
  let length = 0;
  for (const text of texts) {
    const size = JSON.stringify(text).length + 1;
    const last = batches.at(-1);
    if (last === undefined || last.length >= tokensMax || length + size > batchLengthMax) {
      batches.push([text]);
      length = size;
    } else {
      last.push(text);
      length += size;
    }
  }
  return batches;
}

/** Changes what stands at or below the members: a token is none's name, an empty text nobody's. */
function mapPersonal(
  value: JsonValue,
  members: ReadonlySet<string>,
  change: (text: string) => string,
  isPersonal = false,
): JsonValue {
  if (typeof value === 'string') {
    return isPersonal && value !== '' && !wholeToken.test(value) ? change(value) : value;
  }
  if (typeof value === 'number') {
    if (!isPersonal) return value;
    const text = canonicalize(value);
    const changed = change(text);
    return changed === text ? value : changed;
  }
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => mapPersonal(item, members, change, isPersonal));
  return Object.fromEntries(Object.entries(value).map(([name, held]) =>
    [name, mapPersonal(held, members, change, isPersonal || members.has(memberForm(name)))]));
}

function mapTexts(value: JsonValue, change: (text: string) => string): JsonValue {
  if (typeof value === 'string') return change(value);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => mapTexts(item, change));
  return Object.fromEntries(Object.entries(value).map(([name, held]) => [name, mapTexts(held, change)]));
}
