// SPDX-License-Identifier: Apache-2.0
import type { RecordedEntry } from './entry.ts';

/** What entries are asked for; absent members ask for nothing. All given ones must hold. */
export type EntryQuery = {
  readonly kind?: string;
  readonly actor?: string;
  readonly code?: string;
  readonly outcome?: string;
  readonly task?: string;
  readonly message?: string;
  /** Milliseconds since 1970 on the recorder's clock; `until` is left out. */
  readonly since?: number;
  readonly until?: number;
};

/** Properties that few values share out among all entries, as an index names them. */
export function facetsOf(entry: RecordedEntry): readonly string[] {
  const { kind, actor, code, outcome } = entry;
  const facets = [`kind ${kind}`, `actor ${actor}`, `outcome ${outcome ?? ''}`];
  return code === null ? facets : [...facets, `code ${code}`];
}

/** The facets that a query names. */
export function facetsAsked(query: EntryQuery): readonly string[] {
  const names = ['kind', 'actor', 'outcome', 'code'] as const;
  return names.flatMap((name) => (query[name] === undefined ? [] : [`${name} ${query[name]}`]));
}

/** Ids that an entry names, each once: its own, its message, its task, its approval, its item, its causes. */
export function idsIn({ id, message, task, causedBy, detail }: RecordedEntry): ReadonlySet<string> {
  const ids = new Set([id, ...causedBy]);
  for (const named of [detail['approval'], detail['item']]) if (typeof named === 'string') ids.add(named);
  if (message !== null) ids.add(message);
  if (task !== null) ids.add(task);
  return ids;
}

export function matches(entry: RecordedEntry, query: EntryQuery): boolean {
  const { since = Number.NEGATIVE_INFINITY, until = Number.POSITIVE_INFINITY } = query;
  return (
    (query.kind === undefined || entry.kind === query.kind) &&
    (query.actor === undefined || entry.actor === query.actor) &&
    (query.code === undefined || entry.code === query.code) &&
    (query.outcome === undefined || entry.outcome === query.outcome) &&
    (query.task === undefined || entry.task === query.task) &&
    (query.message === undefined || entry.message === query.message) &&
    entry.recordedAt >= since &&
    entry.recordedAt < until
  );
}
