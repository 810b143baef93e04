// SPDX-License-Identifier: Apache-2.0
import type { CodeTable } from '../review/code.ts';

/** What is wrong with the section `firewall` of a mesh file. */
export const firewallSettingCodes = {
  MESH_FIREWALL_MODEL_UNPINNED: {
    means: 'A model file for the semantic firewall is named without its hash.',
    mend: 'Add firewall.sha256, the SHA-256 of the file in hex.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_FIREWALL_BAND: {
    means: 'The firewall would refuse a text before it escalates it.',
    mend: 'Set escalate_at to at most refuse_at.',
    agentSees: 'UNAVAILABLE',
  },
} as const satisfies CodeTable;
