// SPDX-License-Identifier: Apache-2.0
import { Readable } from 'node:stream';
import { findSubject } from '../recorder/trace-subject.ts';
import { taskLedger, type TaskLedger } from '../recorder/task-ledger.ts';
import type { CommandIo } from './check.ts';
import { sayRefused } from './control.ts';
import { withIndex } from './recorder-query.ts';
import { tracedEntries } from './trace-entries.ts';

type LedgerOptions = { readonly task: string; readonly state: string; readonly json: boolean };

/** `maso ledger TASK`: what a task cost, from the log itself, mesh running or not; `task` is any id that a trace takes. */
export async function ledger(options: LedgerOptions, io: CommandIo): Promise<number> {
  const { task: id, state, json } = options;
  const entries = await withIndex({ state }, io, (index) => tracedEntries(id, index)) ?? [];
  const subject = await findSubject(id, Readable.from(entries));
  if (subject === 'ambiguous') return sayRefused('RECORDER_TRACE_AMBIGUOUS', json, io);
  const task = subject === 'unknown' ? null : subject.task;
  const found = task === null ? null : taskLedger(task, entries);
  if (found === null) return sayRefused('RECORDER_TRACE_UNKNOWN', json, io);
  if (json) io.out(JSON.stringify(found));
  else for (const line of ledgerText(found)) io.out(line);
  return 0;
}

function ledgerText(found: TaskLedger): readonly string[] {
  const { judge, models, naive, people, tools } = found;
  return [
    `task ${found.task}, ${new Date(found.startedAt).toISOString()}, ${found.elapsedMs} ms from first to last entry`,
    '',
    ...found.hops.map(({ from, to, schema, tookUs, outcome }) =>
      `  ${`${from ?? '?'} -> ${to ?? '?'}`.padEnd(30)} ${(schema ?? '').padEnd(20)} ${ms(tookUs)}  ${outcome}`),
    '',
    `  ${'control'.padEnd(20)} ${'runs'.padStart(5)} ${'GO'.padStart(5)} ${'NO-GO'.padStart(6)} ` +
      `${'ESCALATE'.padStart(9)} ${'time'.padStart(12)} ${'tokens'.padStart(8)} ${'money'.padStart(9)}`,
    ...found.controls.map((row) =>
      `  ${row.control.padEnd(20)} ${String(row.runs).padStart(5)} ${String(row.go).padStart(5)} ` +
      `${String(row.noGo).padStart(6)} ${String(row.escalate).padStart(9)} ${ms(row.tookUs)} ` +
      `${String(row.tokens).padStart(8)} ${money(row.micros).padStart(9)}`),
    '',
    `  ${found.hops.length} hops, ${found.answers} answers, ${ms(found.hopsUs).trim()} in all of them; ` +
      `${tools.calls} tool calls, ${ms(tools.tookUs).trim()}; ${people.held} held, ${people.decided} decisions`,
    `  agents' models: ${models.calls} calls, ${ms(models.tookUs).trim()}, ${models.tokens} tokens, ${money(models.micros)}`,
    `  judge: ${judge.calls} calls, ${judge.callsOnPath} of them waited for (${ms(judge.onPathUs).trim()}), ` +
      `${judge.tokens} tokens, ${money(judge.micros)}, ${judge.conflicts} conflicts`,
    `  a judge on every hop: ${naive.calls} calls, ${span(naive.lowMs / 1000, naive.highMs / 1000)} s, ` +
      `${span(naive.lowMicros / 1e6, naive.highMicros / 1e6)} of money (${naive.basis})`,
  ];
}

function ms(us: number): string {
  return `${(us / 1000).toFixed(1)} ms`.padStart(12);
}

function money(micros: number): string {
  return (micros / 1e6).toFixed(4);
}

function span(low: number, high: number): string {
  return low === high ? low.toFixed(2) : `${low.toFixed(2)}-${high.toFixed(2)}`;
}
