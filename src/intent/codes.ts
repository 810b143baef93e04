// SPDX-License-Identifier: Apache-2.0
import type { CodeTable } from '../review/code.ts';

/** What a task as a whole says about one of its actions, and about itself. */
export const intentCodes = {
  INTENT_CHALLENGE_MISSING: {
    means: 'A challenger has not answered since the newest claim of the task was made (PG-3.5).',
    mend: 'Let the requester put the claim to every agent of assurance.challenged_by, and wait.',
    agentSees: 'REFUSED',
  },
  INTENT_CHALLENGE_FELL: {
    means: 'A challenger said that the newest claim of the task falls.',
    mend: 'Look at what the claim rests on; a new claim may be challenged anew.',
    agentSees: 'REFUSED',
  },
  INTENT_CHALLENGE_DOUBTFUL: {
    means: 'A challenger could not say whether the newest claim of the task stands.',
    mend: 'Decide whether to go on without it.',
    agentSees: 'HELD',
  },
  INTENT_ORDER: {
    means: 'An OISpec has the action come after another one, which is not done in this task.',
    mend: 'Let the agent do the actions in the order of its OISpec.',
    agentSees: 'REFUSED',
  },
  INTENT_SUM_EXCEEDED: {
    means: 'All actions of the task together would go beyond a sum of its workflow.',
    mend: 'Look at what the task is for; raise the sum in the specification, or start another task.',
    agentSees: 'REFUSED',
  },
  INTENT_STEP_EARLY: {
    means: 'A step of a plan comes while one before it is not done: skipped, or reordered (EP-07).',
    mend: 'Decide whether it may; let the agents keep to the plan, or mark the step before it optional.',
    agentSees: 'HELD',
  },
  INTENT_STEP_UNPLANNED: {
    means: 'An action stands in no plan of the workflows of its requester and executor (EP-07).',
    mend: 'Decide whether it may; add it to the plan where it belongs.',
    agentSees: 'HELD',
  },
  INTENT_UNCLEAR: {
    means: 'An agent was instructed without what its instruction is unclear without, and nobody has said what was meant (EP-09).',
    mend: 'Let the agent ask (clarification/1) and whoever instructed it answer, or decide in their place.',
    agentSees: 'HELD',
  },
  INTENT_CLARIFICATION_OPEN: {
    means: 'An agent asked what was meant, and has no answer yet (PG-2.10).',
    mend: 'Let whoever instructed it answer (clarification-answer/1), or decide in their place.',
    agentSees: 'HELD',
  },
  INTENT_PHASE_UNJUDGED: {
    means: 'A phase of a workflow ended, and its judges have not said anything usable of it yet.',
    mend: 'Decide without them, or look at maso ledger for why they did not answer.',
    agentSees: 'HELD',
  },
  INTENT_PHASE_DOUBTED: {
    means: 'Judges could not say that a phase served its workflow, or it ended too often to ask.',
    mend: 'Look at what the task did; its further actions wait for a person.',
    agentSees: 'HELD',
  },
  INTENT_PHASE_REFUSED: {
    means: 'A judge said that a phase as a whole does not serve its workflow, whatever its steps are by themselves.',
    mend: 'Look at what the task did; it has been ended. Undo what can be undone.',
    agentSees: 'REFUSED',
  },
  INTENT_CRITERION_UNSHOWN: {
    means: 'A phase of a workflow ended, and nothing shows that one of its criteria is met.',
    mend: 'Look at what the task did; its further actions wait for a person.',
    agentSees: 'HELD',
  },
  INTENT_CRITERION_BROKEN: {
    means: 'Something happened in a task that a failure criterion of its workflow names.',
    mend: 'Look at what the task did; it has been ended.',
    agentSees: 'REFUSED',
  },
  INTENT_CONFLICT: {
    means: 'Things happened in one task that its workflow says may not all happen.',
    mend: 'Decide which of them holds; further actions of the task wait for a person.',
    agentSees: 'HELD',
  },
} as const satisfies CodeTable;

export type IntentCode = keyof typeof intentCodes;
