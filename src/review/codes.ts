// SPDX-License-Identifier: Apache-2.0
import type { CodeTable } from './code.ts';

export const reviewCodes = {
  REVIEW_MISSING: {
    means: 'No control reviewed the value, so nothing vouches for it.',
    mend: 'Report it: a conductor ran without its controls.',
    agentSees: 'REFUSED',
  },
} as const satisfies CodeTable;

export type ReviewCode = keyof typeof reviewCodes;
