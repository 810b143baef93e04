// SPDX-License-Identifier: Apache-2.0
import type { CodeTable } from '../review/code.ts';

export const paceCodes = {
  PACE_STOPPED: {
    means: 'PACE allows this agent, its workflow or the mesh nothing at present.',
    mend: 'Find the cause in the recorder; recovery needs the named authority and evidence.',
    agentSees: 'UNAVAILABLE',
  },
  PACE_READ_ONLY: {
    means: 'PACE allows only reads at present.',
    mend: 'Find the cause in the recorder; recovery needs the named authority and evidence.',
    agentSees: 'UNAVAILABLE',
  },
  PACE_LEASE_EXPIRED: {
    means: 'The sidecar has no lease of its node: nobody can tell whether it was stopped ' +
      'meanwhile.',
    mend: 'See that the node runs and can be reached; the lease is renewed by itself.',
    agentSees: 'UNAVAILABLE',
  },
  PACE_LEASE_FORGED: {
    means: 'A lease is not signed by the node, is for somebody else, or answers another question.',
    mend: 'Treat the line to the node as taken over; compare the identity of the node.',
    agentSees: 'UNAVAILABLE',
  },
  PACE_RECIPIENT_STOPPED: {
    means: 'The recipient is isolated or stopped and takes nothing at present.',
    mend: 'Nothing, where a standby has it (insteadOf); else declare one, or wait until it is back: maso pace status.',
    agentSees: 'UNAVAILABLE',
  },
  PACE_DRAINING: {
    means: 'A controlled halt is under way: what was begun may end, nothing new begins.',
    mend: 'Wait until people resume the work: maso pace status.',
    agentSees: 'UNAVAILABLE',
  },
  PACE_COMPROMISE: {
    means: 'A sign of compromise isolated the agent.',
    mend: 'Find the sign in the recorder, look at what the agent had read, then maso pace recover.',
    agentSees: 'UNAVAILABLE',
  },
  PACE_SCORE_ISOLATES: {
    means: 'The anomaly score of the agent reached 60.',
    mend: 'Look at the signals named with the score.',
    agentSees: 'UNAVAILABLE',
  },
  PACE_SCORE_CONTAINS: {
    means: 'The anomaly score of the agent reached 80.',
    mend: 'Look at the signals named with the score; people lead it back.',
    agentSees: 'UNAVAILABLE',
  },
  PACE_CYCLES_SPENT: {
    means: 'The agent was isolated and healed three times within a day, and failed again.',
    mend: 'Find what keeps turning it before it is led back.',
    agentSees: 'UNAVAILABLE',
  },
  PACE_ALTERNATE_TOO_LONG: {
    means: 'The unit was in Alternate for as long as it may be.',
    mend: 'Decide: lead it back with evidence, or keep it contained.',
    agentSees: 'UNAVAILABLE',
  },
  PACE_ROOTS_INDEPENDENT: {
    means: 'Several agents failed that cannot have turned each other, or a standby failed as well.',
    mend: 'Look for a common cause outside the agents: a model, a tool, an operator.',
    agentSees: 'UNAVAILABLE',
  },
  PACE_ORDERED: {
    means: 'A person raised the phase.',
    mend: 'Ask the operator whom the record names.',
    agentSees: 'UNAVAILABLE',
  },
  PACE_KILLED: {
    means: 'A kill ended the unit.',
    mend: 'The risk owner leads it back, with root cause, remediation and new baselines.',
    agentSees: 'UNAVAILABLE',
  },
  PACE_OBSERVER_VETO: {
    means: 'The observer vetoed the leases and nobody answered within its window.',
    mend: 'Look at what the observer reported; the risk owner leads the mesh back.',
    agentSees: 'UNAVAILABLE',
  },
  PACE_HEALED: {
    means: 'The agent came back by itself after a calm time.',
    mend: 'Nothing; three times within a day are the most.',
    agentSees: 'UNAVAILABLE',
  },
  PACE_RECOVERED: {
    means: 'A person led the unit back, with evidence on record.',
    mend: 'Nothing.',
    agentSees: 'UNAVAILABLE',
  },
  PACE_AUTHORITY_MISSING: {
    means: 'The operator does not hold the authority that this order needs.',
    mend: 'Ask one whom pace.authorities of the mesh file names for it.',
    agentSees: 'UNAVAILABLE',
  },
  PACE_EVIDENCE_MISSING: {
    means: 'A recovery lacks root cause, remediation or, out of Emergency, new baselines.',
    mend: 'Put all of them on record with the order.',
    agentSees: 'UNAVAILABLE',
  },
  PACE_STEP_SKIPPED: {
    means: 'The phase does not lead there from where the unit is.',
    mend: 'Emergency is entered by maso kill; Contingency leads back to Alternate first.',
    agentSees: 'UNAVAILABLE',
  },
  PACE_UNIT_UNKNOWN: {
    means: 'The mesh has no such agent, type, workflow or zone.',
    mend: 'maso pace status lists them.',
    agentSees: 'UNAVAILABLE',
  },
  PACE_INCIDENT_STALE: {
    means: 'The order names another incident than the one that holds now.',
    mend: 'Look at the unit again: something happened since.',
    agentSees: 'UNAVAILABLE',
  },
  PACE_DRILL_BUSY: {
    means: 'The part that a drill was asked for is stopped or isolated already, and the drill would lead it back.',
    mend: 'Lead it back first, with evidence of what it was stopped for (`maso pace status`), or drill another part.',
    agentSees: 'UNAVAILABLE',
  },
  PACE_STOP_UNKNOWN: {
    means: 'No such kill waits for a second person, or no such halt is under way.',
    mend: 'maso pace status lists what is under way.',
    agentSees: 'UNAVAILABLE',
  },
  PACE_STOP_RUNNING: {
    means: 'A halt of this unit is under way already.',
    mend: 'Wait for it, or kill the unit.',
    agentSees: 'UNAVAILABLE',
  },
  PACE_SECOND_PERSON: {
    means: 'The second word on a kill comes from the one who gave it.',
    mend: 'Another operator confirms or declines it.',
    agentSees: 'UNAVAILABLE',
  },
  PACE_DEPENDENCY_DOWN: {
    means: 'A workflow that this one needs is not in Primary yet.',
    mend: 'Lead that one back first.',
    agentSees: 'UNAVAILABLE',
  },
  PACE_AGENT_REVOKED: {
    means: 'The agent is revoked.',
    mend: 'Reinstate it first, if it is to come back at all.',
    agentSees: 'UNAVAILABLE',
  },
  PACE_STATEMENT_STALE: {
    means: 'An order was signed too long ago, or in the future.',
    mend: 'Sign it anew; check the clock of the machine where it is signed.',
    agentSees: 'UNAVAILABLE',
  },
  PACE_UNAVAILABLE: {
    means: 'PACE could not make a change durable, so it does not hold.',
    mend: 'Check the disk of the node. A kill is kept beside and tried again.',
    agentSees: 'UNAVAILABLE',
  },
  PACE_UNRECORDED: {
    means: 'The change holds, and is not on record yet.',
    mend: 'Check the recorder; send the order again.',
    agentSees: 'UNAVAILABLE',
  },
} as const satisfies CodeTable;

export type PaceCode = keyof typeof paceCodes;
