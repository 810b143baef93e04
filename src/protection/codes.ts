// SPDX-License-Identifier: Apache-2.0
import type { CodeTable } from '../review/code.ts';

export const protectionCodes = {
  PROTECTION_TIER_UNAVAILABLE: {
    means: 'The data domain asks for a protection tier that this build cannot provide.',
    mend: 'Use a PLAINTEXT domain for data that allows it; nothing is sent in the clear instead.',
    agentSees: 'UNAVAILABLE',
  },
} as const satisfies CodeTable;

export type ProtectionCode = keyof typeof protectionCodes;
