// SPDX-License-Identifier: Apache-2.0
import type { RecordedEntry } from './entry.ts';

/** What one control did in a task. Times are microseconds, money is millionths of the mesh's unit. */
export type ControlCost = {
  readonly control: string;
  readonly runs: number;
  readonly go: number;
  readonly noGo: number;
  readonly escalate: number;
  readonly tookUs: number;
  readonly tokens: number;
  readonly micros: number;
};

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
const answerSchema = 'action-outcome/1';
const stepKinds: ReadonlySet<string> = new Set([
  'message.outbound', 'message.admitted', 'message.delivered', 'message.refused', 'request.reviewed',
]);
/** A request's review repeats what was said when the message was received. */
const repeated: ReadonlySet<string> = new Set(['scanner', 'semantic-firewall', 'model-as-judge', 'bus']);

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
  const costs = new Map<string, ControlCost>();
  const add = (control: string, outcome: string | null, more: Partial<ControlCost>): void => {
    const sum = costs.get(control) ??
      { control, runs: 0, go: 0, noGo: 0, escalate: 0, tookUs: 0, tokens: 0, micros: 0 };
    costs.set(control, {
      control,
      runs: sum.runs + 1,
      go: sum.go + (outcome === 'GO' ? 1 : 0),
      noGo: sum.noGo + (outcome === 'NO-GO' ? 1 : 0),
      escalate: sum.escalate + (outcome === 'ESCALATE' ? 1 : 0),
      tookUs: sum.tookUs + (more.tookUs ?? 0),
      tokens: sum.tokens + (more.tokens ?? 0),
      micros: sum.micros + (more.micros ?? 0),
    });
  };
  for (const entry of own) {
    if (entry.kind === 'judge.called') {
      add('model-as-judge', entry.outcome, {
        tookUs: entry.tookUs ?? 0, tokens: tokensOf(entry), micros: numberOf(entry.detail['micros']),
      });
      continue;
    }
    for (const { control, outcome, tookUs } of entry.verdicts) {
      if (control === 'model-as-judge') continue;
      if (entry.kind === 'request.reviewed' && repeated.has(control)) continue;
      add(control, outcome, { tookUs });
    }
  }
  return [...costs.values()].sort((a, b) => b.tookUs - a.tookUs);
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
    micros: total(called.map(({ detail }) => numberOf(detail['micros']))),
    conflicts: ruled.filter(({ detail }) => detail['conflict'] === true).length,
  };
}

function modelCost(own: readonly RecordedEntry[]): TaskLedger['models'] {
  const called = own.filter(({ kind }) => kind === 'model.called');
  return {
    calls: called.length,
    tookUs: total(called.map(({ tookUs }) => tookUs ?? 0)),
    tokens: total(called.map(tokensOf)),
    micros: total(called.map(({ detail }) => numberOf(detail['micros']))),
  };
}

function toolCost(own: readonly RecordedEntry[]): TaskLedger['tools'] {
  const ended = own.filter(({ kind }) => kind === 'tool.outcome');
  return { calls: ended.length, tookUs: total(ended.map(({ tookUs }) => tookUs ?? 0)) };
}

function naiveCost(hops: number, called: readonly RecordedEntry[]): NaiveCost {
  const answered = called.filter(({ outcome }) => outcome !== null);
  if (answered.length === 0) {
    const { lowMs, highMs, lowMicros, highMicros } = assumed;
    return {
      calls: hops, basis: 'assumed', lowMs: hops * lowMs, highMs: hops * highMs,
      lowMicros: hops * lowMicros, highMicros: hops * highMicros,
    };
  }
  const ms = answered.map(({ tookUs }) => (tookUs ?? 0) / 1000);
  const micros = answered.map(({ detail }) => numberOf(detail['micros']));
  return {
    calls: hops, basis: 'measured',
    lowMs: hops * Math.min(...ms), highMs: hops * Math.max(...ms),
    lowMicros: hops * Math.min(...micros), highMicros: hops * Math.max(...micros),
  };
}

function tokensOf({ detail }: RecordedEntry): number {
  return numberOf(detail['inputTokens']) + numberOf(detail['outputTokens']);
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

function numberOf(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : 0;
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
