// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { sampleMesh } from '../../test/mesh-files/sample.ts';
import { followedFrom, ownersOf } from './late-refusal.ts';

type Step = Parameters<typeof followedFrom>[1] extends AsyncIterable<infer One> ? One : never;

const step = (kind: Step['kind'], message: string, change: Partial<Step> = {}): Step =>
  ({ kind, message, causedBy: [], detail: {}, outcome: 'GO', ...change });
/** A message that was sent after these, and admitted for somebody. */
const sent = (message: string, to: string, ...causedBy: readonly string[]): readonly Step[] =>
  [step('message.outbound', message, { causedBy }), step('message.admitted', message, { detail: { to } })];

async function* inOrder(steps: readonly Step[]): AsyncGenerator<Step> {
  yield* steps;
}

async function after(message: string, ...steps: readonly (readonly Step[])[]) {
  const { messages, done } = await followedFrom(message, inOrder(steps.flat()));
  return { messages: Object.fromEntries(messages), done };
}

describe('what follows from a refused message', () => {
  it('is everything that names it as a cause, in whatever task, and everything that names that', async () => {
    expect(await after('m1',
      sent('m0', 'x'), sent('m1', 'a', 'm0'), sent('m2', 'b', 'm1'), sent('m3', 'c', 'm0'),
      sent('m4', 'a', 'm2', 'm0'), sent('m5', 'b', 'm3'),
    )).toEqual({ messages: { a: ['m1', 'm4'], b: ['m2'] }, done: 0 });
  });

  it('counts what was done on the way, and not what was refused', async () => {
    expect(await after('m1', sent('m1', 'a'), sent('r1', 'payments', 'm1'), sent('r2', 'payments', 'm1'), [
      step('tool.outcome', 'r1'), step('tool.outcome', 'r2', { outcome: 'NO-GO' }), step('tool.outcome', 'other'),
    ])).toMatchObject({ done: 1 });
  });

  it('is nothing for a message that the record does not hold', async () => {
    expect(await after('m9', sent('m1', 'a'))).toEqual({ messages: {}, done: 0 });
  });
});

it('names everybody who answers for an agent that it reached, once', () => {
  const mesh = sampleMesh();
  const agents = new Map([...mesh.agents].map(([name, agent]) =>
    [name, { ...agent, sponsor: name === 'desk' ? null : 'carol@example.org' }] as const));
  expect(ownersOf(['triage', 'desk', 'payments', 'nobody'], { ...mesh, agents })).toEqual(['carol@example.org']);
});
