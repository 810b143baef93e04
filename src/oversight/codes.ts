// SPDX-License-Identifier: Apache-2.0
import type { CodeTable } from '../review/code.ts';

export const oversightCodes = {
  OVERSIGHT_APPROVAL_UNKNOWN: {
    means: 'No held action has this id.',
    mend: 'List the held actions with maso approvals list.',
    agentSees: 'REFUSED',
  },
  OVERSIGHT_APPROVAL_DIGEST_MISMATCH: {
    means: 'The decision was signed over another request than the held one.',
    mend: 'Read the held action again and decide on what it says now.',
    agentSees: 'REFUSED',
  },
  OVERSIGHT_APPROVAL_CLOSED: {
    means: 'The held action was decided before.',
    mend: 'Nothing to do; the requester has to ask again.',
    agentSees: 'REFUSED',
  },
  OVERSIGHT_APPROVAL_EXPIRED: {
    means: 'Nobody decided in time, and expiry means denied.',
    mend: 'Ask again; raise limits.approval_timeout_ms if people need longer.',
    agentSees: 'REFUSED',
  },
  OVERSIGHT_APPROVAL_SUPERSEDED: {
    means: 'What the held action is changed while it waited; it is put before people anew.',
    mend: 'Decide on the new one: maso approvals list.',
    agentSees: 'REFUSED',
  },
  OVERSIGHT_APPROVAL_SAME_PERSON: {
    means: 'This operator has already decided; a second approval must come from another person.',
    mend: 'Ask a second operator.',
    agentSees: 'REFUSED',
  },
  OVERSIGHT_APPROVER_FAILED: {
    means: 'People could not be told that an action waits for them. It waits all the same.',
    mend: 'Mend what carries the word to people; until then look with maso approvals list.',
    agentSees: 'REFUSED',
  },
  OVERSIGHT_APPROVAL_DENIED: {
    means: 'A person denied the action.',
    mend: 'Read the reason in the decision trace.',
    agentSees: 'REFUSED',
  },
  OVERSIGHT_APPROVAL_FLOOD: {
    means: 'The requester or its root origin already has the allowed number of actions waiting.',
    mend: 'Decide the waiting ones; treat a flood as an attack on the people who decide.',
    agentSees: 'RATE_LIMITED',
  },
} as const satisfies CodeTable;

export type OversightCode = keyof typeof oversightCodes;
