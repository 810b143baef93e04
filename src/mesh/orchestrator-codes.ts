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
} as const satisfies CodeTable;
