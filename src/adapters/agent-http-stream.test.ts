// SPDX-License-Identifier: Apache-2.0
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { generateText, streamText } from 'ai';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FakeSidecar, random } from '../../test/sidecar-fixture/sidecar.ts';
import { Spend } from '../judge/spend.ts';
import { AgentSidecar } from '../sidecar/agent-sidecar.ts';
import { serveAgent, type AgentHttp } from './agent-http.ts';

const budget = { moneyPerHour: 10, moneyPerTask: 10, callsPerHour: 100 };
let fake: FakeSidecar;
let http: AgentHttp;
let key: string;

beforeEach(async () => {
  const spend = new Spend(budget, { since: () => [], save: async () => undefined, drop: async () => undefined }, { nowMs: () => 1 });
  fake = new FakeSidecar('triage', {
    random,
    agentModel: {
      settings: {
        url: 'https://model.test/v1', name: 'm', credential: null, clearance: 'restricted', outputTokensMax: 64,
        timeoutMs: 1000, price: { perCall: 0.01, perMillionInput: 0, perMillionOutput: 0 }, budget,
      },
      spend,
      timing: { nowUs: () => 0, within: async (work) => ({ late: false, value: await work(new AbortController().signal) }) },
      complete: async () => ({
        status: 200,
        body: {
          choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'All is well.' } }],
          usage: { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 },
        },
      }),
    },
  });
  const sidecar = new AgentSidecar(fake.context);
  await sidecar.recover();
  const opened = await sidecar.openSession(await sidecar.mintToken());
  if (!opened.ok) throw new Error(opened.code);
  key = opened.sessionKey;
  http = await serveAgent({ sidecar, bodyBytesMax: 65_536, depthMax: 32, listen: { port: 0 } });
});

afterEach(() => http.close());

test('a client that asks for a stream reads the same answer, with its usage, as one that does not', async () => {
  const model = createOpenAICompatible({ name: 'own', baseURL: `${http.address}/v1`, apiKey: key, includeUsage: true })('any');
  const whole = await generateText({ model, prompt: 'How are you?' });
  const stream = streamText({ model, prompt: 'How are you?' });
  const parts: string[] = [];
  for await (const part of stream.textStream) parts.push(part);
  expect(parts.join('')).toBe('All is well.');
  expect(whole.text).toBe('All is well.');
  expect(await stream.finishReason).toBe('stop');
  expect((await stream.usage).outputTokens).toBe(4);
  expect(fake.recorder.entries.filter(({ kind }) => kind === 'model.called')).toHaveLength(2);
});
