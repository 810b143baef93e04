// SPDX-License-Identifier: Apache-2.0
import type { CodeTable } from '../review/code.ts';

/** What is wrong with criteria, and with the workflows that rest on them. */
export const workflowCodes = {
  MESH_WORKFLOW_FILE: {
    means: 'A workflow is not named by the path of its specification.',
    mend: 'Write workflows as NAME: path/of/the/specification.yaml.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_WORKFLOW_UNCOVERED: {
    means: 'Nobody answers for a criterion of a workflow (OI-1.5).',
    mend: 'Give it covered_by, or give an agent that takes part a criterion of the same id.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_WORKFLOW_REFERENCE: {
    means: 'A workflow says that a criterion covers it which nobody has, or whose agent takes no part.',
    mend: 'Name agent/criterion or judge/subject/criterion as their own specifications call them.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_CRITERION_DOUBLED: {
    means: 'Two criteria of one specification have the same id, so nothing can refer to either.',
    mend: 'Give each criterion an id of its own.',
    agentSees: 'UNAVAILABLE',
  },
} as const satisfies CodeTable;
