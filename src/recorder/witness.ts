// SPDX-License-Identifier: Apache-2.0
import type { SignedCheckpoint } from './checkpoint.ts';

export type WitnessRequest = {
  /** Size of the newest checkpoint that the witness is believed to have cosigned; 0 for none. */
  readonly oldSize: number;
  /** Consistency proof from there (RFC 9162); empty from 0. */
  readonly proof: readonly Uint8Array[];
  readonly checkpoint: SignedCheckpoint;
};

export type WitnessAnswer =
  /** Signature lines, not verified yet. */
  | { readonly outcome: 'cosigned'; readonly lines: string }
  /** The size that the witness has cosigned in truth. */
  | { readonly outcome: 'conflict'; readonly size: number }
  /** It says that the log is not the one it cosigned before, or that it does not know the log. */
  | { readonly outcome: 'refused'; readonly status: number };

/**
 * Somebody whom the operator of the mesh does not control, who cosigns a checkpoint only when it
 * continues what it cosigned before. It is told nothing but the checkpoint and a proof. Rejects
 * when it cannot be reached or answers nothing sensible, within a time of its own; then it is asked
 * again with the next checkpoint.
 */
export interface Witness {
  readonly name: string;
  add(request: WitnessRequest): Promise<WitnessAnswer>;
}
