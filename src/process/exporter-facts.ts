// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { askControl } from '../adapters/control-http.ts';
import type { NodeFacts } from '../exporter/metrics.ts';
import { loadBundle, readBundle } from '../mesh/bundle.ts';
import type { Mesh } from '../mesh/mesh.ts';

const amount = z.number().min(0);
const shape = z.object({
  connected: z.array(z.string()),
  recorder: z.object({
    state: z.string(),
    entries: amount,
    checkpointAt: amount,
    cosignedAt: amount,
    witnesses: z.array(z.unknown()),
    witnessAlarms: z.array(z.string()),
  }),
  policy: z.object({ digest: z.string() }),
  pendingApprovals: amount,
  queued: amount,
  queuedLongest: amount,
  leases: amount,
});

/** What the node of a state directory says about itself now; null when it does not answer. */
export async function askNodeFacts(
  controlSocket: string,
): Promise<(NodeFacts & { readonly policyDigest: string }) | null> {
  try {
    const { status, body } = await askControl(controlSocket, 'GET', '/v1/status');
    const parsed = shape.safeParse(body);
    if (status !== 200 || !parsed.success) return null;
    const { recorder, connected, policy, ...counts } = parsed.data;
    return {
      policyDigest: policy.digest,
      cosignedAtMs: recorder.witnesses.length === 0 ? null : recorder.cosignedAt,
      witnessAlarm: recorder.witnessAlarms.length > 0,
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

/**
 * The version of the mesh that is in force where a node runs, else the one on disk. The digest is the
 * node's own, so that a version it cannot be loaded from here does not look new each time.
 */
export async function meshInForce(
  controlSocket: string,
  disk: Mesh,
): Promise<{ readonly mesh: Mesh; readonly digest: string }> {
  try {
    const { status, body } = await askControl(controlSocket, 'GET', '/v1/policy');
    const { digest, bundle } = body;
    const texts = status === 200 && bundle !== undefined ? readBundle(bundle) : null;
    if (typeof digest !== 'string') return { mesh: disk, digest: disk.digest };
    if (texts === null || digest === disk.digest) return { mesh: disk, digest };
    const loaded = loadBundle(texts, disk.directory);
    return { mesh: loaded.ok ? loaded.mesh : disk, digest };
  } catch {
    // No node answers yet: what is on disk is all that is known, and the node is asked again.
    return { mesh: disk, digest: disk.digest };
  }
}
