// SPDX-License-Identifier: Apache-2.0
import type { CodeTable } from '../review/code.ts';

/** What the loader says about how domains are protected; part of `meshCodes`. */
export const tierCodes = {
  MESH_TIER_UNAVAILABLE: {
    means:
      'This build cannot provide the protection tier: every exchange in the domain is refused.',
    mend: 'Use RETRIEVAL for data that allows it.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_TIER_WEAK: {
    means: 'The protection tier of a domain is weaker than its classification asks for.',
    mend: 'Use RETRIEVAL; without development: true nothing else keeps ciphertext in queues and on disks.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_TIER_STRONG: {
    means: 'The protection tier of a domain is stronger than its classification asks for, and costs.',
    mend: 'Use the tier that is named, or classify the data as what it is.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_ATTESTATION_UNAVAILABLE: {
    means: 'This build cannot attest agents, and the domain requires it.',
    mend: 'Remove attestation_required, or wait for a build that attests.',
    agentSees: 'UNAVAILABLE',
  },
} as const satisfies CodeTable;
