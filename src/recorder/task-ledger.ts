// SPDX-License-Identifier: Apache-2.0
import { ControlSums, microsOf, tokensOf, type ControlCost } from './control-sums.ts';
import type { RecordedEntry } from './entry.ts';

/** One message that the bus admitted: a hand-off. */
export type LedgerHop = {
  readonly message: string;
  readonly from: string | null;
  readonly to: string | null;
  readonly schema: string | null;
  readonly at: number;
  /** Of sender's sidecar, bus, recipient's sidecar and request review together. */
  readonly tookUs: number;
  /** The worst that was said about it. */
  readonly outcome: 'GO' | 'NO-GO' | 'ESCALATE';
};

export type NaiveCost = {
  readonly calls: number;
  readonly lowMs: number;
  readonly highMs: number;
  readonly lowMicros: number;
  readonly highMicros: number;
  /** `measured`: from the judge's calls of this task; `assumed`: the figures of seed 000. */
  readonly basis: 'measured' | 'assumed';
};

export type TaskLedger = {
  readonly task: string;
  readonly startedAt: number;
  /** From the first entry of the task to its last, waiting for people and tools included. */
  readonly elapsedMs: number;
  readonly hops: readonly LedgerHop[];
  /** Answers of executors; they are no hops of the request. */
  readonly answers: number;
  /** Time in controls and bookkeeping of all hops, the judge left out. */
  readonly hopsUs: number;
  readonly controls: readonly ControlCost[];
  readonly judge: {
    readonly calls: number;
    /** Those that a held action waited for. */
    readonly callsOnPath: number;
    readonly onPathUs: number;
    readonly tokens: number;
    readonly micros: number;
    readonly conflicts: number;
  };
  /** Of the agents' own models, as far as the calls named the task. */
  readonly models: { readonly calls: number; readonly tookUs: number; readonly tokens: number; readonly micros: number };
  readonly people: { readonly held: number; readonly decided: number };
  readonly tools: { readonly calls: number; readonly tookUs: number };
  /** The same task with a judge on every hop, one after the other. */
  readonly naive: NaiveCost;
};

/** Seed 000: 1.2-3 s and $0.01-0.05 for one call of a judge. */
const assumed = { lowMs: 1200, highMs: 3000, lowMicros: 10_000, highMicros: 50_000 };
/** Schema of what executors answer; no hop of a request. */
export const answerSchema = 'action-outcome/1';
const stepKinds: ReadonlySet<string> = new Set([
  'message.outbound', 'message.admitted', 'message.delivered', 'message.refused', 'request.reviewed',
]);
/**
 * What a task cost, from its entries alone and in any order; null when none is of this task. The
 * record is the only source, so the ledger is as durable as it is, and a crash loses no row.
 */
export function taskLedger(task: string, entries: readonly RecordedEntry[]): TaskLedger | null {
  const own = entries.filter((entry) => entry.task === task).sort((a, b) => a.sequence - b.sequence);
  if (own.length === 0) return null;
  const admitted = own.filter(({ kind }) => kind === 'message.admitted');
  const hops = admitted
    .filter(({ detail }) => detail['schema'] !== answerSchema)
    .map((entry) => hopOf(entry, own));
  const called = own.filter(({ kind }) => kind === 'judge.called');
  const times = own.map(({ at }) => at);
  const startedAt = Math.min(...times);
  return {
    task,
    startedAt,
    elapsedMs: Math.max(...times) - startedAt,
    hops,
    answers: admitted.length - hops.length,
    hopsUs: total(hops.map(({ tookUs }) => tookUs)),
    controls: controlCosts(own),
    judge: judgeCost(own, called),
    models: modelCost(own),
    people: {
      held: own.filter(({ kind }) => kind === 'approval.held').length,
      decided: own.filter(({ kind }) => kind === 'approval.decided').length,
    },
    tools: toolCost(own),
    naive: naiveCost(hops.length, called),
  };
}

function hopOf(admitted: RecordedEntry, own: readonly RecordedEntry[]): LedgerHop {
  const { message, detail, at } = admitted;
  const steps = own.filter((entry) => entry.message === message && stepKinds.has(entry.kind));
  const said = steps.flatMap(({ outcome }) => outcome ?? []);
  return {
    message: message ?? '',
    from: textOf(detail['from']),
    to: textOf(detail['to']),
    schema: textOf(detail['schema']),
    at,
    tookUs: total(steps.map(({ tookUs }) => tookUs ?? 0)),
    outcome: said.includes('NO-GO') ? 'NO-GO' : said.includes('ESCALATE') ? 'ESCALATE' : 'GO',
  };
}

function controlCosts(own: readonly RecordedEntry[]): readonly ControlCost[] {
  const sums = new ControlSums();
  for (const entry of own) sums.add(entry);
  return sums.rows();
}

function judgeCost(
  own: readonly RecordedEntry[],
  called: readonly RecordedEntry[],
): TaskLedger['judge'] {
  const ruled = own.filter(({ kind }) => kind === 'judge.ruled');
  const held = ruled.filter(({ detail }) => detail['mode'] === 'held');
  const onPath = new Set(held.flatMap(({ causedBy }) => causedBy));
  return {
    calls: called.length,
    callsOnPath: called.filter(({ id }) => onPath.has(id)).length,
    onPathUs: total(held.map(({ tookUs }) => tookUs ?? 0)),
    tokens: total(called.map(tokensOf)),
    micros: total(called.map(microsOf)),
    conflicts: ruled.filter(({ detail }) => detail['conflict'] === true).length,
  };
}

function modelCost(own: readonly RecordedEntry[]): TaskLedger['models'] {
  const called = own.filter(({ kind }) => kind === 'model.called');
  return {
    calls: called.length,
    tookUs: total(called.map(({ tookUs }) => tookUs ?? 0)),
    tokens: total(called.map(tokensOf)),
    micros: total(called.map(microsOf)),
  };
}

function toolCost(own: readonly RecordedEntry[]): TaskLedger['tools'] {
  const ended = own.filter(({ kind }) => kind === 'tool.outcome');
  return { calls: ended.length, tookUs: total(ended.map(({ tookUs }) => tookUs ?? 0)) };
}

function naiveCost(hops: number, called: readonly RecordedEntry[]): NaiveCost {
  const range = new JudgeRange();
  for (const entry of called) range.add(entry);
  return range.onEvery(hops);
}

/** What calls of a judge took and cost, least and most; by the seed's figures while none answered. */
export class JudgeRange {
  #range: Omit<NaiveCost, 'calls' | 'basis'> | null = null;

  add(called: RecordedEntry): void {
    if (called.outcome === null) return;
    const [ms, micros] = [(called.tookUs ?? 0) / 1000, microsOf(called)];
    const { lowMs, highMs, lowMicros, highMicros } =
      this.#range ?? { lowMs: ms, highMs: ms, lowMicros: micros, highMicros: micros };
    this.#range = {
      lowMs: Math.min(lowMs, ms), highMs: Math.max(highMs, ms),
      lowMicros: Math.min(lowMicros, micros), highMicros: Math.max(highMicros, micros),
    };
  }

  /** So many hops with a judge on each, one after the other. */
  onEvery(hops: number): NaiveCost {
    const { lowMs, highMs, lowMicros, highMicros } = this.#range ?? assumed;
    return {
      calls: hops, basis: this.#range === null ? 'assumed' : 'measured',
      lowMs: hops * lowMs, highMs: hops * highMs,
      lowMicros: hops * lowMicros, highMicros: hops * highMicros,
    };
  }
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
