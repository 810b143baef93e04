// SPDX-License-Identifier: Apache-2.0
import type { CodeTable } from '../review/code.ts';

export const labelCodes = {
  LABEL_STATE_INVALID: {
    means: 'A stored value index cannot be read: what an agent has read is unknown.',
    mend: 'Start a fresh agent process; its context starts clean. Restore the store if it repeats.',
    agentSees: 'UNAVAILABLE',
  },
} as const satisfies CodeTable;

export type LabelCode = keyof typeof labelCodes;
