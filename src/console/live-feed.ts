// SPDX-License-Identifier: Apache-2.0
import type { RecordedEntry } from '../recorder/entry.ts';

export type Tally = { readonly go: number; readonly noGo: number; readonly escalate: number };

/** What happened between two agents, with the boxes of the map that they stand in. */
export type EdgeTally = Tally & {
  readonly from: string;
  readonly to: string;
  /** Null for a name that the mesh file does not have. */
  readonly fromGroup: string | null;
  readonly toGroup: string | null;
};

/** What the console is told of a stretch of the log: sums, and the entries worth a look. */
export type LiveBatch = {
  /** Positions in the log: from, and the next one after it. */
  readonly from: number;
  readonly next: number;
  /** On the recorder's clock, of the last entry; null for an empty stretch. */
  readonly at: number | null;
  readonly kinds: { readonly [kind: string]: number };
  readonly edges: readonly EdgeTally[];
  readonly total: Tally;
  /** The same by second, oldest first; `at` is in seconds since 1970. */
  readonly seconds: readonly (Tally & { readonly at: number })[];
  /** Newest last. What was refused, escalated, decided or moved first; the rest as far as it fits. */
  readonly entries: readonly LiveEntry[];
  /** Entries that are only in the sums. */
  readonly summed: number;
};

export type LiveEntry = Pick<
  RecordedEntry, 'sequence' | 'recordedAt' | 'kind' | 'actor' | 'outcome' | 'code' | 'task' | 'message'
> & { readonly about: string };

/** Entries of one batch that are told one by one. */
export const entriesTold = 50;

/** Folds a stretch of the log. A thousand entries come out as small as one. */
export function foldEntries(
  from: number,
  entries: readonly RecordedEntry[],
  groupOf: (agent: string) => string | null = () => null,
): LiveBatch {
  const kinds: { [kind: string]: number } = {};
  const edges = new Map<string, Ends & Counts>();
  const total = { go: 0, noGo: 0, escalate: 0 };
  const seconds = new Map<number, { at: number; go: number; noGo: number; escalate: number }>();
  for (const entry of entries) {
    kinds[entry.kind] = (kinds[entry.kind] ?? 0) + 1;
    count(total, entry);
    const at = Math.floor(entry.recordedAt / 1000);
    const second = seconds.get(at) ?? { at, go: 0, noGo: 0, escalate: 0 };
    count(second, entry);
    seconds.set(at, second);
    const ends = endsOf(entry);
    if (ends === null) continue;
    const key = `${ends.from} ${ends.to}`;
    const edge = edges.get(key) ?? { ...ends, go: 0, noGo: 0, escalate: 0 };
    count(edge, entry);
    edges.set(key, edge);
  }
  const notable = entries.filter(isNotable).slice(-entriesTold);
  const room = entriesTold - notable.length;
  const others = room === 0 ? [] : entries.filter((entry) => !isNotable(entry)).slice(-room);
  const told = [...notable, ...others].sort((a, b) => a.sequence - b.sequence);
  const last = entries.at(-1);
  return {
    from,
    next: last === undefined ? from : last.sequence + 1,
    at: last?.recordedAt ?? null,
    kinds,
    edges: [...edges.values()].map((edge) =>
      ({ ...edge, fromGroup: groupOf(edge.from), toGroup: groupOf(edge.to) })),
    total,
    seconds: [...seconds.values()],
    entries: told.map(liveEntry),
    summed: entries.length - told.length,
  };
}

export function liveEntry(entry: RecordedEntry): LiveEntry {
  const { sequence, recordedAt, kind, actor, outcome, code, task, message } = entry;
  return { sequence, recordedAt, kind, actor, outcome, code, task, message, about: aboutOf(entry) };
}

const quietKinds: ReadonlySet<string> = new Set([
  'message.outbound', 'message.admitted', 'message.delivered', 'tool.intent', 'tool.outcome',
  'session.opened', 'session.ended', 'identity.issued', 'task.started',
]);

function isNotable({ kind, outcome }: RecordedEntry): boolean {
  return outcome === 'NO-GO' || outcome === 'ESCALATE' || !quietKinds.has(kind);
}

type Ends = { readonly from: string; readonly to: string };
type Counts = { go: number; noGo: number; escalate: number };

/** From whom to whom a step went, where it went between agents; each message counts once. */
function endsOf(entry: RecordedEntry): Ends | null {
  const { kind, actor, outcome, detail } = entry;
  const own = actor.slice(actor.indexOf(':') + 1);
  const text = (name: string): string | null => {
    const value = detail[name];
    return typeof value === 'string' ? value : null;
  };
  const pair = (from: string | null, to: string | null) =>
    from === null || to === null ? null : { from, to };
  if (kind === 'message.outbound') return pair(own, text('to'));
  if (kind === 'message.delivered') return outcome === 'GO' ? null : pair(text('from'), own);
  if (kind === 'request.reviewed') return pair(text('requester'), own);
  return null;
}

function count(tally: Counts, { outcome }: RecordedEntry): void {
  if (outcome === 'GO') tally.go += 1;
  else if (outcome === 'NO-GO') tally.noGo += 1;
  else if (outcome === 'ESCALATE') tally.escalate += 1;
}

/** A few words of what an entry is about; names and ids only, as the entry has them. */
function aboutOf({ detail }: RecordedEntry): string {
  const names = ['action', 'tool', 'operation', 'schema', 'to', 'from', 'agent', 'operator', 'decision'];
  const words = names.flatMap((name) => {
    const value = detail[name];
    return typeof value === 'string' ? [`${name} ${value}`] : [];
  });
  return words.join(', ').slice(0, 200);
}
