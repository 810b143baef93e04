// SPDX-License-Identifier: Apache-2.0
import { openRecordLogReader } from '../../src/adapters/record-log-segments.ts';
import { parseEntryLine } from '../../src/recorder/entry-line.ts';
import type { EntryKind, RecordedEntry } from '../../src/recorder/entry.ts';

/** A snapshot of what the flight recorder holds. */
export type Entries = readonly RecordedEntry[];

export async function logEntries(directory: string): Promise<Entries> {
  const { read } = await openRecordLogReader(directory);
  const entries: RecordedEntry[] = [];
  for await (const line of read(0, Number.POSITIVE_INFINITY)) {
    const entry = parseEntryLine(line);
    if (entry !== null) entries.push(entry);
  }
  return entries;
}

export function find(
  entries: Entries,
  kind: EntryKind,
  code: string | null,
  where: (entry: RecordedEntry) => boolean = () => true,
): RecordedEntry | null {
  return entries.find(
    (entry) => entry.kind === kind && entry.code === code && where(entry)
  ) ?? null;
}
