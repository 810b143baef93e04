// SPDX-License-Identifier: Apache-2.0
import type { CodeTable } from '../review/code.ts';

/** Codes of the flight recorder's settings; part of the table of this folder. */
export const meshRecorderCodes = {
  MESH_WITNESS_KEY_INVALID: {
    means: 'A witness\'s key is not a verifier key of a witness.',
    mend: 'Copy the line that `maso witness` prints: NAME+ID+KEY.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_WITNESS_KEY_SHARED: {
    means: 'Two witnesses have one key, so one could count as two.',
    mend: 'Name each witness once.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_CUSTODIAN_SHARED: {
    means: 'Two custodians have one name or one key, so one person would hold two shares.',
    mend: 'Name each custodian once, with the key that `maso custodian keygen` printed.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_CUSTODIANS_FEW: {
    means: 'More custodians are needed to open an epoch than there are.',
    mend: 'Lower forensic.threshold or name more custodians.',
    agentSees: 'UNAVAILABLE',
  },
} as const satisfies CodeTable;
