// SPDX-License-Identifier: Apache-2.0
import type { CodeTable } from '../review/code.ts';

/** What is wrong with sources of knowledge and with agents' memory in a mesh file. */
export const knowledgeFileCodes = {
  MESH_KNOWLEDGE_EXECUTOR: {
    means: 'An executor is to query a source of knowledge or to remember: executors read no prose.',
    mend: 'Let another agent read it, and ask the executor for an action.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_KNOWLEDGE_ROLE: {
    means: 'An agent is to read or remember in a data domain that does not allow its role.',
    mend: 'Add the role to allowed_roles of the domain, or take the agent from the list.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_KNOWLEDGE_CLEARANCE: {
    means: 'A reader of a source, or one who sees the values of tokens, has a lower clearance than these are classified.',
    mend: 'Raise the clearance of its zone, or take the agent from readers or sees.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_KNOWLEDGE_PASSWORD: {
    means: 'The password of the store is named twice: a file and a variable.',
    mend: 'Keep password_file or password_env, not both.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_KNOWLEDGE_CLEAR: {
    means: 'The store is on loopback without ca_file and has a password: whoever answers there could have it in clear.',
    mend: 'Name the authority of its certificate with ca_file, or the folder of its unix socket as host.',
    agentSees: 'UNAVAILABLE',
  },
} as const satisfies CodeTable;
