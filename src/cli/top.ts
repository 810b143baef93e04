// SPDX-License-Identifier: Apache-2.0
import { setTimeout as delay } from 'node:timers/promises';
import { openRecordLogReader } from '../adapters/record-log-segments.ts';
import { foldEntries, type LiveBatch } from '../console/live-feed.ts';
import { nodeDirectories } from '../process/directories.ts';
import { parseEntryLine } from '../recorder/entry-line.ts';
import { RecorderError, type RecordedEntry } from '../recorder/entry.ts';
import type { CommandIo } from './check.ts';
import { askStanding, standingLines, type Standing } from './status.ts';
import { stateDirectoryOf } from './state.ts';
import { printable } from './text-lines.ts';

type TopOptions = {
  readonly state: string;
  readonly every: string;
  readonly count: string;
  readonly json: boolean;
};

const rowsKept = 60;
/** Of a terminal that does not say how many it has. */
const rowsUsual = 24;
const rowsMin = 4;
const clearScreen = '\u001b[2J\u001b[H';

/**
 * `maso top`: how the mesh stands and what just happened, again and again. Without a terminal, or
 * with `--json`, one block after the other instead of one screen.
 */
export async function top(options: TopOptions, io: CommandIo): Promise<number> {
  const [every, count] = [Number(options.every), Number(options.count)];
  if (!(every >= 0.2 && every <= 3600) || !Number.isSafeInteger(count) || count < 0) {
    io.err('--every wants seconds from 0.2 up, --count a number from 0 up.');
    return 2;
  }
  const state = stateDirectoryOf(options.state, null);
  const reader = await openRecordLogReader(nodeDirectories(state).log);
  let next = await reader.lastSegmentFirst();
  let newest: LiveBatch['entries'] = [];
  for (let turn = 0; count === 0 || turn < count; turn += 1) {
    if (turn > 0) await delay(every * 1000);
    const entries: RecordedEntry[] = [];
    for await (const line of reader.read(next, Number.MAX_SAFE_INTEGER)) {
      const entry = parseEntryLine(line);
      if (entry === null) throw new RecorderError('RECORDER_LOG_BROKEN', 'A line is no entry.');
      entries.push(entry);
    }
    const batch = foldEntries(next, entries);
    next = batch.next;
    newest = [...newest, ...batch.entries].slice(-rowsKept);
    const standing = await askStanding(state);
    if (options.json) {
      io.out(JSON.stringify({ ...standing, batch }));
      continue;
    }
    const lines = screen(standing, turn === 0 ? null : { batch, every }, newest);
    const isTerminal = process.stdout.isTTY === true && process.env['TERM'] !== 'dumb';
    io.out((isTerminal ? clearScreen : '') + lines.join('\n'));
  }
  return 0;
}

function screen(
  standing: Standing,
  since: { readonly batch: LiveBatch; readonly every: number } | null,
  newest: LiveBatch['entries'],
): readonly string[] {
  const { go, escalate, noGo } = since?.batch.total ?? { go: 0, escalate: 0, noGo: 0 };
  const each = (number: number): string =>
    since === null ? '-' : (number / since.every).toFixed(1);
  const head = [
    ...standingLines(standing),
    `verdicts   GO ${each(go)}/s   ESCALATE ${each(escalate)}/s   NO-GO ${each(noGo)}/s`,
    '',
    'time      what                verdict   who / code',
  ];
  const room = (process.stdout.rows ?? rowsUsual) - head.length - 1;
  return [
    ...head,
    ...newest.slice(-Math.max(rowsMin, room)).map(({ recordedAt, kind, outcome, actor, code }) => [
      new Date(recordedAt).toISOString().slice(11, 19),
      kind.padEnd(19).slice(0, 19),
      (outcome ?? '').padEnd(9),
      printable(code === null ? actor : `${actor} ${code}`),
    ].join(' ').slice(0, 80)),
    '',
  ];
}
