// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { askControl } from '../adapters/control-http.ts';
import type { NodeFacts } from '../exporter/metrics.ts';

const amount = z.number().min(0);
const shape = z.object({
  connected: z.array(z.string()),
  recorder: z.object({ state: z.string(), entries: amount, checkpointAt: amount }),
  pendingApprovals: amount,
  queued: amount,
  queuedLongest: amount,
  leases: amount,
});

/** What the node of a state directory says about itself now; null when it does not answer. */
export async function askNodeFacts(controlSocket: string): Promise<NodeFacts | null> {
  try {
    const { status, body } = await askControl(controlSocket, 'GET', '/v1/status');
    const parsed = shape.safeParse(body);
    if (status !== 200 || !parsed.success) return null;
    const { recorder, connected, ...counts } = parsed.data;
    return {
      entries: recorder.entries,
      checkpointAtMs: recorder.checkpointAt,
      recorderAvailable: recorder.state === 'available',
      connected: connected.length,
      ...counts,
    };
  } catch {
    // No node answers: what was durable before still is, and nothing new is known.
    return null;
  }
}
