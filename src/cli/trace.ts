// SPDX-License-Identifier: Apache-2.0
import { openRecordLogReader } from '../adapters/record-log-segments.ts';
import { parseEntryLine } from '../recorder/entry-line.ts';
import { prunedHash } from '../recorder/pruned-line.ts';
import { buildDecisionTrace } from '../recorder/decision-trace.ts';
import { renderDecisionTrace } from '../recorder/decision-trace-text.ts';
import { RecorderError, type RecordedEntry } from '../recorder/entry.ts';
import { codeEntry } from '../process/codes.ts';
import { nodeDirectories } from '../process/directories.ts';
import type { CommandIo } from './check.ts';
import { withProgress } from './progress.ts';
import { withIndex } from './recorder-query.ts';
import { tracedEntries } from './trace-entries.ts';
import { stateDirectoryOf } from './state.ts';

type TraceOptions = { readonly id: string; readonly state: string; readonly json: boolean };

/**
 * `maso trace ID`: one request as a decision trace, mesh running or not. An index finds the entries,
 * and each is read again in the log; for an id that it does not know the whole log is read.
 */
export async function trace(options: TraceOptions, io: CommandIo): Promise<number> {
  const { log } = nodeDirectories(stateDirectoryOf(options.state, null));
  const { id } = options;
  const indexed = await withIndex(options, io, (index) => tracedEntries(id, index));
  const answer = await buildDecisionTrace({
    id,
    entries: () => indexed === null
      ? withProgress(entriesOf(log), (count) => io.err(`${count} entries read`))
      : given(indexed),
    explain: (code) => codeEntry(code),
  });
  if (!answer.ok) {
    const entry = codeEntry(answer.code);
    if (options.json) io.out(JSON.stringify({ code: answer.code }));
    else io.err(`${answer.code}: ${entry?.means ?? ''} ${entry?.mend ?? ''}`.trim());
    return 1;
  }
  if (options.json) io.out(JSON.stringify(answer.trace));
  else {
    const colour = process.stdout.isTTY === true && process.env['NO_COLOR'] === undefined;
    io.out(renderDecisionTrace(answer.trace, { columns: process.stdout.columns ?? 80, colour }));
  }
  return 0;
}

async function* given(entries: readonly RecordedEntry[]): AsyncGenerator<RecordedEntry> {
  yield* entries;
}

/** Every entry of a log directory that is not pruned, in order. Throws RECORDER_LOG_BROKEN on what is none. */
export async function* entriesOf(directory: string): AsyncGenerator<RecordedEntry> {
  const reader = await openRecordLogReader(directory);
  for await (const line of reader.read(0, Number.MAX_SAFE_INTEGER)) {
    if (prunedHash(line) !== null) continue;
    const entry = parseEntryLine(line);
    if (entry === null) {
      throw new RecorderError('RECORDER_LOG_BROKEN', 'The log holds a line that is no entry.');
    }
    yield entry;
  }
}
