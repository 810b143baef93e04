// SPDX-License-Identifier: Apache-2.0
import type { PaceView } from '../pace/pace-view.ts';

/** Frames of snapshots of one agent under one version of PACE; a snapshot fits one, and may be repeated. */
export const snapshotsMax = 4;

/**
 * Whether what a sidecar calls a snapshot may be one: PACE stopped its agent, and there were few of them since. A
 * sidecar names its reads itself; without this, one that was taken over could put before custodians, at
 * any time and without end, a state that its agent never stood in.
 */
export class SnapshotRoom {
  readonly #pace: PaceView & { readonly version: number };
  readonly #kept = new Map<string, { readonly version: number; readonly count: number }>();

  constructor(pace: PaceView & { readonly version: number }) {
    this.#pace = pace;
  }

  /** Counts the frame where it has room. `agent` is the name in the certificate of the line. */
  take(agent: string): boolean {
    const { allows } = this.#pace.clamp(agent);
    if (allows !== 'nothing' && allows !== 'supervised') return false;
    const { version } = this.#pace;
    const kept = this.#kept.get(agent);
    const count = kept?.version === version ? kept.count : 0;
    if (count >= snapshotsMax) return false;
    this.#kept.set(agent, { version, count: count + 1 });
    return true;
  }
}
