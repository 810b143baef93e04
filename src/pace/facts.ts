// SPDX-License-Identifier: Apache-2.0

/** What the machine has to know of the world and cannot derive. */
export type PaceFacts = {
  /** True for an agent that is revoked as a whole: it stays shut out, whatever PACE says. */
  readonly isRevoked: (agent: string) => boolean;
};
