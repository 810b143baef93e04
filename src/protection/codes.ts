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
    mend: 'Use a RETRIEVAL domain for data that allows it; nothing is sent in the clear instead.',
    agentSees: 'UNAVAILABLE',
  },
  PROTECTION_SEAL_MISSING: {
    means: 'A message in a RETRIEVAL domain does not carry a sealed payload.',
    mend: 'Look at the sidecar that sent it: it is another version, or taken over.',
    agentSees: 'REFUSED',
  },
  PROTECTION_SEAL_BROKEN: {
    means: 'A sealed payload or its data key does not open: changed, of another message, or not canonical.',
    mend: 'Look at the sidecar that sent it; nothing of the payload was used.',
    agentSees: 'REFUSED',
  },
  PROTECTION_ITEM_FOREIGN: {
    means: 'A sealed item came with a message of a data domain whose payloads are in clear.',
    mend: 'Look at the sidecar that sent it: it is another version, or taken over.',
    agentSees: 'REFUSED',
  },
  PROTECTION_KEY_FOREIGN: {
    means: 'The data key is bound to another domain, classification, role, mandate, sender or recipient.',
    mend: 'Look at the sidecar that sent it; a key never serves a second exchange.',
    agentSees: 'REFUSED',
  },
  PROTECTION_KEY_ROTATED: {
    means: 'The data key was sealed to a key that this node no longer has.',
    mend: 'Nothing: the sidecar seals the message anew by itself.',
    agentSees: 'UNAVAILABLE',
  },
  PROTECTION_KEY_UNKNOWN: {
    means: 'A release was asked for a data key that the node never saw or has dropped.',
    mend: 'Send the message again; repeated, look at who asks.',
    agentSees: 'UNAVAILABLE',
  },
  PROTECTION_KEY_LOST: {
    means: 'A stored data key does not open with the KMS of this node.',
    mend: 'Bring back the key that it was wrapped with, or send the message again.',
    agentSees: 'UNAVAILABLE',
  },
  PROTECTION_RELEASE_FORGED: {
    means: 'A request for a data key is not signed by the identity of the connection, or is stale.',
    mend: 'Synchronise the clocks; else treat the sidecar as compromised.',
    agentSees: 'REFUSED',
  },
  PROTECTION_RELEASE_DENIED: {
    means: 'The data key is bound to another recipient, or to roles that the recipient has no longer.',
    mend: 'Nothing if the policy changed on purpose; else look at who asks.',
    agentSees: 'REFUSED',
  },
  PROTECTION_RELEASE_REPLAYED: {
    means: 'A released data key came as the answer to another request than the one that was made.',
    mend: 'Look at the node, or at who stands between it and the sidecar.',
    agentSees: 'UNAVAILABLE',
  },
  PROTECTION_RELEASE_BROKEN: {
    means: 'A released data key does not open for this request, recipient and lease.',
    mend: 'Look at the node, or at who stands between it and the sidecar.',
    agentSees: 'UNAVAILABLE',
  },
  PROTECTION_RELEASE_EXPIRED: {
    means: 'The lease on a released data key had ended when it arrived.',
    mend: 'Look at the load of the node, or at the clocks.',
    agentSees: 'UNAVAILABLE',
  },
  PROTECTION_RELEASE_LATE: {
    means: 'The node was asked for more data keys than it answers, until the message had expired.',
    mend: 'Send it again; where it goes on, look at how many sealed exchanges begin at once, and who begins them.',
    agentSees: 'UNAVAILABLE',
  },
  PROTECTION_UNAVAILABLE: {
    means: 'A data key could not be made, kept or asked for just now.',
    mend: 'Look at the node, its KMS and its disk; the operator log has the reason.',
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
