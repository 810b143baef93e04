// SPDX-License-Identifier: Apache-2.0
import type { CodeTable } from '../review/code.ts';

export const controlCodes = {
  CONTROL_ENROLMENT_REFUSED: {
    means: 'The join token is unknown, used, expired or made for another agent.',
    mend: 'Mint a new join token for that agent; it works once.',
    agentSees: 'UNAVAILABLE',
  },
  CONTROL_RENEWAL_REFUSED: {
    means: 'The identity cannot be renewed over this connection.',
    mend: 'Enrol the sidecar again with a new join token.',
    agentSees: 'UNAVAILABLE',
  },
  CONTROL_NODE_UNREACHABLE: {
    means: 'The bus node does not answer.',
    mend: 'Start the mesh with maso up, or check the address.',
    agentSees: 'UNAVAILABLE',
  },
  CONTROL_AGENT_UNKNOWN: {
    means: 'The mesh file has no agent of that name.',
    mend: 'Name an agent of the mesh file with --agent.',
    agentSees: 'UNAVAILABLE',
  },
  CONTROL_SIDECAR_REFUSED: {
    means: 'The node does not take this sidecar, and trying again cannot help.',
    mend: 'Restart the sidecar with the mesh file that the node runs on.',
    agentSees: 'UNAVAILABLE',
  },
  CONTROL_REVOCATION_FINAL: {
    means: 'The revocation of an instance or a certificate cannot be lifted.',
    mend: 'Enrol a new instance of the agent with a new join token.',
    agentSees: 'REFUSED',
  },
  CONTROL_REVOCATION_UNKNOWN: {
    means: 'The agent is not revoked, or by another statement than the one to be lifted.',
    mend: 'Look at maso agent show, then reinstate the agent again.',
    agentSees: 'REFUSED',
  },
  CONTROL_REVOCATION_UNAVAILABLE: {
    means: 'The revocation could not be made durable and does not hold.',
    mend: 'Look at the disk of the node, then revoke again; stop the sidecar until then.',
    agentSees: 'UNAVAILABLE',
  },
  CONTROL_REVOCATION_UNRECORDED: {
    means: 'The revocation holds, and could not be recorded.',
    mend: 'Repair the recorder, then revoke again.',
    agentSees: 'UNAVAILABLE',
  },
  CONTROL_AGENT_LINGERS: {
    means: 'A process of an earlier run of the agent still runs and cannot be ended.',
    mend: 'End it by hand, then start the sidecar again; look at which user it runs as.',
    agentSees: 'UNAVAILABLE',
  },
  CONTROL_TOKEN_EXPOSED: {
    means: 'The join token stands on the command line, or in a file that others may read.',
    mend: 'Name a file of mode 0600 that holds the token, or - to read it from standard input.',
    agentSees: 'UNAVAILABLE',
  },
  CONTROL_PORT_TAKEN: {
    means: 'The port this node has to listen on is taken by another program.',
    mend: 'Stop that program, or give the node a port with --port; sidecars then join anew.',
    agentSees: 'UNAVAILABLE',
  },
  CONTROL_UNSUPPORTED_NODE: {
    means: 'This version of Node.js is not supported.',
    mend: 'Use Node.js 22.22.2 or newer.',
    agentSees: 'UNAVAILABLE',
  },
} as const satisfies CodeTable;

export type ControlCode = keyof typeof controlCodes;
