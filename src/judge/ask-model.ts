// SPDX-License-Identifier: Apache-2.0
import type { JudgeCriterion, JudgeModelSettings, JudgeSubject } from '../mesh/judge-settings.ts';
import type { Clock, Random } from '../message/clock.ts';
import type { JudgeBreaker } from './breaker.ts';
import type { JudgeCode } from './codes.ts';
import { newFence, type Fence } from './fence.ts';
import type { JudgeCall, JudgeQuestion } from './judge.ts';
import type { JudgeModel, JudgeTiming, ModelAnswer } from './judge-model.ts';
import { parseAnswer, type ParsedAnswer } from './parse-answer.ts';
import { promptFor, type Prompt } from './prompt.ts';
import { costOf, type Spend } from './spend.ts';

/** One model with what guards it. */
export type GuardedModel = {
  readonly settings: JudgeModelSettings;
  readonly model: JudgeModel;
  readonly breaker: JudgeBreaker;
};

export type AskContext = {
  readonly question: JudgeQuestion;
  readonly subject: JudgeSubject;
  readonly criteria: readonly JudgeCriterion[];
  /** Goal of the judge's own specification. */
  readonly declared: string | null;
  readonly textMax: number;
  readonly timeoutMs: number;
  readonly part: JudgeCall['part'];
  readonly spend: Spend;
  readonly timing: JudgeTiming;
  readonly clock: Clock;
  readonly random: Random;
};

/** `criterion` is null unless the answer names one. */
export type Asked = {
  readonly call: JudgeCall;
  readonly criterion: string | null;
  readonly isCut: boolean;
};

type Heard = { readonly answer: ParsedAnswer | null; readonly code: JudgeCode | null };

/**
 * Asks one model once, in a context of its own: breaker, budget, deadline, strict form. Never
 * rejects; whatever is no answer is a call without an outcome, with its code.
 */
export async function askModel(guarded: GuardedModel, context: AskContext): Promise<Asked> {
  const { settings, breaker } = guarded;
  const { clock, spend, timing } = context;
  const startedUs = timing.nowUs();
  const fence = newFence((count) => context.random.bytes(count));
  const { question, subject, criteria, declared, textMax } = context;
  const prompt = promptFor(question, { subject, criteria, declared }, textMax, fence);
  const done = (heard: Heard, usage: Usage, micros: number): Asked => ({
    call: {
      subject: context.subject,
      model: settings.name,
      part: context.part,
      outcome: heard.answer?.outcome ?? null,
      code: heard.code,
      tookUs: Math.max(0, Math.round(timing.nowUs() - startedUs)),
      ...usage,
      micros,
    },
    criterion: heard.answer?.criterion ?? null,
    isCut: prompt.isCut || context.question.isCut === true,
  });
  const none = { inputTokens: 0, outputTokens: 0 };
  if (!(context.timeoutMs > 0)) return done({ answer: null, code: 'JUDGE_LATE' }, none, 0);
  if (!breaker.admits(clock.nowMs())) {
    return done({ answer: null, code: 'JUDGE_BREAKER_OPEN' }, none, 0);
  }
  // No tokeniser makes more tokens of a text than it has bytes.
  const most = { inputTokens: bytesOf(prompt), outputTokens: settings.outputTokensMax };
  const charge = `${context.question.id}.${context.subject}.${context.part}.${fence.nonce}`;
  const reserved = costOf(settings, most.inputTokens, most.outputTokens);
  if (!(await spend.reserve(charge, context.question.task, reserved))) {
    return done({ answer: null, code: 'JUDGE_BUDGET_SPENT' }, none, 0);
  }
  const { heard, usage } = await hear(guarded, prompt, fence, most, context);
  if (heard.answer === null) breaker.failed(clock.nowMs());
  else breaker.succeeded();
  const micros = await spend.settle(charge, costOf(settings, usage.inputTokens, usage.outputTokens));
  return done(heard, usage, micros);
}

type Usage = { readonly inputTokens: number; readonly outputTokens: number };

/** What was not answered, or not counted by the provider, is charged as the most it can have been. */
async function hear(
  { model, settings }: GuardedModel,
  prompt: Prompt,
  fence: Fence,
  most: Usage,
  { criteria, timing, timeoutMs }: AskContext,
): Promise<{ readonly heard: Heard; readonly usage: Usage }> {
  const { system, user, answer: form } = prompt;
  const { outputTokensMax } = settings;
  try {
    const asked = await timing.within(
      (signal) => model.ask({ system, user, answer: form, outputTokensMax }, signal),
      timeoutMs,
    );
    if (asked.late) return { heard: { answer: null, code: 'JUDGE_LATE' }, usage: most };
    const usage = usageOf(asked.value, most);
    const answer = parseAnswer(asked.value.text, criteria, fence);
    return { heard: { answer, code: answer === null ? 'JUDGE_MALFORMED' : null }, usage };
  } catch {
    // What a provider says about its failure may repeat the text that it was sent.
    return { heard: { answer: null, code: 'JUDGE_UNAVAILABLE' }, usage: most };
  }
}

function usageOf({ inputTokens, outputTokens }: ModelAnswer, most: Usage): Usage {
  const counted = (tokens: number | null, limit: number): number =>
    tokens !== null && Number.isSafeInteger(tokens) && tokens >= 0 ? tokens : limit;
  return {
    inputTokens: counted(inputTokens, most.inputTokens),
    outputTokens: counted(outputTokens, most.outputTokens),
  };
}

function bytesOf({ system, user }: Prompt): number {
  return Buffer.byteLength(system) + Buffer.byteLength(user);
}
