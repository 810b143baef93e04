// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { measureNode, type NodeFacts } from './metrics.ts';

const facts: NodeFacts = {
  entries: 10, checkpointAtMs: 9_000, cosignedAtMs: 4_000, witnessAlarm: false,
  recorderAvailable: true, queued: 0, queuedLongest: 0, pendingApprovals: 0, connected: 1, leases: 1,
};

function measured(changes: Partial<NodeFacts>): ReadonlyMap<string, number> {
  const values = new Map<string, number>();
  const nothing = (): void => undefined;
  measureNode({ ...facts, ...changes }, 10_000, {
    add: nothing, observe: nothing, set: (name, _labels, value) => void values.set(name, value),
  });
  return values;
}

describe('what the node says of its witnesses', () => {
  const age = 'maso_recorder_cosigned_age_seconds';

  it('is the age of the newest cosigned checkpoint, however fresh the signed one is', () => {
    expect(measured({}).get(age)).toBe(6);
    expect(measured({}).get('maso_recorder_checkpoint_age_seconds')).toBe(1);
    expect(measured({ cosignedAtMs: 0 }).get(age)).toBe(10);
  });

  it('is an alarm where the node raises one, and nothing at all without a witness', () => {
    expect(measured({ witnessAlarm: true }).get('maso_recorder_witness_alarm')).toBe(1);
    expect(measured({}).get('maso_recorder_witness_alarm')).toBe(0);
    expect(measured({ cosignedAtMs: null }).has(age)).toBe(false);
    expect(measured({ cosignedAtMs: null }).has('maso_recorder_witness_alarm')).toBe(false);
  });
});
