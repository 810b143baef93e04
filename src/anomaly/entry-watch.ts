// SPDX-License-Identifier: Apache-2.0
import { actionOutcomeSchema, actionRequestSchema } from '../message/action-request.ts';
import type { EntryDraft } from '../recorder/entry.ts';
import type { AnomalyCode } from './codes.ts';
import { contextScore } from './context-fill.ts';
import type { GraphFinding, InteractionGraph } from './graph.ts';
import { ledBack, observationOf, type ContextSize, type MembersOf } from './observation.ts';
import { combined, type Reason, type Score } from './combine.ts';
import type { Scorer } from './scorer.ts';

/** Something that people are told of, and PACE acts on by its score. */
export type Raised = {
  readonly code: AnomalyCode;
  readonly agent: string;
  readonly at: number;
  /** 0 to 100: 40 raises, 60 isolates, 80 contains. */
  readonly score: number;
  readonly task: string | null;
  /** A context that fills up is what isolates: what fills it may be what a peer sent. */
  readonly byContext?: boolean;
  /** Which signals, how far, and against which baseline. */
  readonly reasons: readonly { readonly signal: string; readonly z: number | null; readonly against: string }[];
};

/** Null: not bounded in that. */
export type TaskBudget = { readonly micros: number | null; readonly tokens: number | null };

export type EntryWatchOptions = {
  readonly scorer: Scorer;
  readonly contextSize: ContextSize;
  readonly membersOf: MembersOf;
  /** What a task of this agent may cost on its model: money in millionths, and tokens; null where it has none. */
  readonly budgetOf: (agent: string) => TaskBudget | null;
  /** Who speaks to whom; what an earlier run knew of it is restored before. */
  readonly graph: InteractionGraph;
  /** Agents whose baselines just closed a bucket, for whoever keeps them. */
  readonly learned: (agent: string) => void;
};

const raisedFrom = 40;
const isolatesFrom = 60;
const budgetMarks = [0.5, 0.75, 0.9, 0.95] as const;
/** What passing each mark is worth; what follows at 100 % is the sidecar's refusal. */
const budgetScores = [0, 40, 45, 50] as const;
const reversalsMax = 3;
/** How long a budget remembers what a task cost (`Spend`). */
const spentKeptMs = 24 * 3_600_000;
const rememberedMax = 8_192;

/** Reads what is recorded, as it is recorded, and says what is unusual about it. Its memory is bounded. */
export class EntryWatch {
  readonly #of: EntryWatchOptions;
  /** Agent and task -> what it cost so far, and the marks that it passed. */
  readonly #spent = new Map<string, { micros: number; tokens: number; marks: number; since: number }>();
  /** Agent -> what its context was last told to be worth. */
  readonly #filled = new Map<string, number>();
  /** Task and action -> the last decision and how often it changed. */
  readonly #decisions = new Map<string, { outcome: string; reversals: number }>();

  constructor(options: EntryWatchOptions) {
    this.#of = options;
  }

  take(entry: EntryDraft, at: number): readonly Raised[] {
    const { scorer, contextSize, learned } = this.#of;
    const raised: Raised[] = [];
    const observation = observationOf(entry, at, contextSize);
    const back = ledBack(entry);
    if (back !== null) scorer.stoodStill(this.#of.membersOf(back), at);
    if (observation !== null) {
      const scores = scorer.take(observation);
      if (scores.length > 0) learned(observation.agent);
      for (const score of scores) raised.push(...score.drifts.map((drift) => ofDrift(score, drift)), ...ofScore(score));
      const { agent, contextFill } = observation;
      if (contextFill !== null) raised.push(...this.#fills(agent, contextFill, entry.task, at));
    }
    switch (entry.kind) {
      case 'message.outbound':
        raised.push(...this.#handedOn(entry, at).map(ofGraph));
        break;
      case 'tool.outcome':
        if (entry.outcome === 'GO' && entry.task !== null) this.#of.graph.progressed(entry.task);
        break;
      case 'model.called':
        raised.push(...this.#spend(entry, at));
        break;
      case 'request.reviewed':
        raised.push(...this.#decided(entry, at));
        break;
      default:
        break;
    }
    return raised;
  }

  /** Requests and their outcomes are questions and answers, and no circle. */
  #handedOn({ actor, task, detail }: EntryDraft, at: number): readonly GraphFinding[] {
    const { to, schema } = detail;
    const isWork = schema !== actionRequestSchema && schema !== actionOutcomeSchema;
    if (!isWork || task === null || typeof to !== 'string') return [];
    return this.#of.graph.take({ from: actor.slice(actor.indexOf(':') + 1), to, task, at });
  }

  #spend({ actor, task, detail }: EntryDraft, at: number): readonly Raised[] {
    const agent = actor.slice(actor.indexOf(':') + 1);
    const budget = this.#of.budgetOf(agent);
    if (budget === null) return [];
    // Calls that name no task count together, as they do in the budget itself, and for as long.
    const key = `${agent} ${task ?? ''}`;
    if (at - (this.#spent.get(key)?.since ?? at) >= spentKeptMs) this.#spent.delete(key);
    const spent = remember(this.#spent, key, { micros: 0, tokens: 0, marks: 0, since: at });
    spent.micros += countOf(detail['micros']);
    spent.tokens += countOf(detail['inputTokens']) + countOf(detail['outputTokens']);
    const shareOf = (used: number, most: number | null): number => (most === null || used === 0 ? 0 : used / most);
    const [inMoney, inTokens] = [shareOf(spent.micros, budget.micros), shareOf(spent.tokens, budget.tokens)];
    const passed = budgetMarks.filter((mark) => Math.max(inMoney, inTokens) >= mark).length;
    if (passed <= spent.marks) return [];
    spent.marks = passed;
    const unit = inTokens > inMoney ? 'tokens' : 'money';
    const of = task === null ? 'calls without a task' : 'the task';
    const mark = `${(budgetMarks[passed - 1] ?? 0) * 100} % of the ${unit} of ${of}`;
    const score = budgetScores[passed - 1] ?? 0;
    return [{ code: 'ANOMALY_BUDGET', agent, at, score, task, reasons: [{ signal: 'budget', z: null, against: mark }] }];
  }

  /** Told once for each step up, and every time from where it isolates on. */
  #fills(agent: string, fill: number, task: string | null, at: number): readonly Raised[] {
    const score = contextScore(fill);
    const told = this.#filled.get(agent) ?? 0;
    this.#filled.delete(agent);
    if (score > 0) remember(this.#filled, agent, score);
    if (score <= told && score < isolatesFrom) return [];
    const against = `${Math.floor(fill * 100)} % of its context`;
    return score === 0 ? [] : [{
      code: 'ANOMALY_CONTEXT', agent, at, score, task, byContext: true, reasons: [{ signal: 'context-utilisation', z: null, against }],
    }];
  }

  #decided({ task, outcome, detail }: EntryDraft, at: number): readonly Raised[] {
    const { action, requester } = detail;
    if (task === null || outcome === null || typeof action !== 'string' || typeof requester !== 'string') return [];
    // Waiting for people is no decision yet.
    if (outcome === 'ESCALATE') return [];
    const decision = remember(this.#decisions, `${task} ${requester} ${action}`, { outcome, reversals: 0 });
    if (decision.outcome === outcome) return [];
    decision.outcome = outcome;
    decision.reversals += 1;
    if (decision.reversals !== reversalsMax) return [];
    const against = `${reversalsMax} reversals of ${action}`;
    return [{
      code: 'ANOMALY_OSCILLATION', agent: requester, at, score: 45, task, reasons: [{ signal: 'decisions', z: null, against }],
    }];
  }
}

function ofScore({ agent, at, score, reasons }: Score): readonly Raised[] {
  if (score < raisedFrom) return [];
  const others = combined(reasons.filter(({ signal }) => signal !== 'context-utilisation')).score;
  return [{
    code: 'ANOMALY_SCORE', agent, at, score, task: null, byContext: others < isolatesFrom && score >= isolatesFrom,
    reasons: reasons.slice(0, 5).map(rounded),
  }];
}

/** A warning, whatever it shows: what is likelier than not only isolates nobody. */
function ofDrift({ agent, at }: Score, { signal, z, against, times, change }: Score['drifts'][number]): Raised {
  const likely = times < 1_000 ? `${Math.round(times * 10) / 10}` : 'over 1000';
  const come = `${against}: ${change < 0 ? '' : '+'}${Math.round(change * 1_000) / 10} % by now, ${likely} times as likely as none`;
  return { code: 'ANOMALY_DRIFT', agent, at, score: 0, task: null, reasons: [rounded({ signal, z, against: come })] };
}

function rounded({ signal, z, against }: Reason): Raised['reasons'][number] {
  return { signal, z: Number.isFinite(z) ? Math.round(z * 10) / 10 : null, against };
}

function ofGraph({ code, agent, at, score, task, what }: GraphFinding): Raised {
  return { code, agent, at, score, task, reasons: [{ signal: 'interaction-graph', z: null, against: what }] };
}

/** What an entry counts; what is no count counts for nothing, as its writer is a sidecar. */
function countOf(value: unknown): number {
  return typeof value === 'number' && value > 0 && Number.isFinite(value) ? value : 0;
}

function remember<Value>(memory: Map<string, Value>, key: string, fresh: Value): Value {
  const known = memory.get(key);
  if (known !== undefined) return known;
  if (memory.size >= rememberedMax) {
    const [oldest] = memory.keys();
    if (oldest !== undefined) memory.delete(oldest);
  }
  memory.set(key, fresh);
  return fresh;
}
