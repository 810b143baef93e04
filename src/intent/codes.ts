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
