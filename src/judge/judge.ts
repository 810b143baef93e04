// SPDX-License-Identifier: Apache-2.0
import type { RiskClass } from '../mesh/mesh.ts';
import type { ActionRequest } from '../message/action-request.ts';
import { finding, type Verdict } from '../review/verdict.ts';

export type JudgeQuestion = {
  readonly request: ActionRequest;
  readonly risk: RiskClass;
  /** Why the other controls could not settle it: codes only. */
  readonly raisedBy: readonly string[];
};

/**
 * Model-as-Judge (seed 000): asked only about what the other controls escalated, and it advises. Its
 * GO may release a hold that its own subject raised and nothing that policy refuses; its NO-GO and
 * its ESCALATE stand. `rule` never rejects: a judge that is late, malformed or down is an ESCALATE
 * with its own code. `configured: false` is a declared state and says so in every verdict.
 */
export interface Judge {
  readonly configured: boolean;
  rule(question: JudgeQuestion): Promise<Verdict>;
}

/** The first implementation: there is no judge, and every question goes to people. */
export const noJudge: Judge = {
  configured: false,
  rule: async () => ({
    outcome: 'ESCALATE',
    control: 'model-as-judge',
    version: 'none (not configured)',
    tookUs: 0,
    findings: [finding('JUDGE_NOT_CONFIGURED', 'judge/none')],
  }),
};

/** Whoever is named switched the judge off; every question goes to people, and says why. */
export function deselectedJudge(version: string): Judge {
  return {
    configured: false,
    rule: async () => ({
      outcome: 'ESCALATE',
      control: 'model-as-judge',
      version,
      tookUs: 0,
      findings: [finding('JUDGE_DESELECTED', 'judge/deselected')],
    }),
  };
}
