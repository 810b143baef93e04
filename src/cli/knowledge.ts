// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { systemClock } from '../adapters/clock-system.ts';
import { systemRandom } from '../adapters/random-system.ts';
import { attachedDigest } from '../control/knowledge-orders.ts';
import { signKnowledgeOrder } from '../identity/knowledge-order.ts';
import type { KnowledgeAct } from '../identity/knowledge-order.ts';
import { isUlid, mintUlid } from '../message/identifiers.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../message/json.ts';
import type { CommandIo } from './check.ts';
import { askNode, keyOfOperator, sayRefused } from './control.ts';
import { stateDirectoryOf } from './state.ts';

type Shown = { readonly state: string; readonly json: boolean };
type Signed = Shown & { readonly as: string; readonly key?: string; readonly reason: string };

/** `maso knowledge list [SOURCE]` and `maso memory list [AGENT]`: what is kept, never what is in it; 1 where nobody can say. */
export async function knowledgeList(
  options: Shown & { readonly shelf: string },
  io: CommandIo,
): Promise<number> {
  const path = `/v1/knowledge?shelf=${encodeURIComponent(options.shelf)}`;
  const { status, body } = await askNode(stateDirectoryOf(options.state, null), 'GET', path);
  // A store that cannot be asked is not an empty one.
  if (status !== 200) return sayRefused(codeIn(body), options.json, io);
  if (options.json) {
    io.out(JSON.stringify(body));
    return 0;
  }
  const items = listOf(body['items']);
  if (items.length === 0) io.out('Nothing is kept there.');
  for (const item of items) io.out(itemLine(item));
  return 0;
}

/** `maso knowledge verify`: compares everything with what was kept, now; exit code 1 where something is wrong. */
export async function knowledgeVerify(options: Shown, io: CommandIo): Promise<number> {
  const { status, body } = await askNode(stateDirectoryOf(options.state, null), 'POST', '/v1/knowledge/verify', {});
  if (status !== 200) return sayRefused(codeIn(body), options.json, io);
  const concerns = listOf(body['concerns']);
  if (options.json) io.out(JSON.stringify(body));
  else if (concerns.length === 0) io.out('Everything is as it was kept.');
  else for (const { item, shelf, document, code } of concerns) {
    const named = document === null ? '' : `  ${String(document)}`;
    io.out(`${String(item)}  ${String(code)}  ${String(shelf)}${named}`);
  }
  const broken = new Set(['KNOWLEDGE_ALTERED', 'KNOWLEDGE_INCOMPLETE']);
  return concerns.some(({ code }) => broken.has(String(code))) ? 1 : 0;
}

/** `maso knowledge ingest SOURCE FILE...`: signs the documents here and hands them to the node. */
export async function knowledgeIngest(
  options: Signed & {
    readonly source: string;
    readonly files: readonly string[];
    readonly classification?: string;
    readonly readers?: string;
  },
  io: CommandIo,
): Promise<number> {
  const { classification = null, readers } = options;
  const attached: JsonValue[] = [];
  for (const file of options.files) {
    attached.push({
      name: basename(file),
      text: await readFile(file, 'utf8'),
      classification,
      readers: readers === undefined ? null : readers.split(',').map((one) => one.trim()),
    });
  }
  const answer = await give(options, 'ingest', options.source, attached);
  if (answer.code !== null) return sayRefused(answer.code, options.json, io);
  if (options.json) io.out(JSON.stringify(answer.body));
  else for (const { document, pieces, flagged, superseded } of listOf(answer.body['taken'])) {
    const found = flagged === 0 ? '' : `, ${String(flagged)} flagged: look at them with maso knowledge list`;
    io.out(`${String(document)}: ${String(pieces)} piece(s), ${String(superseded)} replaced${found}`);
  }
  return 0;
}

/** `maso knowledge quarantine ID`, `maso memory quarantine ID` and `clear`. */
export async function knowledgeAct(
  options: Signed & { readonly act: 'quarantine' | 'clear'; readonly id: string },
  io: CommandIo,
): Promise<number> {
  if (!isUlid(options.id)) return sayRefused('KNOWLEDGE_ITEM_UNKNOWN', options.json, io);
  const answer = await give(options, options.act, options.id, null);
  if (answer.code !== null) return sayRefused(answer.code, options.json, io);
  if (options.json) io.out(JSON.stringify(answer.body));
  else if (options.act === 'clear') io.out(`${options.id} is served again.`);
  else {
    const { items, messages, readers, done } = answer.body;
    io.out(`${String(items)} item(s) and ${String(messages)} message(s) are put aside; ` +
      `${String(readers)} run(s) of agents had read of them; ${String(done)} action(s) were done on the way.`);
  }
  return 0;
}

async function give(
  options: Signed,
  act: KnowledgeAct,
  subject: string,
  attached: JsonValue | null,
): Promise<{ readonly code: string | null; readonly body: JsonObject }> {
  const stateDirectory = stateDirectoryOf(options.state, null);
  const clock = systemClock();
  const signed = signKnowledgeOrder({
    id: mintUlid(clock, systemRandom),
    act,
    subject,
    digest: attached === null ? '' : attachedDigest(attached),
    operator: options.as,
    at: clock.nowMs(),
    reason: options.reason,
  }, await keyOfOperator(stateDirectory, options.key));
  const { status, body } = await askNode(stateDirectory, 'POST', '/v1/knowledge/orders', { signed, attached });
  return { code: status === 200 ? null : codeIn(body), body };
}

function codeIn({ code }: JsonObject): string {
  return typeof code === 'string' ? code : 'KNOWLEDGE_UNAVAILABLE';
}

function itemLine(item: JsonObject): string {
  const { id, state, reason, shelf, document, part, parts, task, label, writtenAt, expiresAt } = item;
  const place = document === null ? `task ${String(task)}`
    : `${String(document)} ${String(Number(part) + 1)}/${String(parts)}`;
  const why = reason === null ? '' : ` (${String(reason)})`;
  const { classification, integrity } = isJsonObject(label) ? label : {};
  const until = Number(expiresAt) >= 8.64e15 ? '' : `, until ${new Date(Number(expiresAt)).toISOString()}`;
  const since = new Date(Number(writtenAt)).toISOString();
  return `${String(id)}  ${String(state)}${why}  ${String(shelf)}  ${place}  ` +
    `${String(classification)}, ${String(integrity)}, since ${since}${until}`;
}

function listOf(value: JsonValue | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter((one): one is JsonObject => isJsonObject(one)) : [];
}
