// SPDX-License-Identifier: Apache-2.0
import type { JsonObject, JsonValue } from '../message/json.ts';
import type { Outcome } from '../review/verdict.ts';
import type { RecordedEntry } from './entry.ts';
import { orderByCause } from './causal-order.ts';
import { endingOf, type TraceOutcome } from './trace-ending.ts';
import { findSubject, isAbout } from './trace-subject.ts';

/** What a code means and what to do about it; null for a code that no table has. */
export type ExplainCode = (
  code: string,
) => { readonly means: string; readonly mend: string } | null;

export type TraceStep = {
  readonly sequence: number;
  readonly id: string;
  readonly kind: string;
  /** Milliseconds since 1970, on the clock of who took the step. */
  readonly at: number;
  /** When the recorder accepted it. */
  readonly recorded_at: number;
  readonly actor: string;
  readonly message: string | null;
  readonly caused_by: readonly string[];
  readonly outcome: Outcome | null;
  readonly code: string | null;
  readonly means: string | null;
  readonly mend: string | null;
  readonly took_us: number | null;
  readonly verdicts: readonly TraceVerdict[];
  readonly detail: JsonObject;
};

export type TraceVerdict = {
  readonly control: string;
  readonly version: string;
  readonly outcome: Outcome;
  readonly took_us: number;
  readonly findings: readonly {
    readonly code: string;
    readonly rule: string;
    readonly path: string | null;
    readonly means: string | null;
  }[];
};

export type TraceCost = {
  readonly tokens: number;
  readonly model_calls: number;
  readonly controls_us: number;
  readonly controls: readonly {
    readonly control: string;
    readonly verdicts: number;
    readonly took_us: number;
  }[];
};

/**
 * The decision trace of one request: the framework's document (fields of MASO observability) with
 * null where this mesh has no such thing, and under `maso` what the recorder has. A view over the
 * log, never a store; the log's verification is the proof.
 */
export type DecisionTrace = {
  readonly trace_id: string;
  readonly workflow_id: string | null;
  readonly workflow_name: string | null;
  readonly timestamp: string;
  readonly accountable_human: string | null;
  readonly subject: {
    readonly description: string | null;
    readonly input_hash: string | null;
    readonly risk_classification: string | null;
  };
  readonly agent_chain: readonly {
    readonly agent_id: string;
    readonly action: string;
    readonly evidence: readonly string[];
    readonly confidence: number | null;
    readonly chain_entry_ref: string;
  }[];
  readonly evaluation: {
    readonly tactical_judge: null;
    readonly domain_judges: readonly {
      readonly domain: string | null;
      readonly agent_id: string | null;
      readonly verdict: Outcome;
      readonly reasoning: string | null;
    }[];
    readonly inter_judge_conflict: {
      readonly detected: boolean;
      readonly resolution: string | null;
      readonly precedence_rule: string | null;
      readonly escalated_to_human: boolean;
    };
    readonly strategic_evaluator: null;
    readonly meta_evaluation: null;
  };
  readonly resolution: {
    readonly outcome: TraceOutcome;
    readonly human_decision: Outcome | null;
    readonly human_reasoning: string | null;
    readonly human_decision_timestamp: string | null;
  };
  readonly regulatory_mapping: {
    readonly explainability_standard: string | null;
    readonly decision_traceable: boolean;
    readonly human_oversight_documented: boolean;
  };
  readonly maso: {
    readonly query: string;
    readonly task: string | null;
    /** The code of what decided, with its meaning and mend; null when nothing was refused. */
    readonly code: string | null;
    readonly means: string | null;
    readonly mend: string | null;
    /** From the first entry to the last, on the recorder's clock. */
    readonly took_ms: number;
    readonly people: readonly string[];
    readonly isolation: { readonly [who: string]: string };
    /** Mandates that steps were taken under, each with who passed it on to whom. */
    readonly mandates: readonly { readonly id: string; readonly delegation: readonly string[] }[];
    readonly cost: TraceCost;
    readonly steps: readonly TraceStep[];
    /** True when the task has more entries than a trace holds. */
    readonly cut_off: boolean;
  };
};

export type DecisionTraceAnswer =
  | { readonly ok: true; readonly trace: DecisionTrace }
  | {
      readonly ok: false;
      readonly code: 'RECORDER_TRACE_UNKNOWN' | 'RECORDER_TRACE_AMBIGUOUS';
    };

export type DecisionTraceInput = {
  /** A task, message, approval or entry id, or its first 8 characters or more. */
  readonly id: string;
  /** Opens the stream of entries from the start of the log; it is read twice. */
  readonly entries: () => AsyncIterable<RecordedEntry>;
  readonly explain: ExplainCode;
  /** Entries of one trace. Default 10,000. */
  readonly entriesMax?: number;
};

/** Finds the request that the id belongs to and puts its entries together, causes first. */
export async function buildDecisionTrace(input: DecisionTraceInput): Promise<DecisionTraceAnswer> {
  const subject = await findSubject(input.id, input.entries());
  if (subject === 'unknown') return { ok: false, code: 'RECORDER_TRACE_UNKNOWN' };
  if (subject === 'ambiguous') return { ok: false, code: 'RECORDER_TRACE_AMBIGUOUS' };
  const entriesMax = input.entriesMax ?? 10_000;
  const collected: RecordedEntry[] = [];
  const isolation = new Map<string, string>();
  let cutOff = false;
  for await (const entry of input.entries()) {
    if (entry.sequence <= subject.last) noteIsolation(entry, isolation);
    if (!isAbout(entry, subject)) continue;
    if (collected.length < entriesMax) collected.push(entry);
    else cutOff = true;
  }
  const first = collected[0];
  const last = collected.at(-1);
  if (first === undefined || last === undefined) {
    return { ok: false, code: 'RECORDER_TRACE_UNKNOWN' };
  }
  const entries = orderByCause(collected);
  const ending = endingOf(entries, subject.message, input.id);
  const explained = ending.code === null ? null : input.explain(ending.code);
  // Reads on the way to an action have a risk class too, and it is not the one of the action.
  const acting = entries.filter(({ detail }) => textOf(detail['action']) !== null);
  const trace: DecisionTrace = {
    trace_id: subject.task ?? input.id,
    workflow_id: firstText(entries, 'workflow'),
    workflow_name: null,
    timestamp: timestamp(first.recordedAt),
    accountable_human: firstText(entries, 'accountable'),
    subject: {
      description: firstText(acting, 'action'),
      input_hash: firstText(entries, 'goalHash'),
      risk_classification: firstText(acting, 'risk') ?? firstText(entries, 'risk'),
    },
    agent_chain: agentChain(entries),
    evaluation: evaluationOf(entries),
    ...resolutionOf(entries, ending.outcome),
    maso: {
      query: input.id,
      task: subject.task,
      code: ending.code,
      means: explained?.means ?? null,
      mend: explained?.mend ?? null,
      took_ms: last.recordedAt - first.recordedAt,
      people: peopleOf(entries),
      isolation: isolationOf(entries, isolation),
      mandates: mandatesOf(entries),
      cost: costOf(entries),
      steps: entries.map((entry) => stepOf(entry, input.explain)),
      cut_off: cutOff,
    },
  };
  return { ok: true, trace };
}

function agentChain(entries: readonly RecordedEntry[]): DecisionTrace['agent_chain'] {
  return entries
    .filter(({ actor }) => actor.startsWith('agent:'))
    .map((entry) => ({
      agent_id: entry.actor.slice('agent:'.length),
      action: entry.kind,
      evidence: entry.causedBy,
      confidence: numberOf(entry.detail['confidence']),
      chain_entry_ref: `${entry.sequence}:${entry.id}`,
    }));
}

function evaluationOf(entries: readonly RecordedEntry[]): DecisionTrace['evaluation'] {
  const verdicts = entries.flatMap((entry) => entry.verdicts);
  const judges = verdicts.filter(({ control }) => control === 'model-as-judge');
  const conflict = entries.some((entry) => new Set(entry.verdicts.map((v) => v.outcome)).size > 1);
  return {
    tactical_judge: null,
    domain_judges: judges.map(({ outcome, findings }) => ({
      domain: findings[0]?.rule ?? null,
      agent_id: null,
      verdict: outcome,
      reasoning: findings[0]?.code ?? null,
    })),
    inter_judge_conflict: {
      detected: conflict,
      resolution: conflict ? 'the most restrictive verdict wins' : null,
      precedence_rule: conflict ? 'precedence only names the finding that leads' : null,
      escalated_to_human: entries.some(({ kind }) => kind === 'approval.held'),
    },
    strategic_evaluator: null,
    meta_evaluation: null,
  };
}

function resolutionOf(
  entries: readonly RecordedEntry[],
  outcome: TraceOutcome,
): Pick<DecisionTrace, 'resolution' | 'regulatory_mapping'> {
  const held = entries.some(({ kind }) => kind === 'approval.held');
  const decided = entries.findLast(({ kind }) => kind === 'approval.decided');
  return {
    resolution: {
      outcome,
      human_decision: decided?.outcome ?? null,
      human_reasoning: decided === undefined ? null : textOf(decided.detail['reason']),
      human_decision_timestamp: decided === undefined ? null : timestamp(decided.at),
    },
    regulatory_mapping: {
      explainability_standard: null,
      decision_traceable: true,
      human_oversight_documented: held,
    },
  };
}

function stepOf(entry: RecordedEntry, explain: ExplainCode): TraceStep {
  const explained = entry.code === null ? null : explain(entry.code);
  return {
    sequence: entry.sequence,
    id: entry.id,
    kind: entry.kind,
    at: entry.at,
    recorded_at: entry.recordedAt,
    actor: entry.actor,
    message: entry.message,
    caused_by: entry.causedBy,
    outcome: entry.outcome,
    code: entry.code,
    means: explained?.means ?? null,
    mend: explained?.mend ?? null,
    took_us: entry.tookUs,
    verdicts: entry.verdicts.map(({ control, version, outcome, tookUs, findings }) => ({
      control,
      version,
      outcome,
      took_us: tookUs,
      findings: findings.map(({ code, rule, path }) => {
        return { code, rule, path, means: explain(code)?.means ?? null };
      }),
    })),
    detail: entry.detail,
  };
}

function costOf(entries: readonly RecordedEntry[]): TraceCost {
  const controls = new Map<string, { control: string; verdicts: number; took_us: number }>();
  let tokens = 0;
  for (const entry of entries) {
    for (const direction of ['inputTokens', 'outputTokens']) {
      tokens += Math.max(0, numberOf(entry.detail[direction]) ?? 0);
    }
    for (const { control, tookUs } of entry.verdicts) {
      const sum = controls.get(control) ?? { control, verdicts: 0, took_us: 0 };
      controls.set(control, { control, verdicts: sum.verdicts + 1, took_us: sum.took_us + tookUs });
    }
  }
  const rows = [...controls.values()].sort((a, b) => b.took_us - a.took_us);
  return {
    tokens,
    model_calls: entries.filter(({ kind }) => kind === 'judge.called' || kind === 'model.called').length,
    controls_us: rows.reduce((sum, row) => sum + row.took_us, 0),
    controls: rows,
  };
}

function peopleOf(entries: readonly RecordedEntry[]): readonly string[] {
  const people = entries
    .filter(({ kind }) => kind === 'approval.decided' || kind === 'tool.settled')
    .map(({ actor, detail }) => textOf(detail['operator']) ?? textOf(detail['by']) ?? actor);
  return [...new Set(people)];
}

const agentsMax = 20_000;

/** Remembers how each agent was kept apart when it last said so. */
function noteIsolation(entry: RecordedEntry, known: Map<string, string>): void {
  const isolation = textOf(entry.detail['isolation']);
  if (isolation === null) return;
  const name = nameOf(entry.actor);
  if (known.has(name) || known.size < agentsMax) known.set(name, isolation);
}

function isolationOf(
  entries: readonly RecordedEntry[],
  known: ReadonlyMap<string, string>,
): { readonly [who: string]: string } {
  const isolation: [string, string][] = [];
  for (const name of new Set(entries.map(({ actor }) => nameOf(actor)))) {
    const kept = known.get(name);
    if (kept !== undefined) isolation.push([name, kept]);
  }
  return Object.fromEntries(isolation);
}

function mandatesOf(entries: readonly RecordedEntry[]): DecisionTrace['maso']['mandates'] {
  const found = new Map<string, readonly string[]>();
  for (const { detail } of entries) {
    const { mandate, delegation } = detail;
    if (typeof mandate !== 'string' || !Array.isArray(delegation)) continue;
    found.set(mandate, delegation.filter((one) => typeof one === 'string'));
  }
  return [...found].map(([id, delegation]) => ({ id, delegation }));
}

function nameOf(actor: string): string {
  return actor.slice(actor.indexOf(':') + 1);
}

function firstText(entries: readonly RecordedEntry[], member: string): string | null {
  for (const { detail } of entries) {
    const text = textOf(detail[member]);
    if (text !== null) return text;
  }
  return null;
}

function textOf(value: JsonValue | undefined): string | null {
  return typeof value === 'string' ? value : null;
}

function numberOf(value: JsonValue | undefined): number | null {
  return typeof value === 'number' ? value : null;
}

function timestamp(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? 'unknown' : date.toISOString();
}
