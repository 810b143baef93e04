// SPDX-License-Identifier: Apache-2.0
import type { Deadline } from '../tool/gate.ts';

/** Who waits: until when, and what says that the agent hung up. */
export type AgentWait = {
  readonly waitMs: number;
  readonly closed: AbortSignal;
  readonly deadline: Deadline;
};

/**
 * Runs `until` with a signal that fires once the agent hung up, or after `waitMs`. Nothing outlives
 * the call: an agent asks again after each message, and a timer that is left to run out keeps what
 * it would have ended in memory for as long.
 */
export async function whileAgentWaits<Value>(
  { waitMs, closed, deadline }: AgentWait,
  until: (ended: AbortSignal) => Promise<Value>,
): Promise<Value> {
  const ended = new AbortController();
  const end = (): void => ended.abort();
  if (closed.aborted) end();
  closed.addEventListener('abort', end);
  const late = deadline.start(waitMs);
  void late.expired.then(end);
  try {
    return await until(ended.signal);
  } finally {
    late.cancel();
    closed.removeEventListener('abort', end);
  }
}
