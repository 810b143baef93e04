// SPDX-License-Identifier: Apache-2.0
import type { CodeTable } from '../review/code.ts';

export const controlCodes = {
  CONTROL_APPROVAL_UNKNOWN: {
    means: 'No held action has this id.',
    mend: 'List the held actions with maso approvals list.',
    agentSees: 'REFUSED',
  },
  CONTROL_APPROVAL_DIGEST_MISMATCH: {
    means: 'The decision was signed over another request than the held one.',
    mend: 'Read the held action again and decide on what it says now.',
    agentSees: 'REFUSED',
  },
  CONTROL_APPROVAL_CLOSED: {
    means: 'The held action was decided before.',
    mend: 'Nothing to do; the requester has to ask again.',
    agentSees: 'REFUSED',
  },
  CONTROL_APPROVAL_EXPIRED: {
    means: 'Nobody decided in time, and expiry means denied.',
    mend: 'Ask again; raise limits.approval_timeout_ms if people need longer.',
    agentSees: 'REFUSED',
  },
  CONTROL_APPROVAL_SAME_PERSON: {
    means: 'This operator has already decided; a second approval must come from another person.',
    mend: 'Ask a second operator.',
    agentSees: 'REFUSED',
  },
  CONTROL_APPROVAL_DENIED: {
    means: 'A person denied the action.',
    mend: 'Read the reason in the decision trace.',
    agentSees: 'REFUSED',
  },
  CONTROL_APPROVAL_FLOOD: {
    means: 'The requester or its root origin already has the allowed number of actions waiting.',
    mend: 'Decide the waiting ones; treat a flood as an attack on the people who decide.',
    agentSees: 'RATE_LIMITED',
  },
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
  CONTROL_ALREADY_RUNNING: {
    means: 'A node already runs on this state directory.',
    mend: 'Stop it first, or give this one another --state directory.',
    agentSees: 'UNAVAILABLE',
  },
  CONTROL_UNSUPPORTED_NODE: {
    means: 'This version of Node.js is not supported.',
    mend: 'Use Node.js 22.22.2 or newer.',
    agentSees: 'UNAVAILABLE',
  },
} as const satisfies CodeTable;

export type ControlCode = keyof typeof controlCodes;
