// SPDX-License-Identifier: Apache-2.0
import type { CodeTable } from '../review/code.ts';

const forged = 'Treat the presenter as compromised: revoke it, and look at who relayed this.';
const widened = 'Treat the delegator as compromised: no sidecar signs such a narrowing.';
const reissue = 'Have the delegator issue a new mandate for the task.';
const asker = 'Ask for what the mandate grants, or have the delegator grant what is needed.';

export const mandateCodes = {
  MANDATE_MALFORMED: {
    means: 'The mandate is not a chain of compact JWS blocks in strict base64url.',
    mend: forged,
    agentSees: 'REFUSED',
  },
  MANDATE_TOO_LARGE: {
    means: 'The chain, or one block of it, is longer than allowed.',
    mend: 'Grant fewer rights or shorter lists of values.',
    agentSees: 'REFUSED',
  },
  MANDATE_HEADER_REFUSED: {
    means: 'The header of a block is not, byte for byte, one that the mesh accepts.',
    mend: forged,
    agentSees: 'REFUSED',
  },
  MANDATE_SIGNER_UNKNOWN: {
    means: 'A block is signed by nobody whom the mesh knows now: no authority vouches for its ' +
      'certificate, or the mesh file names no such operator.',
    mend: `${reissue} An operator who issues mandates stands under operators in the mesh file.`,
    agentSees: 'REFUSED',
  },
  MANDATE_SIGNATURE_INVALID: {
    means: 'The signature of a block does not verify: it was edited or forged.',
    mend: forged,
    agentSees: 'REFUSED',
  },
  MANDATE_TERMS_INVALID: {
    means: 'The terms of a block are not canonical or not within the published form.',
    mend: 'Write the terms as schema/mandate.json describes them.',
    agentSees: 'INVALID',
  },
  MANDATE_ISSUER_MISMATCH: {
    means: 'A block names another issuer than the one that signed it.',
    mend: forged,
    agentSees: 'REFUSED',
  },
  MANDATE_ROOT_UNTRUSTED: {
    means: 'The first block was issued by somebody who may not originate mandates.',
    mend: 'Let an originator or an operator of the mesh file issue the mandate.',
    agentSees: 'REFUSED',
  },
  MANDATE_PARENT_UNKNOWN: {
    means: 'The first block was narrowed from a mandate that is not in the chain.',
    mend: forged,
    agentSees: 'REFUSED',
  },
  MANDATE_PARENT_MISMATCH: {
    means: 'A block was narrowed from another mandate than the one before it in the chain.',
    mend: forged,
    agentSees: 'REFUSED',
  },
  MANDATE_HOLDER_MISMATCH: {
    means: 'A block was signed by somebody to whom the mandate before it was not given.',
    mend: forged,
    agentSees: 'REFUSED',
  },
  MANDATE_CYCLE: {
    means: 'A mandate returns to somebody who is in the chain already.',
    mend: 'Remove the delegation back; the earlier holder has the wider mandate anyway.',
    agentSees: 'REFUSED',
  },
  MANDATE_DEPTH_EXCEEDED: {
    means: 'The chain has more hops after the originator than it allows.',
    mend: 'Delegate directly, or let a person approve a depth of three.',
    agentSees: 'REFUSED',
  },
  MANDATE_DEPTH_UNAPPROVED: {
    means: 'The chain has a third hop, and the human approval that it names does not stand.',
    mend: 'Let a person approve the depth for this task, and issue the mandate again.',
    agentSees: 'REFUSED',
  },
  MANDATE_WIDENS_RIGHT: {
    means: 'A block grants a right that its delegator does not hold.',
    mend: widened,
    agentSees: 'REFUSED',
  },
  MANDATE_WIDENS_CONSTRAINT: {
    means: 'A block drops or loosens a constraint on a parameter.',
    mend: widened,
    agentSees: 'REFUSED',
  },
  MANDATE_WIDENS_LIMIT: {
    means: 'A block drops or raises a limit on count, amount or rate.',
    mend: widened,
    agentSees: 'REFUSED',
  },
  MANDATE_WIDENS_TIME: {
    means: 'A block begins before, or ends after, the mandate it was narrowed from.',
    mend: widened,
    agentSees: 'REFUSED',
  },
  MANDATE_WIDENS_OUTPUT: {
    means: 'A block drops or changes the expected output schema.',
    mend: widened,
    agentSees: 'REFUSED',
  },
  MANDATE_WIDENS_DEPTH: {
    means: 'A block raises the depth or names another approval of it.',
    mend: widened,
    agentSees: 'REFUSED',
  },
  MANDATE_TASK_CHANGED: {
    means: 'A block is for another task than the mandate it was narrowed from.',
    mend: widened,
    agentSees: 'REFUSED',
  },
  MANDATE_SPONSOR_CHANGED: {
    means: 'A block names another sponsor than the mandate it was narrowed from.',
    mend: widened,
    agentSees: 'REFUSED',
  },
  MANDATE_OUTLIVES_SIGNER: {
    means: 'A block is valid for longer than the certificate that signed it.',
    mend: 'Shorten the mandate, or sign it after the identity was renewed.',
    agentSees: 'REFUSED',
  },
  MANDATE_TASK_MISMATCH: {
    means: 'The mandate was presented under another task than its own.',
    mend: forged,
    agentSees: 'REFUSED',
  },
  MANDATE_AUDIENCE_MISMATCH: {
    means: 'The mandate was presented by somebody to whom it was not given.',
    mend: forged,
    agentSees: 'REFUSED',
  },
  MANDATE_NOT_YET_VALID: {
    means: 'The mandate is not valid yet.',
    mend: 'Synchronise the clocks of delegator and executor.',
    agentSees: 'UNAVAILABLE',
  },
  MANDATE_EXPIRED: {
    means: 'The mandate, or one that it was narrowed from, has expired.',
    mend: reissue,
    agentSees: 'REFUSED',
  },
  MANDATE_CLOCK_INVALID: {
    means: 'The time of this host is not a number of milliseconds.',
    mend: 'Synchronise the clock of this host.',
    agentSees: 'UNAVAILABLE',
  },
  MANDATE_REVOKED: {
    means: 'The mandate, or one that it was narrowed from, was revoked.',
    mend: 'Find out why it was revoked before a new one is issued.',
    agentSees: 'REFUSED',
  },
  MANDATE_SIGNER_REVOKED: {
    means: 'The identity that signed a block was revoked.',
    mend: 'Have somebody else delegate; the identity is not to be trusted.',
    agentSees: 'REFUSED',
  },
  MANDATE_HOLDER_REVOKED: {
    means: 'The identity that holds or presents the mandate was revoked.',
    mend: 'Find out why it was revoked before a new instance is started.',
    agentSees: 'REFUSED',
  },
  MANDATE_TASK_ENDED: {
    means: 'The task of the mandate has ended, and every mandate for it with the task.',
    mend: 'Start a new task.',
    agentSees: 'REFUSED',
  },
  MANDATE_SNAPSHOT_STALE: {
    means: 'The revocations known here are older than the lease allows.',
    mend: 'Restore the connection to the control plane.',
    agentSees: 'UNAVAILABLE',
  },
  MANDATE_DELEGATE_UNKNOWN: {
    means: 'A mandate is given to an agent that the mesh file does not name.',
    mend: 'Add the agent to the mesh file, or correct the name.',
    agentSees: 'REFUSED',
  },
  MANDATE_DELEGATION_FORBIDDEN: {
    means: 'A delegator\'s OISpec does not let it delegate, or not that far.',
    mend: 'Change authority.can_delegate or authority.max_delegation_depth of its OISpec.',
    agentSees: 'REFUSED',
  },
  MANDATE_OISPEC_MISMATCH: {
    means: 'A mandate was issued for another version of the delegate\'s OISpec.',
    mend: reissue,
    agentSees: 'REFUSED',
  },
  MANDATE_RIGHT_ABSENT: {
    means: 'The mandate does not grant the right that is used.',
    mend: asker,
    agentSees: 'REFUSED',
  },
  MANDATE_PRINCIPAL_DENIES: {
    means: 'Somebody whose messages led to the request has no right to make it.',
    mend: 'Let a person endorse the request, or grant the right to that principal too.',
    agentSees: 'REFUSED',
  },
  MANDATE_PARAMETER_MISSING: {
    means: 'A parameter that the mandate constrains is absent.',
    mend: asker,
    agentSees: 'REFUSED',
  },
  MANDATE_VALUE_FORM: {
    means: 'A constrained parameter is a list where one value is expected, or the reverse.',
    mend: asker,
    agentSees: 'REFUSED',
  },
  MANDATE_VALUE_UNLISTED: {
    means: 'A value is not one that the mandate lists.',
    mend: asker,
    agentSees: 'REFUSED',
  },
  MANDATE_VALUE_OUT_OF_RANGE: {
    means: 'A value is no number within the bounds that the mandate sets.',
    mend: asker,
    agentSees: 'REFUSED',
  },
  MANDATE_VALUE_FORMAT: {
    means: 'A value is not text of the format that the mandate asks for.',
    mend: asker,
    agentSees: 'REFUSED',
  },
  MANDATE_VALUE_NOT_EQUAL: {
    means: 'A value differs from the field of the trusted message that the mandate names.',
    mend: asker,
    agentSees: 'REFUSED',
  },
  MANDATE_REFERENCE_UNRESOLVED: {
    means: 'A value is not the field of a trusted message that the mandate names, or none has it.',
    mend: 'Deliver the message that the mandate refers to before the request, and ask for its value.',
    agentSees: 'REFUSED',
  },
  MANDATE_COUNT_EXCEEDED: {
    means: 'The mandate, or one that it was narrowed from, was used as often as it allows.',
    mend: reissue,
    agentSees: 'REFUSED',
  },
  MANDATE_TOTAL_EXCEEDED: {
    means: 'The sum over all uses of the mandate, or of a wider one, would exceed its limit.',
    mend: reissue,
    agentSees: 'REFUSED',
  },
  MANDATE_RATE_EXCEEDED: {
    means: 'The mandate, or one that it was narrowed from, is used faster than it allows.',
    mend: 'Wait for the window to pass.',
    agentSees: 'RATE_LIMITED',
  },
  MANDATE_USAGE_UNKNOWN: {
    means: 'The mandate has a limit, and nobody can say how much of it was used.',
    mend: 'Report it: the owner of the limits did not answer.',
    agentSees: 'UNAVAILABLE',
  },
} as const satisfies CodeTable;

export type MandateCode = keyof typeof mandateCodes;
