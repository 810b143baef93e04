// SPDX-License-Identifier: Apache-2.0
import type { JudgeSubject } from '../mesh/judge-settings.ts';
import type { RiskClass } from '../mesh/mesh.ts';
import type { Classification, Integrity } from '../message/envelope.ts';
import type { JsonValue } from '../message/json.ts';
import { finding, type Outcome, type Verdict } from '../review/verdict.ts';

/** What a judge is asked. Everything but `content` was written by whoever runs the mesh. */
export type JudgeQuestion = {
  /** Message that it is about. */
  readonly id: string;
  readonly task: string;
  /** Agent that sent it. */
  readonly from: string;
  /** Name of the action, or the schema of the message. */
  readonly about: string;
  readonly kind: 'action' | 'message' | 'phase';
  readonly risk: RiskClass;
  readonly reversibility: string | null;
  /** What an agent wrote: hostile. */
  readonly content: JsonValue;
  /** Why the other controls could not settle it: codes only. */
  readonly raisedBy: readonly string[];
  readonly integrity: Integrity;
  readonly classification: Classification;
  /** Goal of the OISpec of the agent that would act. */
  readonly goal: string | null;
  /** Only these subjects are asked; absent is all of them. Not part of what a model is told. */
  readonly only?: readonly JudgeSubject[];
  /** Further lines that the mesh vouches for; absent is none. */
  readonly facts?: readonly string[];
  /** Not everything is in `content`, so that a GO is not believed; absent is false. */
  readonly isCut?: boolean;
  /** Of a question about a phase: which one, and the message that ended it. */
  readonly phase?: { readonly workflow: string; readonly id: string; readonly message: string };
};

/** One call of one model; holds numbers and declared names only (G9). */
export type JudgeCall = {
  readonly subject: JudgeSubject;
  /** Name in `judge.models`. */
  readonly model: string;
  readonly part: 'first' | 'backup' | 'second';
  /** Null when there was no usable answer; then `code` says why. */
  readonly outcome: Outcome | null;
  readonly code: string | null;
  readonly tookUs: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Charged, in millionths of the mesh's unit of money. */
  readonly micros: number;
};

/** What each model said that gave an answer; the last word of one that was asked twice. */
export function answersOf(
  { calls }: Pick<Ruling, 'calls'>,
  subject: JudgeSubject,
): { readonly [model: string]: Outcome } {
  return Object.fromEntries(calls.flatMap(({ subject: of, model, outcome }) =>
    of === subject && outcome !== null ? [[model, outcome] as const] : []));
}

export type Ruling = {
  readonly verdict: Verdict;
  /** What each subject said, in the order of precedence. */
  readonly subjects: readonly { readonly subject: JudgeSubject; readonly outcome: Outcome }[];
  readonly calls: readonly JudgeCall[];
};

/**
 * Model-as-Judge (seed 000): asked only about what the other controls escalated, and it advises. Its
 * GO may release a hold that its own subject raised, where the mesh file lets it, and nothing that
 * policy refuses; its NO-GO and its ESCALATE stand. `rule` never rejects: a judge that is late,
 * malformed, over its budget or down is an ESCALATE with its own code. `configured: false` is a
 * declared state and says so in every verdict.
 */
export interface Judge {
  readonly configured: boolean;
  rule(question: JudgeQuestion): Promise<Ruling>;
}

/** The first implementation: there is no judge, and every question goes to people. */
export const noJudge: Judge = absent('none (not configured)', 'JUDGE_NOT_CONFIGURED', 'judge/none');

/** Whoever is named switched the judge off; every question goes to people, and says why. */
export function deselectedJudge(version: string): Judge {
  return absent(version, 'JUDGE_DESELECTED', 'judge/deselected');
}

function absent(version: string, code: string, rule: string): Judge {
  return {
    configured: false,
    rule: async () => ({
      verdict: {
        outcome: 'ESCALATE',
        control: 'model-as-judge',
        version,
        tookUs: 0,
        findings: [finding(code, rule)],
      },
      subjects: [],
      calls: [],
    }),
  };
}
