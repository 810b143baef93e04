// SPDX-License-Identifier: Apache-2.0
import type { CodeTable } from '../review/code.ts';

export const boundsCodes = {
  BOUNDS_EXCEEDED: {
    means: 'The call would go beyond a cap or a bound that the mesh file sets.',
    mend: 'Look at maso agent show for what is used; wait, or raise the bound.',
    agentSees: 'REFUSED',
  },
  BOUNDS_JUDGE_SPENT: {
    means: 'All judges of the mesh together have spent what they may in an hour.',
    mend: 'Wait, decide what is held, or raise judge.mesh_budget.',
    agentSees: 'UNAVAILABLE',
  },
  BOUNDS_HALF_REACHED: {
    means: 'The call takes a cap or a bound beyond the share at which a person is asked.',
    mend: 'Approve it, once in each window; what was approved for another reason is requested anew.',
    agentSees: 'HELD',
  },
  BOUNDS_AMOUNT_INVALID: {
    means: 'What the call would move is no number from 0 to 900,000,000,000, or is not stated.',
    mend: 'Correct the action\'s impact or caps, or the request.',
    agentSees: 'REFUSED',
  },
  BOUNDS_RETRIES_SPENT: {
    means: 'The task has used up the retries of this action after failures.',
    mend: 'Find out why the tool fails, then start a new task.',
    agentSees: 'REFUSED',
  },
  BOUNDS_BREAKER_OPEN: {
    means: 'The circuit breaker of the tool operation is open after failures.',
    mend: 'Look at the tool; calls are tried again by themselves after bounds.breaker.open_ms.',
    agentSees: 'UNAVAILABLE',
  },
  BOUNDS_AGENT_PAUSED: {
    means: 'The circuit breaker of the agent is open after failures of what it asked for.',
    mend: 'Look at what the agent does; it goes on by itself after bounds.breaker.open_ms.',
    agentSees: 'RATE_LIMITED',
  },
  BOUNDS_OWNER_UNREACHABLE: {
    means: 'The owner of the bounds cannot be asked, or has not answered, so nothing is allotted.',
    mend: 'Look at the connection of the sidecar to its node.',
    agentSees: 'UNAVAILABLE',
  },
  BOUNDS_STORE_UNAVAILABLE: {
    means: 'The owner of the bounds could not make the allotment durable.',
    mend: 'Look at the disk of the node.',
    agentSees: 'UNAVAILABLE',
  },
  BOUNDS_ASK_REFUSED: {
    means: 'A sidecar asked for an allotment that the mesh file gives it no reason to ask for.',
    mend: 'Look at that sidecar: an honest one never does.',
    agentSees: 'REFUSED',
  },
} as const satisfies CodeTable;

export type BoundsCode = keyof typeof boundsCodes;
