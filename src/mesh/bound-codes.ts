// SPDX-License-Identifier: Apache-2.0
import type { CodeTable } from '../review/code.ts';

/** What the loader says about caps, bounds and time boundaries; part of `meshCodes`. */
export const boundCodes = {
  MESH_BOUND_EMPTY: {
    means: 'A cap or a bound states no window, so it would bound nothing.',
    mend: 'Give it per_minute, per_hour or per_day.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_IMPACT_INVALID: {
    means: 'An impact is counted from a required list, or from a required number of 0 or more.',
    mend: 'Name such a parameter, correct its schema, or write the number itself.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_IMPACT_UNDECLARED: {
    means: 'A bound on money or records stands, and no action says how much of it it moves.',
    mend: 'Give the actions that move it an impact, or remove the bound.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_TIME_BOUNDARY: {
    means: 'The time boundary is text that nothing can hold.',
    mend: 'Write a duration (PT30M), an interval of two instants, or the members of a map.',
    agentSees: 'UNAVAILABLE',
  },
} as const satisfies CodeTable;
