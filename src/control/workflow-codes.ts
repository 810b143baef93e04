// SPDX-License-Identifier: Apache-2.0
import type { CodeTable } from '../review/code.ts';

/** What becomes of changes that orchestrators propose to workflows. */
export const workflowChangeCodes = {
  CONTROL_WORKFLOW_DENIED: {
    means: 'The agent has no right to change this workflow, or lost it while the change waited.',
    mend: 'Name the workflow under may_change of the agent; look for an agent that was taken over.',
    agentSees: 'REFUSED',
  },
  CONTROL_WORKFLOW_WAITS: {
    means: 'A person has to release this change: by the autonomy tier, since it widens, or for what was read.',
    mend: 'Look at it with maso workflow show, and release it with maso workflow approve.',
    agentSees: 'HELD',
  },
  CONTROL_WORKFLOW_NOT_APPROVED: {
    means: 'An operator denied the change, or nobody released it in time.',
    mend: 'Look at maso workflow list; propose again with a key of its own.',
    agentSees: 'REFUSED',
  },
  CONTROL_WORKFLOW_STALE: {
    means: 'Another version of the policy came between the proposal and its effect.',
    mend: 'Look at the workflow as it is now, and propose again with a key of its own.',
    agentSees: 'REFUSED',
  },
  CONTROL_WORKFLOW_OVER: {
    means: 'The change waits no more, its task has ended, or the statement about it is too old.',
    mend: 'Look at maso workflow show; propose again within a task that goes on.',
    agentSees: 'REFUSED',
  },
  CONTROL_WORKFLOW_KEY: {
    means: 'The same key was used for another change.',
    mend: 'Use a key of its own for each change.',
    agentSees: 'REFUSED',
  },
  CONTROL_WORKFLOW_LIMIT: {
    means: 'Three changes of the agent wait already, or twelve went by themselves within an hour.',
    mend: 'Decide on those that wait; look for an orchestrator that goes back and forth.',
    agentSees: 'RATE_LIMITED',
  },
  CONTROL_WORKFLOW_UNKNOWN: {
    means: 'No change of this id is known.',
    mend: 'Look at maso workflow list.',
    agentSees: 'REFUSED',
  },
} as const satisfies CodeTable;
