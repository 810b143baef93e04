// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { partyOf } from '../../test/sidecar-fixture/sidecar.ts';
import type { PeerIdentity } from '../identity/credential.ts';
import type { KnowledgeAsk } from '../knowledge/asks.ts';
import { TokenBuckets } from '../scanner/rate.ts';
import type { NodeFrame } from '../wire/frame.ts';
import { onKnowledgeFrame } from './knowledge-frames.ts';

const ask: KnowledgeAsk = {
  kind: 'query', id: '01JD3K5V7Q8R9S0T1V2W3X4Y5Z', task: '01JD3K5V7Q8R9S0T1V2W3X4Y60', incarnation: 'run',
  source: 'guide', text: 'x', limit: 1,
};

async function answered(change: {
  readonly allows?: string;
  readonly knowledge?: () => Promise<never>;
  readonly burst?: number;
} = {}): Promise<readonly unknown[]> {
  const sent: NodeFrame[] = [];
  const askers: PeerIdentity[] = [];
  const line = { send: (frame: NodeFrame) => void sent.push(frame), drop: () => undefined, isAlive: async () => true };
  onKnowledgeFrame({ kind: 'knowledge', number: 7, ask }, partyOf('triage').peer, line, {
    keyRates: new TokenBuckets({ perSecond: 1e-9, burst: change.burst ?? 1 }),
    clock: { nowMs: () => 1 },
    pace: { clamp: () => ({ allows: change.allows ?? 'all' }) },
    control: {
      knowledge: change.knowledge ?? (async (peer) => {
        askers.push(peer);
        return { ok: true, items: [] };
      }),
    },
  });
  await new Promise((resolve) => setImmediate(resolve));
  return [...sent, ...askers.map(({ name }) => name)];
}

describe('what a sidecar asks of knowledge', () => {
  test('is answered for the agent that its certificate names', async () => {
    expect(await answered()).toEqual([{ kind: 'known', number: 7, items: [] }, 'triage']);
  });

  test.each([
    ['of a stopped agent', { allows: 'nothing' }, 'PACE_STOPPED'],
    ['that comes too fast', { burst: 0.5 }, 'BUS_RATE_LIMITED'],
    ['that fails', { knowledge: () => Promise.reject(new Error('disk')) }, 'KNOWLEDGE_UNAVAILABLE'],
  ])('%s is refused', async (_, change, code) => {
    expect(await answered(change)).toEqual([{ kind: 'refused', number: 7, code }]);
  });
});
