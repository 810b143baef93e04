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
} as const satisfies CodeTable;

export type PaceCode = keyof typeof paceCodes;
