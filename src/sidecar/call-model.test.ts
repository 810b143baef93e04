// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, test } from 'vitest';
import { FakeSidecar, random } from '../../test/sidecar-fixture/sidecar.ts';
import { sampleMesh } from '../../test/mesh-files/sample.ts';
import { Spend, type Charge } from '../judge/spend.ts';
import type { AgentModelSettings } from '../mesh/agent-model.ts';
import type { Agent } from '../mesh/mesh.ts';
import type { JsonObject } from '../message/json.ts';
import { AgentApi } from './agent-api.ts';
import type { AgentModel, CompletionAnswer } from './agent-model.ts';
import { agentRequests } from './agent-requests.ts';
import { AgentSidecar } from './agent-sidecar.ts';
import type { AgentMemory } from './memory.ts';

const never = new AbortController().signal;
const secret = ['glpat', 'aB3dE5gH7jK9mN1pQ2sT'].join('-');
const settings: AgentModelSettings = {
  url: 'https://model.test/v1', name: 'model-of-the-mesh', credential: null, clearance: 'internal',
  price: { perCall: 0.01, perMillionInput: 0, perMillionOutput: 0 }, outputTokensMax: 64, timeoutMs: 1000,
  budget: { moneyPerHour: 0.03, moneyPerTask: 1, callsPerHour: 100 },
};
let fake: FakeSidecar;
let api: AgentApi;
let memory: AgentMemory;
let nowMs: number;
let asked: JsonObject[];
let answers: () => CompletionAnswer | Promise<CompletionAnswer>;
const usage = { prompt_tokens: 12, completion_tokens: 34, completion_tokens_details: { reasoning_tokens: 20 } };

const completion = (content: string, more: object = {}): CompletionAnswer => ({
  status: 200,
  body: { id: 'x', provider: 'secret-region', choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content, ...more } }], usage },
});

beforeEach(async () => {
  asked = [];
  answers = () => completion('Hello.');
  const mesh = sampleMesh();
  const triage = { ...(mesh.agents.get('triage') as Agent), systemPrompt: 'You are the triage of this mesh.', clearance: 'restricted' } as const;
  const charges = new Map<string, Charge>();
  nowMs = 1000;
  const clock = { nowMs: () => nowMs };
  const agentModel: AgentModel = {
    settings,
    spend: new Spend(settings.budget, { since: () => [], save: async (one) => void charges.set(one.id, one), drop: async () => undefined }, clock),
    timing: {
      nowUs: () => 0,
      within: async (work) => {
        const value = await work(never);
        return { late: false, value };
      },
    },
    complete: async (body) => {
      asked.push(body);
      return answers();
    },
  };
  fake = new FakeSidecar('triage', { agentModel, random, clock }, { ...mesh, agents: new Map([...mesh.agents, ['triage', triage]]) });
  const sidecar = new AgentSidecar(fake.context);
  await sidecar.recover();
  const session = await sidecar.openSession(await sidecar.mintToken());
  const opened = session.ok ? sidecar.authenticate(session.sessionKey) : null;
  if (opened === null) throw new Error('no session');
  memory = opened;
  api = new AgentApi(sidecar);
});

function complete(content: string, more: object = {}) {
  return api.complete(agentRequests.complete.parse({ messages: [{ role: 'user', content }], ...more }), memory, never);
}

const called = () => fake.recorder.entries.filter(({ kind }) => kind === 'model.called');

describe('an agent\'s call of its model', () => {
  test('goes to the model of the mesh file, with the prompt that only the sidecar holds', async () => {
    const { status, body } = await complete('Hi', { model: 'some-other', user: 'me', max_tokens: 9999 });
    expect(status).toBe(200);
    expect(asked).toEqual([{
      model: 'model-of-the-mesh', max_tokens: 64,
      messages: [{ role: 'system', content: 'You are the triage of this mesh.' }, { role: 'user', content: 'Hi' }],
    }]);
    expect(JSON.stringify(body)).not.toMatch(/triage of this mesh|secret-region/);
  });

  test('is on record with its tokens, and with nothing of what was said or thought', async () => {
    answers = () => completion('The answer.', { reasoning_content: 'First I looked at the ledger.' });
    await complete('What is due?');
    expect(called()[0]?.detail).toMatchObject({
      inputTokens: 12, outputTokens: 34, reasoningTokens: 20, reasoningCharacters: 29, micros: 10_000,
      classification: 'public', integrity: 'trusted',
    });
    expect(JSON.stringify(called())).not.toMatch(/answer|ledger|due/);
  });

  test.each<[string, object]>([
    ['the description of a function', { tools: [{ type: 'function', function: { name: 'f', description: `use ${secret}` } }] }],
    ['the choice of one', { tool_choice: { type: 'function', function: { name: secret } } }],
    ['where it is to stop', { stop: [secret] }],
    ['the form of its answer', { response_format: { type: 'json_schema', json_schema: { name: 'x', schema: { [secret]: {} } } } }],
  ])('takes no secret along in %s', async (_, more) => {
    expect((await complete('Hi', more)).status).toBe(403);
    expect(asked).toEqual([]);
    expect(called()[0]?.code).toBe('SCAN_SECRET');
    expect(JSON.stringify(called())).not.toContain(secret);
  });

  test('has its reasoning looked through as its answer is', async () => {
    answers = () => completion('Fine.', { reasoning_content: 'The key is AKIAIOSFODNN7EXAMPLQ, I keep it.' });
    await complete('Hi');
    expect(called()[0]?.code).toBe('SCAN_SECRET');
    expect(called()[0]?.outcome).toBe('NO-GO');
  });

  test.each<[string, object, object]>([
    ['what it declines with', { refusal: secret }, {}],
    ['a call in the old form', { function_call: { name: 'f', arguments: secret } }, {}],
    ['details of its reasoning', { reasoning_details: [{ text: secret }] }, {}],
    ['a member beside the message', {}, { logprobs: { content: [{ token: secret }] } }],
  ])('is looked through in %s', async (_, message, choice) => {
    const choices = [{ index: 0, message: { role: 'assistant', content: 'Fine.', ...message }, ...choice }] as JsonObject[];
    answers = () => ({ status: 200, body: { choices, usage } });
    await complete('Hi');
    expect(called()[0]?.code).toBe('SCAN_SECRET');
  });

  test.each([
    ['an error', () => ({ status: 500, body: { error: { message: 'x' } } })],
    ['no completion', () => ({ status: 200, body: { choices: [] } })],
    ['no JSON', () => ({ status: 200, body: null })],
    ['nothing', () => Promise.reject(new Error('gone'))],
  ] as const)('that is answered with %s fails, and is charged', async (_what, answer) => {
    answers = answer;
    const { status, body } = await complete('Hi');
    expect([status, body]).toEqual([502, { error: { message: 'UNAVAILABLE', type: 'maso', code: 'UNAVAILABLE', param: null } }]);
    expect(called().map(({ code, detail }) => [code, detail['micros']])).toEqual([['SIDECAR_MODEL_UNAVAILABLE', 10_000]]);
  });

  test('is refused beyond its budget', async () => {
    for (let turn = 0; turn < 3; turn += 1) expect((await complete('Hi')).status).toBe(200);
    expect((await complete('Hi')).status).toBe(403);
    expect(asked).toHaveLength(3);
    expect(called().at(-1)?.code).toBe('SIDECAR_MODEL_BUDGET');
  });

  test('is refused beyond its tokens, also where it costs nothing', async () => {
    Object.assign(settings.budget, { moneyPerHour: 1e6, tokensPerTask: 600 });
    answers = () => ({ ...completion('Hello.'), body: { ...completion('Hello.').body as object, usage: { prompt_tokens: 200, completion_tokens: 60 } } });
    expect((await complete('Hi')).status).toBe(200);
    expect((await complete('Hi')).status).toBe(200);
    expect((await complete('Hi')).status).toBe(403);
    Object.assign(settings.budget, { moneyPerHour: 0.03, tokensPerTask: null });
    expect(called().map(({ code }) => code)).toEqual([null, null, 'SIDECAR_MODEL_BUDGET']);
  });

  test('takes no secret to the provider', async () => {
    const { status } = await complete('The key is AKIAIOSFODNN7EXAMPLQ, use it.');
    expect(status).toBe(403);
    expect(asked).toEqual([]);
    expect(called()[0]?.code).toBe('SCAN_SECRET');
  });

  test('takes nothing to the provider that was not looked through to its end', async () => {
    const flood = 'AKIA ghp_ sk_live_ xoxb- eyJ AIza glpat- '.repeat(1_500);
    expect((await complete(`${flood}The key is AKIAIOSFODNN7EXAMPLQ.`)).status).toBe(403);
    const noise = Array.from({ length: 6_000 }, (_, index) => ({ type: 'text', text: `a note ${index + 10_000}` }));
    const { status } = await api.complete(
      agentRequests.complete.parse({ messages: [{ role: 'user', content: noise }] }), memory, never);
    expect(status).toBe(403);
    expect(asked).toEqual([]);
    expect(called().at(-1)?.code).toBe('SCAN_BUDGET');
  });

  test('waits for its turn also where fifty begin at once', async () => {
    Object.assign(settings.budget, { moneyPerHour: 1 });
    for (let turn = 0; turn < 92; turn += 1) await complete('Hi');
    asked = [];
    nowMs += 20_000;
    await Promise.all(Array.from({ length: 50 }, () => complete('Hi')));
    expect(asked).toHaveLength(1);
    Object.assign(settings.budget, { moneyPerHour: 0.03 });
  });

  test('is refused once the process has read more than its model may see', async () => {
    await memory.absorb([{
      id: 'm1', label: { classification: 'confidential', integrity: 'internal', origins: ['agent:desk'] },
      value: {}, sourcesOf: [], place: null, task: '01K74F0Z00ABCDEFGHJKMNPQRS',
    }], []);
    expect((await complete('Hi')).status).toBe(403);
    expect(asked).toEqual([]);
    expect(called()[0]?.code).toBe('SIDECAR_MODEL_CLEARANCE');
  });

  test('does not name a task that the agent does not stand in', async () => {
    await complete('Hi', { metadata: { task: '01K74F0Z00ABCDEFGHJKMNPQRS' } });
    expect(called()[0]?.task).toBeNull();
  });

  test('as a stream is one after the fact: reviewed, charged and on record like any other', async () => {
    const plain = await complete('Hi');
    const { body, events } = await complete('Hi', { stream: true, stream_options: { include_usage: true } });
    expect(asked[1]).toEqual(asked[0]);
    expect(called().map(({ detail }) => detail['micros'])).toEqual([10_000, 10_000]);
    expect(body['choices']).toEqual(plain.body['choices']);
    expect(plain.events).toBeUndefined();
    expect(events?.at(-1)?.['usage']).toEqual(body['usage']);
  });

  test('that is refused is no stream', async () => {
    const { status, events } = await complete('The key is AKIAIOSFODNN7EXAMPLQ, use it.', { stream: true });
    expect([status, events]).toEqual([403, undefined]);
  });

  test('has one answer', () => {
    for (const more of [{ stream: 'yes' }, { n: 2 }, { messages: [] }]) {
      expect(agentRequests.complete.safeParse({ messages: [{ role: 'user', content: 'x' }], ...more }).success).toBe(false);
    }
  });
});
