// SPDX-License-Identifier: Apache-2.0
import type { CodeTable } from '../review/code.ts';

export const protectionCodes = {
  BUS_DOMAIN_UNKNOWN: {
    means: 'No policy is defined for the data domain.',
    mend: 'Add the domain to the mesh file; a domain without a policy is refused.',
    agentSees: 'REFUSED',
  },
  BUS_CREDENTIAL_EXPIRED: {
    means: 'The identity of the connection has expired.',
    mend: 'Let the sidecar renew its SVID, or enrol it again with a new join token.',
    agentSees: 'UNAVAILABLE',
  },
  BUS_CREDENTIAL_TOO_OLD: {
    means: 'The identity is older than this data domain accepts.',
    mend: 'Rotate sooner, or raise max_token_age_ms of the domain.',
    agentSees: 'UNAVAILABLE',
  },
  BUS_ROLE_DENIED: {
    means: 'The role of the sender or the recipient is not allowed in this data domain.',
    mend: 'Add the role to allowed_roles of the domain if the exchange is wanted.',
    agentSees: 'REFUSED',
  },
  BUS_NOT_ATTESTED: {
    means: 'The data domain asks for an attested runtime, and the sender has proven none.',
    mend: 'Attestation is not available in this build; use a domain that does not ask for it.',
    agentSees: 'UNAVAILABLE',
  },
  PROTECTION_TIER_UNAVAILABLE: {
    means: 'The data domain asks for a protection tier that this build cannot provide.',
    mend: 'Use a PLAINTEXT domain for data that allows it; nothing is sent in the clear instead.',
    agentSees: 'UNAVAILABLE',
  },
  PROTECTION_POLICY_INVALID: {
    means: 'A domain policy has a member that is missing, unknown or out of bounds.',
    mend: 'Give every member of the policy; the one that was registered before stays in force.',
    agentSees: 'UNAVAILABLE',
  },
  PROTECTION_AUDIT_UNAVAILABLE: {
    means: 'The audit sink did not take the record of an exchange, so the exchange is refused.',
    mend: 'Bring the audit sink back and send it again.',
    agentSees: 'UNAVAILABLE',
  },
} as const satisfies CodeTable;

export type ProtectionCode = keyof typeof protectionCodes;
