// SPDX-License-Identifier: Apache-2.0

/** Why a witness does not cosign, and what stops it. */
export const witnessCodes = {
  WITNESS_REQUEST_INVALID: {
    means: 'A request to a witness is not of the form that C2SP tlog-witness gives it.',
    mend: 'Look at who sends it; the recorder does not.',
    agentSees: 'REFUSED',
  },
  WITNESS_LOG_UNKNOWN: {
    means: 'The witness was not told of this log.',
    mend: 'Start the witness with the verifier key of the log (`maso witness --log`).',
    agentSees: 'REFUSED',
  },
  WITNESS_SIGNATURE_INVALID: {
    means: 'A checkpoint is not signed by the key of the log that it names.',
    mend: 'Look for somebody who pretends to be the recorder, or give the witness the right key.',
    agentSees: 'REFUSED',
  },
  WITNESS_SIZE_CONFLICT: {
    means: 'The witness has cosigned another size than the request goes on from.',
    mend: 'Nothing: the recorder asks again from the size that the witness says.',
    agentSees: 'REFUSED',
  },
  WITNESS_INCONSISTENT: {
    means: 'The log does not continue the one that the witness cosigned before: a fork.',
    mend: 'Keep the witness\'s evidence and both logs; somebody rewrote or copied the log.',
    agentSees: 'REFUSED',
  },
  WITNESS_STATE_INVALID: {
    means: 'The directory of the witness does not hold what it wrote, or is used by another.',
    mend: 'Do not start over under the same key: make a new witness with a new key.',
    agentSees: 'UNAVAILABLE',
  },
} as const;

export type WitnessCode = keyof typeof witnessCodes;

/** What keeps a witness from working at all. */
export class WitnessError extends Error {
  readonly code: WitnessCode;
  constructor(code: WitnessCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'WitnessError';
    this.code = code;
  }
}
