// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { PaceClamp } from '../pace/pace-view.ts';
import { SnapshotRoom, snapshotsMax } from './snapshot-room.ts';

const primary: PaceClamp = { phase: 'PRIMARY', allows: 'all' };

function room(clamps: { readonly [agent: string]: PaceClamp }) {
  const pace = { version: 1, clamp: (agent: string): PaceClamp => clamps[agent] ?? primary };
  return { pace, snapshots: new SnapshotRoom(pace) };
}

describe('what a sidecar calls a snapshot', () => {
  it.each([['PRIMARY', 'all'], ['ALTERNATE', 'read-only']] as const)('is none while its agent works: %s, %s', (phase, allows) => {
    expect(room({ a: { phase, allows } }).snapshots.take('a')).toBe(false);
  });

  it.each([['EMERGENCY', 'nothing'], ['CONTINGENCY', 'supervised']] as const)('is kept in %s where %s is allowed', (phase, allows) => {
    expect(room({ a: { phase, allows } }).snapshots.take('a')).toBe(true);
  });

  it('has room for a few of one agent under one version, and for those of others', () => {
    const stopped: PaceClamp = { phase: 'EMERGENCY', allows: 'nothing' };
    const { pace, snapshots } = room({ a: stopped, b: stopped });
    const taken = Array.from({ length: 50 }, () => snapshots.take('a')).filter(Boolean);
    expect([taken.length, snapshots.take('b')]).toEqual([snapshotsMax, true]);
    pace.version = 2;
    expect(snapshots.take('a')).toBe(true);
  });
});
