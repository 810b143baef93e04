// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { meshAgent, type MeshAgent } from './join-mesh.ts';
import type { Call } from './sidecar-http.ts';

/** A sidecar that hands over what it has in one batch, and keeps what it was asked. */
function joined(ids: readonly string[]): { readonly agent: MeshAgent; readonly calls: Call[] } {
  const calls: Call[] = [];
  const waiting = ids.map((id) => ({ id }));
  const agent = meshAgent('a', 'uid', async (call) => {
    calls.push(call);
    return { messages: waiting.splice(0) };
  }, () => undefined);
  return { agent, calls };
}

async function read(agent: MeshAgent, count: number): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const { id } of agent.messages()) {
    found.push(id);
    if (found.length === count) break;
  }
  return found;
}

describe('a loop over messages that is left', () => {
  it('leaves the rest of what was fetched to the next loop, each message once', async () => {
    const { agent } = joined(['m1', 'm2', 'm3', 'm4']);
    expect(await read(agent, 1)).toEqual(['m1']);
    expect(await read(agent, 2)).toEqual(['m2', 'm3']);
    expect(await read(agent, 1)).toEqual(['m4']);
  });

  it('acknowledges what it was through with, and not the one on which it was left', async () => {
    const { agent, calls } = joined(['m1', 'm2', 'm3']);
    await read(agent, 3);
    expect(calls.at(-1)).toEqual({ path: '/v1/inbox/ack', body: { ids: ['m1', 'm2'] } });
  });
});

it('sends how sure the agent is, and on what that rests', async () => {
  const { agent, calls } = joined([]);
  const epistemic = { confidence: 0.4, assumptions: ['the mail is genuine'], unknowns: ['the date'] };
  const message = { to: 'b', type: 'claim', schema: 'finding/1', payload: {}, epistemic } as const;
  await agent.send(message);
  expect(calls).toEqual([{ path: '/v1/messages', body: message }]);
});
