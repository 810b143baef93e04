// SPDX-License-Identifier: Apache-2.0
import { openRecordLogReader } from '../adapters/record-log-segments.ts';
import { parseEntryLine } from '../recorder/entry-line.ts';
import type { EntryKind, RecordedEntry } from '../recorder/entry.ts';
import { combine, type Outcome } from '../review/verdict.ts';

/** How a text went through the mesh. */
export type ReplayWay = 'agent_message' | 'tool_result';

/** One text that was handed to the mesh; the text itself is not kept. */
export type SentText = {
  readonly label: string;
  readonly channel: string;
  readonly way: ReplayWay;
  /** The message's or the call's id; null when the sidecar did not answer. */
  readonly id: string | null;
  /** What the agent was told. */
  readonly verdict: Outcome;
};

export type VerdictCount = {
  readonly label: string;
  readonly channel: string;
  readonly texts: number;
  readonly go: number;
  readonly escalate: number;
  readonly noGo: number;
  /** By leading code; texts with GO have none. */
  readonly codes: { readonly [code: string]: number };
};

/** Whether every text is in the record, and once. */
export type Accounted = {
  readonly texts: number;
  /** With each of its steps recorded exactly once. */
  readonly once: number;
  /** Refused over the quota of refusals: not as an entry of its own, but counted in a digest. */
  readonly folded: number;
  /** What the digests of the log count; holds `folded`. */
  readonly foldedOnRecord: number;
  readonly missing: number;
  readonly doubled: number;
  readonly complete: boolean;
};

type Trace = {
  readonly steps: Map<EntryKind, number>;
  outcome: Outcome;
  code: string | null;
  /** Of all local controls, in every process that the text passed. */
  controlsUs: number;
};

const severity: { readonly [outcome in Outcome]: number } = { GO: 0, ESCALATE: 1, 'NO-GO': 2 };

/** Exactly these steps, once each, are one whole journey. */
const journeys: { readonly [way in ReplayWay]: readonly (readonly EntryKind[])[] } = {
  agent_message: [
    ['message.outbound', 'message.admitted', 'message.delivered'],
    ['message.refused'],
  ],
  tool_result: [['tool.intent', 'tool.outcome'], ['tool.refused']],
};
/** Raised beside a refusal; it is no step of its own. */
const besides: ReadonlySet<EntryKind> = new Set(['indicator.raised']);

/** Reads the record from the first entry to the last and says what it holds about the texts. */
export async function tally(
  texts: readonly SentText[],
  logDirectory: string,
): Promise<{
  readonly verdicts: readonly VerdictCount[];
  readonly accounted: Accounted;
  /** Of each text on record, microseconds of all its local controls, wherever they ran. */
  readonly controlsUs: readonly number[];
}> {
  const traces = new Map<string, Trace>();
  for (const { id } of texts) {
    if (id !== null) traces.set(id, { steps: new Map(), outcome: 'GO', code: null, controlsUs: 0 });
  }
  let foldedOnRecord = 0;
  const reader = await openRecordLogReader(logDirectory);
  for await (const line of reader.read(0, Number.MAX_SAFE_INTEGER)) {
    const entry = parseEntryLine(line);
    if (entry === null) continue;
    const trace = traces.get(entry.message ?? '');
    if (trace !== undefined) follow(trace, entry);
    const total = entry.kind === 'refusals.counted' ? entry.detail['total'] : 0;
    if (typeof total === 'number') foldedOnRecord += total;
  }
  return {
    verdicts: countVerdicts(texts, traces),
    accounted: account(texts, traces, foldedOnRecord),
    controlsUs: [...traces.values()].filter(({ steps }) => steps.size > 0).map(({ controlsUs }) => controlsUs),
  };
}

function follow(trace: Trace, entry: RecordedEntry): void {
  if (besides.has(entry.kind)) return;
  trace.steps.set(entry.kind, (trace.steps.get(entry.kind) ?? 0) + 1);
  for (const { tookUs } of entry.verdicts) trace.controlsUs += tookUs;
  const { outcome, code } = verdictOf(entry);
  if (severity[outcome] <= severity[trace.outcome]) return;
  trace.outcome = outcome;
  trace.code = code;
}

/** A read goes on under ESCALATE, so what was thought of its result is in the verdicts. */
function verdictOf(entry: RecordedEntry): {
  readonly outcome: Outcome;
  readonly code: string | null;
} {
  if (entry.outcome === 'NO-GO') return { outcome: 'NO-GO', code: entry.code };
  if (entry.kind === 'tool.outcome' && entry.verdicts.length > 0) {
    const { outcome, lead } = combine(entry.verdicts);
    return { outcome, code: lead?.code ?? null };
  }
  return { outcome: entry.outcome ?? 'GO', code: entry.code };
}

function isFolded(text: SentText, trace: Trace | undefined): boolean {
  return text.way === 'agent_message' && text.verdict === 'NO-GO' && trace?.steps.size === 0;
}

function account(
  texts: readonly SentText[],
  traces: ReadonlyMap<string, Trace>,
  foldedOnRecord: number,
): Accounted {
  const counts = { once: 0, folded: 0, missing: 0, doubled: 0 };
  for (const text of texts) {
    const trace = traces.get(text.id ?? '');
    const doubled = [...(trace?.steps.values() ?? [])].some((count) => count > 1);
    if (doubled) counts.doubled += 1;
    else if (journeys[text.way].some((steps) => isJourney(steps, trace))) counts.once += 1;
    else if (isFolded(text, trace)) counts.folded += 1;
    else counts.missing += 1;
  }
  const whole = counts.missing === 0 && counts.doubled === 0;
  const complete = whole && counts.folded <= foldedOnRecord;
  return { texts: texts.length, ...counts, foldedOnRecord, complete };
}

function isJourney(steps: readonly EntryKind[], trace: Trace | undefined): boolean {
  return trace?.steps.size === steps.length && steps.every((step) => trace.steps.get(step) === 1);
}

function countVerdicts(
  texts: readonly SentText[],
  traces: ReadonlyMap<string, Trace>,
): readonly VerdictCount[] {
  type Counting = { label: string; channel: string; texts: number } & {
    outcomes: { [outcome in Outcome]: number };
    codes: Map<string, number>;
  };
  const groups = new Map<string, Counting>();
  for (const text of texts) {
    const { label, channel } = text;
    const key = `${label} ${channel}`;
    const outcomes = { GO: 0, ESCALATE: 0, 'NO-GO': 0 };
    const group = groups.get(key) ?? { label, channel, texts: 0, outcomes, codes: new Map() };
    groups.set(key, group);
    const { outcome, code } = known(text, traces.get(text.id ?? ''));
    group.texts += 1;
    group.outcomes[outcome] += 1;
    if (code !== null) group.codes.set(code, (group.codes.get(code) ?? 0) + 1);
  }
  return [...groups.entries()]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { label, channel, texts: count, outcomes, codes }]) => ({
      label,
      channel,
      texts: count,
      go: outcomes.GO,
      escalate: outcomes.ESCALATE,
      noGo: outcomes['NO-GO'],
      codes: Object.fromEntries([...codes].sort(([, a], [, b]) => b - a)),
    }));
}

/** What the record says; where it has only a count, what the agent was told. */
function known(
  text: SentText,
  trace: Trace | undefined,
): { readonly outcome: Outcome; readonly code: string | null } {
  if (trace !== undefined && trace.steps.size > 0) return trace;
  const code = isFolded(text, trace) ? 'RECORDER_REFUSALS_FOLDED' : 'RECORDER_NOT_DURABLE';
  return { outcome: text.verdict === 'GO' ? 'GO' : 'NO-GO', code };
}
