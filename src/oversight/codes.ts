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
  OVERSIGHT_QUERY_MALFORMED: {
    means: 'The search for held actions is out of its bounds.',
    mend: 'Ask with search, state and limit as the command line does.',
    agentSees: 'REFUSED',
  },
  OVERSIGHT_MODIFIED: {
    means: 'A person changed the request: it was judged from the start and waits for another person.',
    mend: 'Another operator decides: maso approvals list.',
    agentSees: 'HELD',
  },
  OVERSIGHT_ROLE_REFUSED: {
    means: 'This operator has no role that decides this action, at the level where it stands.',
    mend: 'Ask somebody whose role does; roles stand in the mesh file under operators.',
    agentSees: 'REFUSED',
  },
  OVERSIGHT_APPROVAL_OWN_CAUSE: {
    means: 'Nobody approves what they set off or changed themselves.',
    mend: 'Ask another operator.',
    agentSees: 'REFUSED',
  },
  OVERSIGHT_ESCALATED_TO_THE_TOP: {
    means: 'The action was escalated to the highest level already.',
    mend: 'Approve, deny or modify it.',
    agentSees: 'REFUSED',
  },
  OVERSIGHT_NOT_MODIFIABLE: {
    means: 'Only action requests can be modified; this is something else, such as a spawn.',
    mend: 'Deny it, and have it asked for as it should be.',
    agentSees: 'REFUSED',
  },
  OVERSIGHT_MODIFICATION_LIMIT: {
    means: 'The action was modified three times already.',
    mend: 'Deny it, and have it asked for anew.',
    agentSees: 'REFUSED',
  },
  OVERSIGHT_MODIFIED_BY_NOBODY_ELSE: {
    means: 'Nobody but the operator who would modify the action could approve it afterwards.',
    mend: 'Deny it and have it asked for anew, or name a second operator in the mesh file.',
    agentSees: 'REFUSED',
  },
  OVERSIGHT_APPROVER_FAILED: {
    means: 'People could not be told that something waits for them. It waits all the same.',
    mend: 'Mend what carries the word to people; until then look with maso status.',
    agentSees: 'REFUSED',
  },
  OVERSIGHT_PROBE_NONE: {
    means: 'No probe was planted: one waits already, or nothing was asked yet that one could be made of.',
    mend: 'Wait until the one that waits is answered, or until an action was held.',
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
