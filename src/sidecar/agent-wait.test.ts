// SPDX-License-Identifier: Apache-2.0
import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { wakeOf } from './inbox.ts';
import { whileAgentWaits } from './agent-wait.ts';

function stopped() {
  const calls: string[] = [];
  let expire = (): void => undefined;
  const deadline = {
    start: (afterMs: number) => {
      calls.push(`start ${afterMs}`);
      const expired = new Promise<void>((resolve) => (expire = resolve));
      return { expired, cancel: () => void calls.push('cancel') };
    },
  };
  return { calls, deadline, expire: () => expire() };
}

const endOf = (ended: AbortSignal) => wakeOf(new Set(), ended).then(() => ended.aborted);

describe('while an agent waits', () => {
  it('ends at the deadline', async () => {
    const { calls, deadline, expire } = stopped();
    const closed = new AbortController().signal;
    const waited = whileAgentWaits({ waitMs: 70, closed, deadline }, endOf);
    expire();
    expect([await waited, calls]).toEqual([true, ['start 70', 'cancel']]);
  });

  it('ends when the agent hangs up, and at once where it has', async () => {
    for (const isBefore of [true, false]) {
      const { deadline } = stopped();
      const agent = new AbortController();
      if (isBefore) agent.abort();
      const waited = whileAgentWaits({ waitMs: 70, closed: agent.signal, deadline }, async (ended) =>
        ended.aborted || endOf(ended));
      agent.abort();
      expect(await waited).toBe(true);
    }
  });

  it('leaves neither timer nor listener behind, whatever comes of it', async () => {
    const { calls, deadline } = stopped();
    const { signal } = new AbortController();
    const on = { waitMs: 70, closed: signal, deadline };
    await whileAgentWaits(on, async () => 'a message');
    await expect(whileAgentWaits(on, async () => Promise.reject(new Error('disk')))).rejects.toThrow('disk');
    expect(getEventListeners(signal, 'abort')).toEqual([]);
    expect(calls.filter((call) => call === 'cancel')).toHaveLength(2);
  });
});
