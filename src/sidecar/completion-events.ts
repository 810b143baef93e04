// SPDX-License-Identifier: Apache-2.0
import { isJsonObject, type JsonObject, type JsonValue } from '../message/json.ts';

/**
 * A whole chat completion as the chunks that a client which asked for a stream reads. The agent gets
 * the first of them once the answer was looked through and is on record, as it would get the whole.
 */
export function completionEvents(body: JsonObject, includesUsage: boolean): readonly JsonObject[] {
  const { choices, usage = null } = body;
  const [answered = null] = Array.isArray(choices) ? choices : [];
  const choice = isJsonObject(answered) ? answered : {};
  const message = isJsonObject(choice['message'] ?? null) ? choice['message'] as JsonObject : {};
  const { role = 'assistant', ...said } = message;
  const deltas: readonly JsonObject[] = [
    { role, content: '' },
    ...Object.entries(said).filter(([, value]) => value !== null).map(([name, value]) => deltaOf(name, value)),
  ];
  const chunk = (delta: JsonObject, finish: JsonValue): JsonObject =>
    chunkOf(body, [{ index: 0, delta, finish_reason: finish }]);
  return [
    ...deltas.map((delta) => chunk(delta, null)),
    chunk({}, choice['finish_reason'] ?? 'stop'),
    ...(includesUsage ? [{ ...chunkOf(body, []), usage }] : []),
  ];
}

/** The text of a stream of server-sent events with these; it ends as OpenAI's does. */
export function eventStream(events: readonly JsonObject[]): string {
  return [...events.map((event) => JSON.stringify(event)), '[DONE]']
    .map((data) => `data: ${data}\n\n`).join('');
}

/** Calls of functions have a place in a stream, which they have not in a whole answer. */
function deltaOf(name: string, value: JsonValue): JsonObject {
  if (name !== 'tool_calls' || !Array.isArray(value)) return { [name]: value };
  return { tool_calls: value.map((call, index) => (isJsonObject(call) ? { index, ...call } : call)) };
}

function chunkOf({ id = '', created = 0, model = '' }: JsonObject, choices: readonly JsonValue[]): JsonObject {
  return { id, object: 'chat.completion.chunk', created, model, choices: [...choices] };
}
