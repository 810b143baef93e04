// SPDX-License-Identifier: Apache-2.0
import type { CodeTable } from '../review/code.ts';

/** What is wrong with the section `firewall` of a mesh file. */
export const firewallSettingCodes = {
  MESH_FIREWALL_MODEL_UNPINNED: {
    means: 'A model file for the semantic firewall is named without its hash.',
    mend: 'Add firewall.sha256: `maso firewall pin FILE` prints it.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_FIREWALL_LABELS: {
    means: 'Labels are named for a model that has none: only ONNX models have.',
    mend: 'Remove firewall.attack_labels, or name a model file that ends in .onnx.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_FIREWALL_BAND: {
    means: 'The firewall would refuse a text before it escalates it.',
    mend: 'Set escalate_at to at most refuse_at.',
    agentSees: 'UNAVAILABLE',
  },
} as const satisfies CodeTable;
