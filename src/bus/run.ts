// SPDX-License-Identifier: Apache-2.0
import type { PeerIdentity } from '../identity/credential.ts';

/** What a node remembers of the runs of sidecars, and does about an identity that two hold. */
export type RunPort = {
  /** The run that connected last under this identity; null when none did. */
  readonly lastRun: (spiffeId: string) => string | null;
  readonly noteRun: (spiffeId: string, run: string) => void;
  /** Two hold this identity, and nobody can tell whose it is: neither keeps it. */
  readonly forked: (peer: PeerIdentity) => void;
};

/**
 * Whether a sidecar goes on where the last one under its identity stopped. Every start of a sidecar
 * adds a run to the list in its state directory. A run that the node saw and that list does not know
 * was started from a copy: of the directory, or of the key alone.
 */
export function isForked(last: string | null, runs: readonly string[]): boolean {
  return last !== null && !runs.includes(last);
}
