// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { entriesOf } from '../../../src/cli/trace.ts';
import { codeEntry } from '../../../src/process/codes.ts';
import { buildDecisionTrace, type DecisionTrace } from '../../../src/recorder/decision-trace.ts';
import type { RecordedEntry } from '../../../src/recorder/entry.ts';

const pollMs = 25;

/** The flight recorder's log, read from disk while the mesh writes it. */
export class MeshRecord {
  readonly #directory: string;

  constructor(state: string) {
    this.#directory = join(state, 'log');
  }

  async entries(): Promise<readonly RecordedEntry[]> {
    const entries: RecordedEntry[] = [];
    for await (const entry of entriesOf(this.#directory)) entries.push(entry);
    return entries;
  }

  /** The same trace that `maso trace ID` prints; null while the log knows no such id. */
  async trace(id: string): Promise<DecisionTrace | null> {
    const entries = (): AsyncIterable<RecordedEntry> => entriesOf(this.#directory);
    const answer = await buildDecisionTrace({ id, entries, explain: codeEntry });
    return answer.ok ? answer.trace : null;
  }

  /** The first entry that fits, or null when there is none within the time. */
  async waitFor(
    fits: (entry: RecordedEntry) => boolean,
    timeoutMs: number,
  ): Promise<RecordedEntry | null> {
    return within(timeoutMs, async () => (await this.entries()).find(fits) ?? null);
  }
}

/** Asks again until the answer is not null; null when the time is over. */
export async function within<Answer>(
  timeoutMs: number,
  ask: () => Promise<Answer | null>,
): Promise<Answer | null> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer !== null || performance.now() >= deadline) return answer;
    await new Promise((resolve) => {
      setTimeout(resolve, pollMs);
    });
  }
}

/** How a trace ended: its outcome, or the code that refused and the values it refused. */
export function endingOf(trace: DecisionTrace): string {
  const { code, steps } = trace.maso;
  if (code === null) return trace.resolution.outcome;
  const step = steps.findLast((one) => one.code === code && one.verdicts.length > 0);
  const findings = step?.verdicts.flatMap((verdict) => verdict.findings) ?? [];
  const own = findings.filter((one) => one.code === code);
  const paths = own.flatMap(({ path }) => (path === null || path === '' ? [] : [path]));
  return [code, ...new Set(paths)].join(' ');
}

/**
 * Steps without their end: each message that left a sidecar is admitted once and received once,
 * each tool call has as many outcomes as it began. Empty when the record is complete.
 */
export function gapsIn(entries: readonly RecordedEntry[]): readonly string[] {
  const gaps: string[] = [];
  const count = (fits: (entry: RecordedEntry) => boolean): number => entries.filter(fits).length;
  for (const { kind, message, id } of entries) {
    if (kind === 'message.outbound') {
      const admitted = count((one) => one.kind === 'message.admitted' && one.message === message);
      const received = count((one) => one.id === `${message}.received`);
      if (admitted !== 1) gaps.push(`${id}: admitted ${admitted} times`);
      if (received !== 1) gaps.push(`${id}: received ${received} times`);
    }
    if (kind === 'tool.intent') {
      const endKinds = ['tool.outcome', 'tool.in-doubt'];
      const ends = count((one) => endKinds.includes(one.kind) && one.message === message);
      const begun = count((one) => one.kind === kind && one.message === message);
      if (ends !== begun) gaps.push(`${id}: begun ${begun} times, ended ${ends} times`);
    }
  }
  return gaps;
}
