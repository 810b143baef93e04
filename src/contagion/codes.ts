// SPDX-License-Identifier: Apache-2.0
import type { CodeTable } from '../review/code.ts';

export const contagionCodes = {
  CONTAGION_CONVICTED: {
    means: 'The message carries a text that a later verdict called an attack, wherever it stands now.',
    mend: 'See maso contagion for who sent it first and who has it; contain those agents.',
    agentSees: 'REFUSED',
  },
  CONTAGION_SPREAD: {
    means: 'A text from an untrusted source is passed on from agent to agent like a worm.',
    mend: 'See maso contagion for its path; if the text is harmless, raise limits.contagion_reach_max.',
    agentSees: 'REFUSED',
  },
  CONTAGION_TRAVELS: {
    means: 'A text from an untrusted source has been passed on several times and reaches many.',
    mend: 'Look at it with maso contagion before it goes further.',
    agentSees: 'REFUSED',
  },
  CONTAGION_DOUBT: {
    means: 'Small doubts along one chain of messages add up.',
    mend: 'Read the trace of the task: each message of the chain was doubtful for its own reason.',
    agentSees: 'REFUSED',
  },
  CONTAGION_CYCLE: {
    means: 'A text came back to an agent that had it, along another way.',
    mend: 'Look at the task: agents send each other the same text in a circle.',
    agentSees: 'REFUSED',
  },
  CONTAGION_REPLICATION: {
    means: 'An agent passes on a text that it was sent, not for the first time.',
    mend: 'Look at the agent: it may be acting on the text.',
    agentSees: 'REFUSED',
  },
  CONTAGION_NEW_EDGE: {
    means: 'Two agents speak that did not speak before, though the mesh file lets them.',
    mend: 'Nothing to do if that is their work; else see what made them.',
    agentSees: 'REFUSED',
  },
  CONTAGION_FAN_OUT: {
    means: 'An agent suddenly speaks to many others.',
    mend: 'Nothing to do if that is its work; else see what made it.',
    agentSees: 'REFUSED',
  },
} as const satisfies CodeTable;

export type ContagionCode = keyof typeof contagionCodes;
