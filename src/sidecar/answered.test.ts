// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { sampleMesh } from '../../test/mesh-files/sample.ts';
import type { EnvelopeBody, Outgoing } from '../message/envelope.ts';
import type { Mesh } from '../mesh/mesh.ts';
import { fitFindings } from './answered.ts';
import type { InboxMessage } from './ports.ts';

const base = sampleMesh();
const order = {
  id: 'order/1', type: 'instruction', schema: {},
  answer: { schemas: ['figures/1'], same: new Map([['/ticker', '/ticker']]), every: new Map() },
} as const;
const mesh: Mesh = { ...base, schemas: new Map([...base.schemas, ['order/1', order]]) };

/** What was handed over, by id: an order for a ticker, or a note about one. */
const store = {
  message: (id: string): InboxMessage | null => {
    const [kind, ticker] = id.split(' ');
    if (kind !== 'order' && kind !== 'note') return null;
    return { body: { id, schema: `${kind}/1`, type: kind === 'order' ? 'instruction' : 'data', payload: { ticker } } as unknown as EnvelopeBody } as InboxMessage;
  },
};

function codes(ticker: string, inputs: readonly string[], change: Partial<Outgoing> = {}, of = mesh): readonly string[] {
  const outgoing: Outgoing = {
    to: 'desk', type: 'claim', schema: 'figures/1', domain: null, payload: { ticker }, metadata: {},
    inReplyTo: null, epistemic: null, task: null, ...change,
  };
  return fitFindings(outgoing, inputs, of, store).map(({ code }) => code);
}

describe('what an agent was asked', () => {
  it('is what its answer has to be about', () => {
    expect(codes('SOLO', ['order NORD'])).toEqual(['POLICY_ANSWER_OTHER']);
    expect(codes('NORD', ['order NORD'])).toEqual([]);
  });

  it('may be several things, each of which may be answered', () => {
    expect(codes('SOLO', ['order NORD', 'order SOLO'])).toEqual([]);
    expect(codes('NORD', ['order NORD', 'order SOLO'])).toEqual([]);
    expect(codes('DEAL', ['order NORD', 'order SOLO'])).toEqual(['POLICY_ANSWER_OTHER']);
  });

  it('is the one thing that it replies to, where it names it', () => {
    expect(codes('SOLO', ['order NORD', 'order SOLO'], { inReplyTo: 'order NORD' })).toEqual(['POLICY_ANSWER_OTHER']);
    expect(codes('NORD', ['order NORD'], { inReplyTo: 'order NORD', schema: 'note/1' })).toEqual(['POLICY_ANSWER_KIND']);
  });

  it.each([
    ['another message that was handed over', 'note SOLO'],
    ['a message of another task', 'order SOLO'],
    ['nothing that exists', 'made-up'],
  ])('is not got round by replying to %s', (_what, inReplyTo) => {
    expect(codes('SOLO', ['order NORD', 'note SOLO'], { inReplyTo })).toEqual(['POLICY_ANSWER_OTHER']);
  });

  it('may be asked back about, and leaves everything else that the agent says alone', () => {
    const reply = { inReplyTo: 'order NORD' };
    expect(codes('SOLO', ['order NORD'], { ...reply, schema: 'clarification/1' })).toEqual([]);
    expect(codes('SOLO', ['order NORD'], { ...reply, type: 'instruction', schema: 'order/1' })).toEqual([]);
    expect(codes('SOLO', ['order NORD'], { schema: 'note/1' })).toEqual([]);
  });

  it('says nothing where nobody asked, or nobody declared what answers', () => {
    expect(codes('SOLO', [])).toEqual([]);
    expect(codes('SOLO', ['order NORD'], {}, base)).toEqual([]);
  });
});
