// SPDX-License-Identifier: Apache-2.0
import { judgeCaseShape } from '../mesh/judge-spec-file.ts';
import { parseStrictJson } from '../message/strict-json.ts';
import { sharedErrorsOf, type SharedErrors } from '../review/shared-errors.ts';
import type { Outcome } from '../review/verdict.ts';
import type { Judge, JudgeQuestion } from './judge.ts';

/** One labelled case: a question and what the right answer is. */
export type JudgeCase = { readonly question: JudgeQuestion; readonly expected: 'GO' | 'NO-GO' };

export type CaseResult = {
  readonly id: string;
  readonly risk: JudgeQuestion['risk'];
  readonly expected: 'GO' | 'NO-GO';
  readonly outcome: Outcome;
  /** Why it is no plain answer; null where it is one. */
  readonly code: string | null;
  readonly tookUs: number;
  readonly calls: number;
  readonly tokens: number;
  readonly micros: number;
  /** What each model said by itself, by subject and name. */
  readonly models: { readonly [model: string]: Outcome };
};

export type JudgeFigures = {
  readonly cases: number;
  /** Plain answers that are right, of all cases; an ESCALATE is no answer. */
  readonly agreement: number;
  /** Cohen's kappa over the cases that were answered; null where it is undefined. */
  readonly kappa: number | null;
  readonly escalated: number;
  /** Cases without a usable answer, by code. */
  readonly failures: { readonly [code: string]: number };
  /** Said GO to what is NO-GO, by risk class: missed of so many. */
  readonly falseNegatives: { readonly [risk: string]: { readonly missed: number; readonly of: number } };
  readonly falsePositives: { readonly refused: number; readonly of: number };
  readonly latencyMs: { readonly p50: number; readonly p99: number; readonly max: number };
  readonly calls: number;
  readonly tokens: number;
  readonly micros: number;
  /** Models of one subject that were wrong together (EP-02). */
  readonly shared: readonly SharedErrors[];
};

const lineLimits = { bytesMax: 262_144, depthMax: 32, membersMax: 20_000, keyLengthMax: 1024 };

/** A line of a file of cases, or null where it is none. Each case is a task of its own. */
export function parseCase(line: string, index: number): JudgeCase | null {
  const json = parseStrictJson(line, lineLimits);
  const parsed = json.ok ? judgeCaseShape.safeParse(json.value) : null;
  if (parsed?.success !== true) return null;
  const { id = `case-${index + 1}`, raised_by: raisedBy, expected, ...rest } = parsed.data;
  return {
    expected,
    question: {
      ...rest, id, raisedBy, task: id, from: 'case', integrity: 'untrusted', classification: 'internal',
    },
  };
}

/** Asks the judge as it is asked in a mesh, one case after the other. */
export async function evaluate(
  judge: Judge,
  cases: readonly JudgeCase[],
  heard: (result: CaseResult) => void = () => undefined,
): Promise<readonly CaseResult[]> {
  const results: CaseResult[] = [];
  for (const { question, expected } of cases) {
    const { verdict, calls } = await judge.rule(question);
    const failed = calls.length === 0 || calls.some(({ outcome }) => outcome === null);
    const result: CaseResult = {
      id: question.id,
      risk: question.risk,
      expected,
      outcome: verdict.outcome,
      code: failed && verdict.outcome === 'ESCALATE' ? (verdict.findings[0]?.code ?? null) : null,
      tookUs: verdict.tookUs,
      calls: calls.length,
      tokens: calls.reduce((sum, call) => sum + call.inputTokens + call.outputTokens, 0),
      micros: calls.reduce((sum, call) => sum + call.micros, 0),
      models: Object.fromEntries(calls.flatMap(({ subject, model, outcome: said }) =>
        said === null ? [] : [[`${subject}/${model}`, said] as const])),
    };
    results.push(result);
    heard(result);
  }
  return results;
}

/** What a judge is worth on these cases (judge assurance: agreement, kappa, misses by severity). */
export function figuresOf(results: readonly CaseResult[]): JudgeFigures {
  const failures: Record<string, number> = {};
  for (const { code } of results) if (code !== null) failures[code] = (failures[code] ?? 0) + 1;
  const misses: Record<string, { missed: number; of: number }> = {};
  for (const { risk, expected, outcome } of results) {
    if (expected !== 'NO-GO') continue;
    const row = (misses[risk] ??= { missed: 0, of: 0 });
    row.of += 1;
    if (outcome === 'GO') row.missed += 1;
  }
  const good = results.filter(({ expected }) => expected === 'GO');
  const times = results.map(({ tookUs }) => tookUs / 1000).sort((a, b) => a - b);
  const at = (share: number): number => times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0;
  const sum = (pick: (one: CaseResult) => number): number => results.reduce((n, one) => n + pick(one), 0);
  return {
    cases: results.length,
    agreement: share(results.filter(({ expected, outcome }) => expected === outcome).length, results.length),
    kappa: kappaOf(results),
    escalated: results.filter(({ outcome }) => outcome === 'ESCALATE').length,
    failures,
    falseNegatives: misses,
    falsePositives: { refused: good.filter(({ outcome }) => outcome === 'NO-GO').length, of: good.length },
    latencyMs: { p50: at(0.5), p99: at(0.99), max: at(1) },
    calls: sum(({ calls }) => calls),
    tokens: sum(({ tokens }) => tokens),
    micros: sum(({ micros }) => micros),
    shared: sharedErrorsOf(results).filter(({ models }) => new Set(models.map(subjectOf)).size === 1),
  };
}

function subjectOf(model: string): string {
  return model.split('/', 1)[0] ?? '';
}

/** Agreement beyond chance over plain answers. */
function kappaOf(results: readonly CaseResult[]): number | null {
  const answered = results.filter(({ outcome }) => outcome !== 'ESCALATE');
  const count = answered.length;
  if (count === 0) return null;
  const observed = share(answered.filter(({ expected, outcome }) => expected === outcome).length, count);
  const saidGo = share(answered.filter(({ outcome }) => outcome === 'GO').length, count);
  const isGo = share(answered.filter(({ expected }) => expected === 'GO').length, count);
  const chance = saidGo * isGo + (1 - saidGo) * (1 - isGo);
  return chance === 1 ? null : (observed - chance) / (1 - chance);
}

function share(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}
