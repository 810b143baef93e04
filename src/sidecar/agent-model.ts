// SPDX-License-Identifier: Apache-2.0
import type { JudgeTiming } from '../judge/judge-model.ts';
import type { Spend } from '../judge/spend.ts';
import type { AgentModelSettings } from '../mesh/agent-model.ts';
import type { JsonObject, JsonValue } from '../message/json.ts';

/** What an OpenAI-compatible endpoint answered; `body` is null for what is no JSON object. */
export type CompletionAnswer = { readonly status: number; readonly body: JsonObject | null };

/** The model that an agent thinks with. */
export type AgentModel = {
  readonly settings: AgentModelSettings;
  readonly spend: Spend;
  readonly timing: JudgeTiming;
  /** One request, without retry or redirect; rejects when there is no answer. */
  readonly complete: (body: JsonObject, signal: AbortSignal) => Promise<CompletionAnswer>;
};

/** What of an answer is counted, looked through and handed on. */
export type Completion = {
  readonly choices: readonly JsonValue[];
  /** What the model says to the agent, calls of functions included. */
  readonly said: readonly JsonValue[];
  /** What it thought on the way, where the endpoint shows it. */
  readonly thought: readonly string[];
  readonly inputTokens: number | null;
  readonly outputTokens: number | null;
  readonly reasoningTokens: number | null;
};

const thoughts: readonly string[] = ['reasoning_content', 'reasoning'];
const named: ReadonlySet<string> = new Set(['index', 'finish_reason', 'message']);

/** Null for an answer without the form of a chat completion. */
export function readCompletion(body: JsonObject | null): Completion | null {
  const choices = body?.['choices'];
  if (!Array.isArray(choices) || choices.length === 0) return null;
  const messages = choices.map((choice: JsonValue) => memberOf(choice, 'message'));
  if (messages.some((message) => message === null)) return null;
  const usage = body?.['usage'] ?? null;
  const thought = messages.flatMap((message) =>
    thoughts.flatMap((name) => {
      const text = memberOf(message, name);
      return typeof text === 'string' && text !== '' ? [text] : [];
    }));
  return {
    choices,
    said: choices.flatMap((choice: JsonValue) => [
      ...partsOf(memberOf(choice, 'message'), (name, part) => name !== 'role' && !isThought(name, part)),
      ...partsOf(choice, (name) => !named.has(name)),
    ]),
    thought,
    inputTokens: countOf(memberOf(usage, 'prompt_tokens')),
    outputTokens: countOf(memberOf(usage, 'completion_tokens')),
    reasoningTokens: countOf(memberOf(memberOf(usage, 'completion_tokens_details'), 'reasoning_tokens')),
  };
}

/** All that an agent is handed is looked through, whatever a provider calls it. */
function partsOf(value: JsonValue, isPart: (name: string, part: JsonValue) => boolean): readonly JsonValue[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [];
  return Object.entries(value).flatMap(([name, part]) => (part !== null && isPart(name, part) ? [part] : []));
}

function isThought(name: string, part: JsonValue): boolean {
  return typeof part === 'string' && thoughts.includes(name);
}

function memberOf(value: JsonValue, name: string): JsonValue {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  const members: JsonObject = value as JsonObject;
  return Object.hasOwn(members, name) ? (members[name] ?? null) : null;
}

function countOf(value: JsonValue): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null;
}
