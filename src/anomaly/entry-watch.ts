// SPDX-License-Identifier: Apache-2.0
import { actionOutcomeSchema, actionRequestSchema } from '../message/action-request.ts';
import type { EntryDraft } from '../recorder/entry.ts';
import type { AnomalyCode } from './codes.ts';
import type { GraphFinding, InteractionGraph } from './graph.ts';
import { observationOf, type ContextSize } from './observation.ts';
import type { Reason, Score } from './combine.ts';
import type { Scorer } from './scorer.ts';

/** Something that people are told of, and PACE acts on by its score. */
export type Raised = {
  readonly code: AnomalyCode;
  readonly agent: string;
  readonly at: number;
  /** 0 to 100: 40 raises, 60 isolates, 80 contains. */
  readonly score: number;
  readonly task: string | null;
  /** Which signals, how far, and against which baseline. */
  readonly reasons: readonly { readonly signal: string; readonly z: number | null; readonly against: string }[];
};

export type EntryWatchOptions = {
  readonly scorer: Scorer;
  readonly contextSize: ContextSize;
  /** Money that a task of this agent may cost, in millionths; null where nothing bounds it. */
  readonly budgetOf: (agent: string) => number | null;
  /** Who speaks to whom; what an earlier run knew of it is restored before. */
  readonly graph: InteractionGraph;
  /** Agents whose baselines just closed a bucket, for whoever keeps them. */
  readonly learned: (agent: string) => void;
};

const raisedFrom = 40;
const budgetMarks = [0.5, 0.75, 0.9, 0.95] as const;
/** What passing each mark is worth; what follows at 100 % is the sidecar's refusal. */
const budgetScores = [0, 40, 45, 50] as const;
const reversalsMax = 3;
const rememberedMax = 8_192;

/** Reads what is recorded, as it is recorded, and says what is unusual about it. Its memory is bounded. */
export class EntryWatch {
  readonly #of: EntryWatchOptions;
  /** Agent and task -> money so far and the marks that it passed. */
  readonly #spent = new Map<string, { micros: number; marks: number }>();
  /** Task and action -> the last decision and how often it changed. */
  readonly #decisions = new Map<string, { outcome: string; reversals: number }>();

  constructor(options: EntryWatchOptions) {
    this.#of = options;
  }

  take(entry: EntryDraft, at: number): readonly Raised[] {
    const { scorer, contextSize, learned } = this.#of;
    const raised: Raised[] = [];
    const observation = observationOf(entry, at, contextSize);
    if (observation !== null) {
      const scores = scorer.take(observation);
      if (scores.length > 0) learned(observation.agent);
      for (const score of scores) if (!(score.score < raisedFrom)) raised.push(ofScore(score));
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
    const { micros } = detail;
    if (budget === null || task === null || typeof micros !== 'number' || !(micros > 0)) return [];
    const spent = remember(this.#spent, `${agent} ${task}`, { micros: 0, marks: 0 });
    spent.micros += micros;
    const passed = budgetMarks.filter((mark) => spent.micros >= mark * budget).length;
    if (passed <= spent.marks) return [];
    spent.marks = passed;
    const mark = `${(budgetMarks[passed - 1] ?? 0) * 100} % of the budget of the task`;
    const score = budgetScores[passed - 1] ?? 0;
    return [{ code: 'ANOMALY_BUDGET', agent, at, score, task, reasons: [{ signal: 'budget', z: null, against: mark }] }];
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

function ofScore({ agent, at, score, reasons }: Score): Raised {
  return { code: 'ANOMALY_SCORE', agent, at, score, task: null, reasons: reasons.slice(0, 5).map(rounded) };
}

function rounded({ signal, z, against }: Reason): Raised['reasons'][number] {
  return { signal, z: Number.isFinite(z) ? Math.round(z * 10) / 10 : null, against };
}

function ofGraph({ code, agent, at, score, task, what }: GraphFinding): Raised {
  return { code, agent, at, score, task, reasons: [{ signal: 'interaction-graph', z: null, against: what }] };
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
