// SPDX-License-Identifier: Apache-2.0
import type { CodeTable } from '../review/code.ts';

/** What is wrong with the rights to assign work and to change workflows. */
export const orchestratorCodes = {
  MESH_ASSIGN_MISSING: {
    means: 'An edge carries instructions that its sender has no right to give: they are refused.',
    mend: 'Name the recipient under assigns of the sender, or take the schema from the edge.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_ASSIGN_IDLE: {
    means: 'An agent may assign work to another, and no edge carries its instructions there.',
    mend: 'Add an edge with a schema of type instruction, or remove the name.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_CHANGE_ROLE: {
    means: 'The right to change workflows is given to an agent that is no orchestrator, or is spawned.',
    mend: 'Give may_change to an agent with role ORCHESTRATOR that is no template.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_CHANGE_OISPEC: {
    means: 'The agent may change workflows, and its OISpec does not say can_modify_workflow.',
    mend: 'Set authority.can_modify_workflow in the OISpec, or remove may_change.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_CHANGE_WORKFLOW: {
    means: 'An edge or a right names a workflow that the mesh file does not declare.',
    mend: 'Declare it under workflows.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_CHANGE_IDLE: {
    means: 'An agent may change a workflow that has no edge to open or close.',
    mend: 'Give an edge of it the keys workflow and open, or remove the right.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_CHANGE_INCOMPLETE: {
    means: 'An edge has only one of the keys workflow and open.',
    mend: 'Give it both if the workflow may change it, else neither.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_CHANGE_STRANGER: {
    means: 'A workflow may change an edge of an agent that takes no part in it.',
    mend: 'Let the agent take part in the workflow, or take the edge from it.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_CHANGE_SHORTCUT: {
    means: 'Once opened, an edge reaches an executor past an agent that stands on another way to it.',
    mend: 'Take the key workflow from the edge if that agent reviews what passes it.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_CHANGE_BOUNDS: {
    means: 'A change names an edge that its workflow does not leave open to change, or names one twice.',
    mend: 'Give the edge the keys workflow and open if it should; look for an agent that was taken over.',
    agentSees: 'REFUSED',
  },
  MESH_CHANGE_NOTHING: {
    means: 'A change opens what is open, closes what is closed, or names no edge.',
    mend: 'Look at the workflow as it is now, and propose again.',
    agentSees: 'REFUSED',
  },
  MESH_CHANGE_REFUSED: {
    means: 'The mesh would not load after the change, or something else would change with it.',
    mend: 'Write open at each edge itself; run maso check with the edges opened and closed.',
    agentSees: 'REFUSED',
  },
} as const satisfies CodeTable;
