// SPDX-License-Identifier: Apache-2.0
import { RecordIndex } from '../adapters/record-index-sqlite.ts';
import { walkBack, walkForward } from '../recorder/causal-walk.ts';
import type { CausalChain, CausalStep } from '../recorder/causal-walk.ts';
import type { RecordedEntry } from '../recorder/entry.ts';
import { nodeDirectories } from '../process/directories.ts';
import type { CommandIo } from './check.ts';
import { sayRefused } from './control.ts';
import { stateDirectoryOf } from './state.ts';

export type IndexedOptions = {
  readonly state: string;
  readonly log?: string;
  readonly json: boolean;
};

type QueryOptions = IndexedOptions & {
  readonly kind?: string;
  readonly actor?: string;
  readonly code?: string;
  readonly outcome?: string;
  readonly task?: string;
  readonly message?: string;
  readonly since?: string;
  readonly until?: string;
  readonly limit: string;
};

/** `maso recorder query`: the newest entries that match, newest first. Exit 2 for a bad filter. */
export async function recorderQuery(options: QueryOptions, io: CommandIo): Promise<number> {
  const { state: _state, log: _log, json, since, until, limit, ...fields } = options;
  const [from, to, count] = [timeOf(since), timeOf(until), Number(limit)];
  if (from === null || to === null || !Number.isSafeInteger(count) || count < 1) {
    io.err('--since and --until want a date, --limit a number from 1 up.');
    return 2;
  }
  const query = {
    ...fields,
    ...(from === undefined ? {} : { since: from }),
    ...(to === undefined ? {} : { until: to }),
  };
  const found = await withIndex(options, io, (index) => index.query(query, count));
  for (const entry of found) io.out(json ? JSON.stringify(entry) : entryText(entry));
  if (found.length === 0 && !json) io.err('no entry matches');
  return 0;
}

/** `maso why ID` and `maso recorder reach ID`: the chain of causes, back or forward. */
export async function causalChain(
  direction: 'back' | 'forward',
  options: IndexedOptions & { readonly id: string },
  io: CommandIo,
): Promise<number> {
  const chain = await withIndex(options, io, (index) => {
    const record = {
      namedBy: remembering((id) => index.naming(id)),
      newest: index.query.bind(index),
    };
    return direction === 'back' ? walkBack(options.id, record) : walkForward(options.id, record);
  });
  if (!chain.ok) return sayRefused(chain.code, options.json, io);
  if (options.json) io.out(JSON.stringify(chain));
  else for (const line of chainText(chain)) io.out(line);
  return 0;
}

/** One line of an entry for people. */
export function entryText(entry: RecordedEntry): string {
  const { sequence, recordedAt, kind, outcome, code, actor, message, task } = entry;
  const time = new Date(recordedAt).toISOString();
  const said = [outcome, code].filter((part) => part !== null).join(' ');
  const about = message ?? (task === null ? '' : `task ${task}`);
  return `${String(sequence).padStart(8)}  ${time}  ${kind.padEnd(20)} ${said.padEnd(10)} ${actor}  ${about}`.trimEnd();
}

/** Runs with the index over the log of a state directory, or of `log`, with all that is in it by now. */
export async function withIndex<T>(
  options: Pick<IndexedOptions, 'state' | 'log'>,
  io: CommandIo,
  run: (index: RecordIndex) => Promise<T>,
): Promise<T> {
  const directories = nodeDirectories(stateDirectoryOf(options.state, null));
  const directory = options.log ?? directories.log;
  const path = options.log === undefined ? directories.index : `${options.log}.index`;
  const index = await RecordIndex.open({ directory, path });
  try {
    let toldAt = performance.now();
    await index.catchUp((entries) => {
      if (performance.now() - toldAt < 2000) return;
      toldAt = performance.now();
      io.err(`${entries} entries indexed`);
    });
    return await run(index);
  } finally {
    index.close();
  }
}

/** Several steps ask for the same id; the log does not change what it said of it meanwhile. */
function remembering(ask: (id: string) => Promise<readonly RecordedEntry[]>) {
  const known = new Map<string, Promise<readonly RecordedEntry[]>>();
  return (id: string): Promise<readonly RecordedEntry[]> => {
    let answer = known.get(id);
    if (answer === undefined) {
      answer = ask(id);
      if (known.size < 10_000) known.set(id, answer);
    }
    return answer;
  };
}

function chainText(chain: Extract<CausalChain, { ok: true }>): readonly string[] {
  const lines = chain.steps.flatMap(stepText);
  if (chain.unknown.length > 0) lines.push(`not on record: ${chain.unknown.join(', ')}`);
  if (chain.cut) lines.push('There is more than is shown here.');
  return lines;
}

function stepText(step: CausalStep): readonly string[] {
  const { id, from, to, schema, action, tool, label, origins, causes, stoppers, firstAt, certain, besides } = step;
  const way = [from, to].filter((name) => name !== null).join(' -> ');
  const what = [schema, action, tool].filter((name) => name !== null).join(', ');
  const said = stoppers.map(({ who, outcome }) => `${who} ${outcome ?? ''}`.trim());
  return [
    `${new Date(firstAt).toISOString()}  ${id}  ${way}  ${what}`.trimEnd(),
    ...(label === null
      ? []
      : [`  label     ${label.classification}, ${label.integrity}; from ${origins.join(', ')}`]),
    causes.length === 0 ? '  because   a first input: nothing came before it in its task' : `  because   ${causes.join(', ')}`,
    ...(certain ? [] : ['  perhaps   its process had been given what led here; it names no cause of this chain']),
    ...(besides.length === 0 ? [] : [`  besides   its process had also been given ${besides.join(', ')}`]),
    ...(said.length === 0 ? [] : [`  could stop it  ${said.join('; ')}`]),
  ];
}

/** Milliseconds since 1970; undefined for no text, null for one that is no date. */
export function timeOf(text: string | undefined): number | null | undefined {
  if (text === undefined) return undefined;
  const time = /^\d{12,14}$/.test(text) ? Number(text) : Date.parse(text);
  return Number.isFinite(time) ? time : null;
}
