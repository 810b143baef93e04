// SPDX-License-Identifier: Apache-2.0
import type { CodeTable } from '../review/code.ts';

export const firewallCodes = {
  FIREWALL_INJECTION: {
    means: 'The injection model is sure enough that a text instructs the model which reads it.',
    mend: 'Look at the source of the text; contain it if it is under attack.',
    agentSees: 'REFUSED',
  },
  FIREWALL_SUSPECT: {
    means: 'The injection model finds a text suspicious but is not sure.',
    mend: 'Read the text through the decision trace, and decide.',
    agentSees: 'HELD',
  },
  FIREWALL_UNAVAILABLE: {
    means: 'An injection model is configured and could not answer.',
    mend: 'Bring the model back; until then what it should have read is not let through.',
    agentSees: 'UNAVAILABLE',
  },
  FIREWALL_LATE: {
    means: 'The injection model did not answer within its time.',
    mend: 'Raise the timeout, or give the model more CPU.',
    agentSees: 'UNAVAILABLE',
  },
  FIREWALL_MALFORMED: {
    means: 'The injection model answered with something that is no probability.',
    mend: 'Check the version of the model and of its adapter.',
    agentSees: 'UNAVAILABLE',
  },
  FIREWALL_UNBOUNDED: {
    means: 'An injection model is configured, but nothing limits the time it may take.',
    mend: 'Report it: the process that wired the firewall gave it no deadline.',
    agentSees: 'UNAVAILABLE',
  },
  FIREWALL_THRESHOLDS_INVALID: {
    means: 'The thresholds of the firewall are not probabilities in ascending order.',
    mend: 'Set 0 < escalateAt <= refuseAt <= 1, and a positive timeout.',
    agentSees: 'UNAVAILABLE',
  },
  FIREWALL_TOO_MANY_TEXTS: {
    means: 'A payload holds more texts than the injection model is given at one time.',
    mend: 'Split the payload over several messages.',
    agentSees: 'HELD',
  },
} as const satisfies CodeTable;

export type FirewallCode = keyof typeof firewallCodes;
