// SPDX-License-Identifier: Apache-2.0
import type { KnowledgeAsk } from '../knowledge/asks.ts';
import { tokensMax } from '../knowledge/asks.ts';
import { memberForm } from '../label/combination.ts';
import { mintUlid } from '../message/identifiers.ts';
import type { JsonValue } from '../message/json.ts';
import type { SidecarContext } from './context.ts';

const tokenForm = /tok_[A-Za-z0-9_-]{22}/g;
const wholeToken = /^tok_[A-Za-z0-9_-]{22}$/;

/**
 * The value with a token in the place of each text under a declared member: what is personal leaves an
 * agent, and a tool towards an agent that is not shown it, under tokens only. Null where the node
 * cannot make them now, or they are too many: then nothing is handed on.
 */
export async function withTokens(
  value: JsonValue,
  task: string,
  context: SidecarContext,
): Promise<JsonValue | null> {
  const settings = context.mesh.tokens ?? null;
  if (settings === null) return value;
  const named = new Set<string>();
  mapTexts(value, (text, member) => {
    if (isPersonal(text, member, settings.members)) named.add(text);
    return text;
  });
  if (named.size === 0) return value;
  const values = [...named];
  const tokens = await asked({ kind: 'tokenise', values }, task, context);
  if (tokens === null || tokens.length !== values.length) return null;
  const byValue = new Map(values.map((text, at) => [text, String(tokens[at])]));
  return mapTexts(value, (text, member) =>
    isPersonal(text, member, settings.members) ? (byValue.get(text) ?? '') : text);
}

/** What an agent says, under tokens; undefined where it may not leave, since they cannot be had. */
export function tokened(
  payload: JsonValue,
  task: string,
  context: SidecarContext,
): JsonValue | Promise<JsonValue | undefined> {
  if ((context.mesh.tokens ?? null) === null || payload === null) return payload;
  return withTokens(payload, task, context).then((value) => value ?? undefined);
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
  if (found.size === 0) return value;
  // What cannot be told now stays a token, which says nothing wrong.
  const pairs = (await asked({ kind: 'reveal', tokens: [...found].slice(0, tokensMax) }, task, context)) ?? [];
  const names = new Map(pairs.flatMap((pair) =>
    Array.isArray(pair) ? [[String(pair[0]), String(pair[1])] as const] : []));
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
  if (ask.kind === 'tokenise' && ask.values.length > tokensMax) return null;
  // The sidecar itself asks before its agent has a session.
  const incarnation = store.incarnation()?.id ?? 'none';
  const answer = await knowledge.ask({ ...ask, id: mintUlid(clock, random), task, incarnation });
  return answer?.ok === true ? answer.items.map(({ value }) => value) : null;
}

/** A token is none's name; an empty text is nobody's. */
function isPersonal(text: string, member: string, members: ReadonlySet<string>): boolean {
  return text !== '' && members.has(memberForm(member)) && !wholeToken.test(text);
}

function mapTexts(
  value: JsonValue,
  change: (text: string, member: string) => string,
  member = '',
): JsonValue {
  if (typeof value === 'string') return change(value, member);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => mapTexts(item, change, member));
  return Object.fromEntries(
    Object.entries(value).map(([name, held]) => [name, mapTexts(held, change, name)]),
  );
}
