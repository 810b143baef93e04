// SPDX-License-Identifier: Apache-2.0
import { setTimeout as delay } from 'node:timers/promises';
import { openRecordLogReader } from '../adapters/record-log-segments.ts';
import { nodeDirectories } from '../process/directories.ts';
import { parseEntryLine } from '../recorder/entry-line.ts';
import { prunedHash } from '../recorder/pruned-line.ts';
import { RecorderError } from '../recorder/entry.ts';
import type { RecordedEntry } from '../recorder/entry.ts';
import type { CommandIo } from './check.ts';
import { entryText } from './recorder-query.ts';
import { stateDirectoryOf } from './state.ts';

type TailOptions = {
  readonly state: string;
  readonly log?: string;
  readonly lines: string;
  readonly follow: boolean;
  readonly json: boolean;
};

const lookEveryMs = 300;

/** `maso recorder tail`: the last entries, and with `--follow` those that come. */
export async function recorderTail(options: TailOptions, io: CommandIo): Promise<number> {
  const count = Number(options.lines);
  if (!Number.isSafeInteger(count) || count < 0) {
    io.err('--lines wants a number from 0 up.');
    return 2;
  }
  const { log } = nodeDirectories(stateDirectoryOf(options.state, null));
  const reader = await openRecordLogReader(options.log ?? log);
  const show = (entry: RecordedEntry) =>
    io.out(options.json ? JSON.stringify(entry) : entryText(entry));
  let last: RecordedEntry[] = [];
  let next = await reader.lastSegmentFirst();
  // The last segment may have just begun: then there are fewer entries to show than asked for.
  for await (const entry of entriesFrom(next)) {
    last.push(entry);
    if (last.length > Math.max(count, 1) * 2) last = last.slice(-count);
    next = entry.sequence + 1;
  }
  if (count > 0) last.slice(-count).forEach(show);
  while (options.follow) {
    await delay(lookEveryMs);
    for await (const entry of entriesFrom(next)) {
      show(entry);
      next = entry.sequence + 1;
    }
  }
  return 0;

  async function* entriesFrom(from: number): AsyncGenerator<RecordedEntry> {
    for await (const line of reader.read(from, Number.MAX_SAFE_INTEGER)) {
      if (prunedHash(line) !== null) continue;
      const entry = parseEntryLine(line);
      if (entry === null) throw new RecorderError('RECORDER_LOG_BROKEN', 'A line is no entry.');
      yield entry;
    }
  }
}
