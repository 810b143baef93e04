// SPDX-License-Identifier: Apache-2.0
import type { CodeTable } from '../review/code.ts';

/** Codes of versions of a mesh; part of the table of this folder. */
export const meshPolicyCodes = {
  MESH_CONTROL_GUARANTEED: {
    means: 'A control that the guarantees rest on cannot be deselected.',
    mend: 'Take it out of controls.deselected.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_POLICY_UNSIGNED: {
    means: 'The mesh file, or a file it names, is not the version that an operator signed.',
    mend: 'Sign it with maso reload while the mesh runs; until then the signed version is in force.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_POLICY_VERSION: {
    means: 'The signature is for a version that came before, or that follows another one.',
    mend: 'Look at what is in force now and sign again with maso reload.',
    agentSees: 'REFUSED',
  },
  MESH_POLICY_DIGEST: {
    means: 'The texts are not those that the signature is over.',
    mend: 'Run maso reload again; look at who changed the texts on the way.',
    agentSees: 'REFUSED',
  },
  MESH_POLICY_REFUSED: {
    means: 'The new version of the mesh has errors; nothing of it is in force.',
    mend: 'Mend what maso check lists, then run maso reload again.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_POLICY_NEEDS_RESTART: {
    means: 'The new version changes what running processes hold to.',
    mend: 'Sign it with maso reload --at-restart, then start the mesh again.',
    agentSees: 'UNAVAILABLE',
  },
} as const satisfies CodeTable;
