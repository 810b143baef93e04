// SPDX-License-Identifier: Apache-2.0
import type { Channel, InjectionAnswer, InjectionModel } from './injection-model.ts';

/** Time, as the process that wires the firewall provides it. */
export type FirewallTiming = {
  /** Monotonic microseconds. */
  readonly nowUs: () => number;
  /** Resolves with the promise's value, or with `late` once `timeoutMs` have passed. */
  readonly within: <Value>(
    promise: Promise<Value>,
    timeoutMs: number,
  ) => Promise<{ readonly late: false; readonly value: Value } | { readonly late: true }>;
};

export type Asked = {
  readonly model: InjectionModel;
  readonly texts: readonly string[];
  readonly channel: Channel;
};

/** In the order of the texts. */
export type Answers = readonly InjectionAnswer[];

export type Answered = { readonly late: false; readonly value: Answers } | { readonly late: true };

const threw: InjectionAnswer = { status: 'unavailable', reason: 'the model threw' };

/**
 * What the model says of each text, at once where it needs no waiting for any of them; else with
 * `timeoutMs` for all together. Never throws and never rejects.
 */
export function answersInTime(
  { model, texts, channel }: Asked,
  timing: FirewallTiming,
  timeoutMs: number,
): Answered | Promise<Answered> {
  const asked = texts.map((text) => ask(model, text, channel));
  const isThere = (answer: (typeof asked)[number]): answer is InjectionAnswer => !(answer instanceof Promise);
  return asked.every(isThere) ? { late: false, value: asked } : waitedFor(asked, timing, timeoutMs);
}

async function waitedFor(
  asked: readonly (InjectionAnswer | Promise<InjectionAnswer>)[],
  timing: FirewallTiming,
  timeoutMs: number,
): Promise<Answered> {
  try {
    return await timing.within(Promise.all(asked), timeoutMs);
  } catch {
    // A clock that fails gives no answer in time.
    return { late: true };
  }
}

/** An error is not kept: an adapter may have put the text into it. */
function ask(model: InjectionModel, text: string, channel: Channel): InjectionAnswer | Promise<InjectionAnswer> {
  try {
    const answer = model.classify({ text, channel });
    return answer instanceof Promise ? answer.catch(() => threw) : answer;
  } catch {
    return threw;
  }
}
