// SPDX-License-Identifier: Apache-2.0
import type { CodeTable } from '../review/code.ts';

/** What is said about the section `pace` of a mesh file. */
export const meshPaceCodes = {
  MESH_PACE_AGENT_UNKNOWN: {
    means: 'The `pace` of a workflow names an agent that the mesh file or the workflow does not have.',
    mend: 'Declare the agent, or correct the name; a supervised agent is one of its workflow.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_PACE_STANDBY_BUSY: {
    means: 'A standby works in the same workflow, or stands in for two agents.',
    mend: 'Give each agent a standby of its own that has no other work.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_PACE_WORKFLOW_UNKNOWN: {
    means: 'A workflow depends on one that is not declared.',
    mend: 'Declare it under workflows, or correct the name.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_PACE_WORKFLOWS_MOVED: {
    means: 'Workflows stand under `pace`, where they stood before there was one section for them.',
    mend: 'Write each under workflows: its agents there, and standbys, supervised, depends_on and cascade under its pace.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_PACE_WORKFLOW_CYCLE: {
    means: 'Workflows depend on each other in a circle: none of them could come back first.',
    mend: 'Leave out the dependency that is the weakest.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_PACE_STANDBY_UNREACHED: {
    means: 'An agent that may send to another one has no edge to the standby of that one.',
    mend: 'Declare the same edge to the standby; else its messages are refused while the other is isolated.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_UNDO_INVALID: {
    means: 'What `undo` names cannot undo the action: unknown, CRITICAL, for people to approve, only a read, ' +
      'or called with something that the undone call does not have.',
    mend: 'Name a write of the same executor that needs no person, and give it each required parameter as ' +
      'request.NAME or result.NAME.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_PACE_OPERATOR_UNKNOWN: {
    means: 'pace.authorities names somebody who is no operator of the mesh file.',
    mend: 'Declare the operator, or correct the name.',
    agentSees: 'UNAVAILABLE',
  },
} as const satisfies CodeTable;
