// SPDX-License-Identifier: Apache-2.0
import type { SignedCheckpoint } from './checkpoint.ts';

/**
 * Sees every checkpoint once it is durable, and keeps it where the operator of the mesh cannot
 * change it. Resolves when the witness has it; rejecting costs nothing but the witness's age, which
 * is shown. Not durable by itself: the checkpoint file is.
 */
export interface Witness {
  see(checkpoint: SignedCheckpoint): Promise<void>;
}

/** The first implementation: no witness. Whoever wants one copies the checkpoint elsewhere. */
export const noWitness: Witness = { see: async () => undefined };
