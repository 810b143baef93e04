// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { completionEvents, eventStream } from './completion-events.ts';

const call = { id: 'call-1', type: 'function', function: { name: 'f', arguments: '{}' } };
const usage = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 };
const body = {
  id: 'chatcmpl-x', object: 'chat.completion', created: 7, model: 'm', usage,
  choices: [{ index: 0, finish_reason: 'tool_calls', message: { role: 'assistant', content: 'Hm.', reasoning: 'thought', tool_calls: [call], refusal: null } }],
};

test('a whole answer is the chunks that make it up again, in order', () => {
  const events = completionEvents(body, true);
  expect(events.every(({ object, id, model }) => object === 'chat.completion.chunk' && id === 'chatcmpl-x' && model === 'm')).toBe(true);
  const deltas = events.slice(0, -1).map(({ choices }) => (choices as readonly { readonly delta: object }[])[0]?.delta);
  expect(deltas).toEqual([
    { role: 'assistant', content: '' }, { content: 'Hm.' }, { reasoning: 'thought' },
    { tool_calls: [{ index: 0, ...call }] }, {},
  ]);
  expect(events.at(-2)?.['choices']).toEqual([{ index: 0, delta: {}, finish_reason: 'tool_calls' }]);
  expect(events.at(-1)).toMatchObject({ choices: [], usage });
  expect(completionEvents(body, false)).toEqual(events.slice(0, -1));
});

test('the stream ends as clients expect it, and holds no line break of its own', () => {
  const lines = eventStream([{ a: 'x\ny' }]).split('\n\n');
  expect(lines).toEqual(['data: {"a":"x\\ny"}', 'data: [DONE]', '']);
});

test('an answer without a message is a stream without one', () => {
  const events = completionEvents({ id: 'i', choices: [] }, false);
  expect(events.map(({ choices }) => choices)).toEqual([
    [{ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null }],
    [{ index: 0, delta: {}, finish_reason: 'stop' }],
  ]);
});
