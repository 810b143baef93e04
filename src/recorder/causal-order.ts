// SPDX-License-Identifier: Apache-2.0
import type { RecordedEntry } from './entry.ts';

/**
 * The entries, each after those it names as causes, otherwise in the order of the log. A cause may
 * be an entry or a message; a message stands for its first entry. Entries from sidecars arrive late
 * and can be forged, so the links may form a cycle: then the order of the log breaks it.
 */
export function orderByCause(entries: readonly RecordedEntry[]): readonly RecordedEntry[] {
  const places = new Map<string, RecordedEntry>();
  for (const entry of entries) {
    places.set(entry.id, entry);
    if (entry.message !== null && sentBefore(places.get(entry.message), entry)) {
      places.set(entry.message, entry);
    }
  }
  const ordered: RecordedEntry[] = [];
  const begun = new Set<RecordedEntry>();
  for (const entry of entries) {
    // A stack of its own, not recursion: the chain of causes may be as long as the trace.
    const stack = [{ entry, next: 0 }];
    if (begun.has(entry)) continue;
    begun.add(entry);
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const cause = top.entry.causedBy[top.next];
      top.next += 1;
      if (cause === undefined) {
        ordered.push(top.entry);
        stack.pop();
        continue;
      }
      const before = places.get(cause);
      if (before === undefined || begun.has(before)) continue;
      begun.add(before);
      stack.push({ entry: before, next: 0 });
    }
  }
  return ordered;
}

/** The sender's own entry begins a message, wherever in the log it came to stand. */
function sentBefore(known: RecordedEntry | undefined, entry: RecordedEntry): boolean {
  return known === undefined || (entry.kind === 'message.outbound' && known.kind !== entry.kind);
}
