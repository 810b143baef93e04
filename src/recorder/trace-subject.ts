// SPDX-License-Identifier: Apache-2.0
import type { RecordedEntry } from './entry.ts';

/** What a trace is about. What was refused before it had a task stands alone. */
export type TraceSubject = {
  readonly task: string | null;
  /** The message that was asked for; null when a task or an entry of it was. */
  readonly message: string | null;
  /** The entry that was asked for, where there is no task to collect. */
  readonly entry: string | null;
  /** Sequence of the last entry that matched. */
  readonly last: number;
};

export const idPrefixMin = 8;

/**
 * Finds what an id names. A whole id wins over the start of one; the start must belong to one
 * subject only, so that an attacker's id cannot be shown for somebody else's.
 */
export async function findSubject(
  id: string,
  entries: AsyncIterable<RecordedEntry>,
): Promise<TraceSubject | 'unknown' | 'ambiguous'> {
  if (id.length < idPrefixMin) return 'unknown';
  const whole = new Map<string, TraceSubject>();
  const starts = new Map<string, TraceSubject>();
  for await (const entry of entries) {
    const approval = entry.detail['approval'];
    const ids = [entry.task, entry.message, entry.id];
    if (typeof approval === 'string') ids.push(approval);
    if (ids.includes(id)) note(whole, entry, id);
    else if (ids.some((known) => known?.startsWith(id) === true)) note(starts, entry, id);
  }
  const found = whole.size > 0 ? whole : starts;
  const [first] = found.values();
  if (first === undefined) return 'unknown';
  return found.size > 1 ? 'ambiguous' : first;
}

export function isAbout(entry: RecordedEntry, subject: TraceSubject): boolean {
  if (subject.task !== null) return entry.task === subject.task;
  if (subject.message !== null && entry.message === subject.message) return true;
  if (subject.entry === null) return false;
  return entry.id === subject.entry || entry.causedBy.includes(subject.entry);
}

/** Two subjects are enough to know that there is more than one. */
const subjectsMax = 2;

function note(found: Map<string, TraceSubject>, entry: RecordedEntry, id: string): void {
  const { task, message, sequence } = entry;
  const key = task === null ? `entry ${message ?? entry.id}` : `task ${task}`;
  if (!found.has(key) && found.size >= subjectsMax) return;
  // Asked for by its task, all of it is meant; otherwise the message that the entry is about.
  const asked = task?.startsWith(id) === true ? null : message;
  const alone = task === null ? { message, entry: entry.id } : { message: asked, entry: null };
  const before = found.get(key);
  found.set(key, { task, ...alone, ...(before === undefined ? {} : before), last: sequence });
}
