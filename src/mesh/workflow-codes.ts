// SPDX-License-Identifier: Apache-2.0
import type { CodeTable } from '../review/code.ts';

/** What is wrong with criteria, and with the workflows that rest on them. */
export const workflowCodes = {
  MESH_WORKFLOW_AGENTS: {
    means: 'Who takes part in a workflow is said twice, or not at all.',
    mend: 'Give it agents, or oispec with agent_intents, and not both.',
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
  MESH_WORKFLOW_UNKNOWN: {
    means: 'A phase, a step, a sum, a conflict or a milestone of a workflow names something that is not declared.',
    mend: 'Name schemas, actions and judges of the mesh file, agents that take part, and own success criteria that have shown_by.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_EVALUATION_RARE: {
    means: 'An agent of class HIGH or CRITICAL is not evaluated at every action.',
    mend: 'Set evaluation_frequency to every_action in its OISpec, or lower its risk_classification.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_ACTION_ORDER: {
    means: 'The order of actions in an OISpec names an action that is not declared, or goes in a circle.',
    mend: 'Name actions of the mesh file, each of which can come after those that it waits for.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_ANSWER_TYPE: {
    means: 'A schema that is no instruction says what answers it, or what makes it unclear.',
    mend: 'Give answer and unclear_without to schemas of type instruction.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_CRITERION_DOUBLED: {
    means: 'Two criteria of one specification have the same id, so nothing can refer to either.',
    mend: 'Give each criterion an id of its own.',
    agentSees: 'UNAVAILABLE',
  },
} as const satisfies CodeTable;
