// SPDX-License-Identifier: Apache-2.0
import type { SignedHead } from './head.ts';

/**
 * Sees every signed head once it is durable, and keeps it where the operator of the mesh cannot
 * change it. Resolves when the witness has it; rejecting costs nothing but the witness's age, which
 * is shown. Not durable by itself: the head file is.
 */
export interface Witness {
  see(head: SignedHead): Promise<void>;
}

/** The first implementation: no witness. Whoever wants one copies the head elsewhere. */
export const noWitness: Witness = { see: async () => undefined };
