// SPDX-License-Identifier: Apache-2.0

/**
 * What an agent is told. Coarse and closed, so that a refusal teaches an attacker nothing about the
 * rule that fired (DESIGN 6.13); the reason and the mend are in the operator's decision trace.
 */
export type AgentCode =
  | 'REFUSED'
  | 'INVALID'
  | 'HELD'
  | 'UNAVAILABLE'
  | 'RATE_LIMITED'
  | 'IN_DOUBT'
  | 'SESSION_ENDED';

/** One row of a folder's table of codes; `docs/errors.md` is generated from these tables. */
export type CodeEntry = {
  /** What happened, one sentence for the operator. */
  readonly means: string;
  /** What to do about it, one sentence. */
  readonly mend: string;
  readonly agentSees: AgentCode;
};

export type CodeTable = { readonly [code: string]: CodeEntry };
