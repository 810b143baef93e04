// SPDX-License-Identifier: Apache-2.0
import type { CodeTable } from '../review/code.ts';

export const judgeCodes = {
  JUDGE_DESELECTED: {
    means: 'The judge is deselected in the mesh file, so a person decides.',
    mend: 'Decide with maso approvals; take EC-2.5 out of controls.deselected to ask a judge again.',
    agentSees: 'HELD',
  },
  JUDGE_NOT_CONFIGURED: {
    means: 'No judge is configured, so what the other controls cannot settle goes to a person.',
    mend: 'Decide with maso approvals; nobody else will.',
    agentSees: 'HELD',
  },
} as const satisfies CodeTable;

export type JudgeCode = keyof typeof judgeCodes;
