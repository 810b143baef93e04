// SPDX-License-Identifier: Apache-2.0
import type { ReplayedText } from '../process/replay-run.ts';
import type { Accounted, VerdictCount } from '../process/replay-tally.ts';

export type MalformedRow = { readonly line: number; readonly code: string };

export type Latency = {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
};

/** What `maso replay` prints; holds counts, codes and names, and no text of the corpus (G9). */
export type ReplayReport = {
  /** All that could be sent was, each is on record exactly once, and the record verifies. */
  readonly ok: boolean;
  readonly file: string;
  readonly sha256: string;
  readonly node: string;
  readonly durationMs: number;
  readonly texts: number;
  readonly malformed: { readonly total: number; readonly first: readonly MalformedRow[] };
  readonly stopped: string | null;
  readonly unanswered: number;
  readonly sessionsEnded: number;
  readonly verdicts: readonly VerdictCount[];
  /** By way and by how it ended. */
  readonly latencyMs: { readonly [way: string]: Latency };
  /** Of all local controls on one text together, in every process that it passed. */
  readonly controlsMs: Latency;
  readonly accounted: Accounted;
  readonly record: {
    readonly ok: boolean;
    readonly entries: number;
    readonly covered: number;
    readonly findings: number;
    readonly codes: readonly string[];
  };
};

/** Milliseconds from the agent's call to where the text ended, apart for what was refused. */
export function latencies(texts: readonly ReplayedText[]): { readonly [way: string]: Latency } {
  const groups = new Map<string, number[]>();
  for (const { way, ended, tookUs } of texts) {
    if (tookUs === null) continue;
    const key = `${way} ${ended}`;
    const group = groups.get(key) ?? [];
    groups.set(key, group);
    group.push(tookUs / 1000);
  }
  const sorted = [...groups].sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(sorted.map(([key, values]) => [key, latencyOf(values)]));
}

/** Of milliseconds. */
export function latencyOf(values: readonly number[]): Latency {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number): number => {
    const index = Math.min(sorted.length - 1, Math.floor(sorted.length * share));
    return Math.round((sorted[index] ?? 0) * 1000) / 1000;
  };
  return { count: sorted.length, p50: at(0.5), p99: at(0.99), max: at(1) };
}

export function describeReplay(report: ReplayReport): readonly string[] {
  const { accounted, record, malformed } = report;
  const header = ['label', 'channel', 'texts', 'GO', 'ESCALATE', 'NO-GO', 'leading codes'];
  const rows = report.verdicts.map((row) => [
    row.label,
    row.channel,
    `${row.texts}`,
    `${row.go}`,
    `${row.escalate}`,
    `${row.noGo}`,
    Object.entries(row.codes).map(([code, count]) => `${code} ${count}`).join(', '),
  ]);
  const times = { ...report.latencyMs, 'local controls on one text': report.controlsMs };
  const timing = Object.entries(times).map(([way, { count, p50, p99, max }]) => [
    way,
    `${count}`,
    p50.toFixed(2),
    p99.toFixed(2),
    max.toFixed(2),
  ]);
  return [
    `${report.texts} texts in ${(report.durationMs / 1000).toFixed(1)} s, SHA-256 ${report.sha256}`,
    ...(malformed.total > 0 ? [`${malformed.total} malformed rows were left out`] : []),
    ...(report.stopped === null ? [] : [`stopped before the end of the file: ${report.stopped}`]),
    ...(report.unanswered > 0 ? [`${report.unanswered} texts were not answered`] : []),
    ...(report.sessionsEnded > 0 ? [`${report.sessionsEnded} agent sessions were ended`] : []),
    '',
    ...table([header, ...rows]),
    '',
    ...table([['latency, ms', 'texts', 'p50', 'p99', 'max'], ...timing]),
    '',
    `on record: ${accounted.once} of ${accounted.texts} texts with each step exactly once, ` +
      `${accounted.folded} refusals counted in digests, ` +
      `${accounted.missing} missing, ${accounted.doubled} doubled`,
    record.ok
      ? `The log verifies: ${record.entries} entries, ${record.covered} under a checkpoint.`
      : `The log does NOT verify: ${record.findings} finding(s): ${record.codes.join(', ')}.`,
  ];
}

function table(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  return rows.map((row) =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return /^[0-9.]+$/.test(cell) ? cell.padStart(width) : cell.padEnd(width);
      })
      .join('  ')
      .trimEnd(),
  );
}
