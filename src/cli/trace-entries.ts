// SPDX-License-Identifier: Apache-2.0
import type { RecordIndex } from '../adapters/record-index-sqlite.ts';
import { ulidTimeMs } from '../message/identifiers.ts';
import type { RecordedEntry } from '../recorder/entry.ts';
import { idPrefixMin } from '../recorder/trace-subject.ts';

/** How long after an id was minted its first entry is looked for. */
const recordedWithinMs = 60_000;
/** Clocks of sidecars and of the recorder differ a little. */
const earlyMs = 2_000;
const ulidLength = 26;

/**
 * The entries that a trace of this id may need, from an index: those that name it, and all of the
 * tasks and messages that those are about. Null where the index does not know the id, whole or by its
 * beginning: then the log itself is read.
 */
export async function tracedEntries(
  id: string,
  index: RecordIndex,
): Promise<readonly RecordedEntry[] | null> {
  const named = await index.naming(id);
  const found = named.length > 0 ? named : await beginningWith(id, index);
  if (found.length === 0) return null;
  const about = new Set<string>();
  for (const { task, message } of found) {
    if (task !== null) about.add(task);
    else if (message !== null) about.add(message);
  }
  const entries = new Map<number, RecordedEntry>();
  const note = (entry: RecordedEntry): void => void entries.set(entry.sequence, entry);
  found.forEach(note);
  for (const subject of about) (await index.naming(subject)).forEach(note);
  return [...entries.values()].sort((a, b) => a.sequence - b.sequence);
}

/** An id begins with the time when it was minted, and its entries stand a little behind that. */
async function beginningWith(id: string, index: RecordIndex): Promise<readonly RecordedEntry[]> {
  if (id.length < idPrefixMin || id.length >= ulidLength) return [];
  const from = ulidTimeMs(id.padEnd(ulidLength, '0'));
  const to = ulidTimeMs(id.padEnd(ulidLength, 'Z'));
  if (from === null || to === null) return [];
  const found: RecordedEntry[] = [];
  for await (const entry of index.between(from - earlyMs, to + recordedWithinMs)) {
    const { task, message, detail } = entry;
    const ids = [entry.id, task, message, detail['approval']];
    if (ids.some((one) => typeof one === 'string' && one.startsWith(id))) found.push(entry);
  }
  return found;
}
