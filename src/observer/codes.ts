// SPDX-License-Identifier: Apache-2.0
import type { CodeTable } from '../review/code.ts';

/** What the observer finds between what the mesh says of itself and what its log shows. */
export const observerCodes = {
  OBSERVER_STOPPED_AGENT_ACTS: {
    means: 'An agent began a tool call after it was stopped for longer than a lease lasts.',
    mend: 'Kill the mesh: its stops do not hold. Compare the clocks of node and sidecar first.',
    agentSees: 'UNAVAILABLE',
  },
  OBSERVER_SIGN_UNHEEDED: {
    means: 'A sign of compromise is on record and its agent was not isolated.',
    mend: 'Isolate the agent; find out why the node did not.',
    agentSees: 'UNAVAILABLE',
  },
  OBSERVER_RECOVERY_UNSIGNED: {
    means: 'A unit was led back without an order that its operator signed for that incident.',
    mend: 'Treat the node as taken over.',
    agentSees: 'UNAVAILABLE',
  },
  OBSERVER_SCORE_UNHEEDED: {
    means: 'The score that the observer computed isolates an agent, and the mesh did not.',
    mend: 'Look at the signals named with the score.',
    agentSees: 'UNAVAILABLE',
  },
  OBSERVER_SELF_TEST_FAILED: {
    means: 'The observer did not find an anomaly that it made up itself.',
    mend: 'Do not rely on it; it consents to nothing until it is started again and finds them.',
    agentSees: 'UNAVAILABLE',
  },
} as const satisfies CodeTable;

export type ObserverCode = keyof typeof observerCodes;
