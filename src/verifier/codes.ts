// SPDX-License-Identifier: Apache-2.0

const keep = 'Keep the log as evidence; compare with a copy.';

/** What the verifier finds. It shares nothing with the recorder, so these are its own words. */
export const verifierCodes = {
  VERIFY_ENTRY_INVALID: {
    means: 'What stands here is not an entry in its canonical form.',
    mend: keep,
    agentSees: 'REFUSED',
  },
  VERIFY_ENTRY_EDITED: {
    means: 'The entry is not the one that the tree holds at this position.',
    mend: keep,
    agentSees: 'REFUSED',
  },
  VERIFY_ENTRY_REMOVED: {
    means: 'Entries from this position on are missing.',
    mend: keep,
    agentSees: 'REFUSED',
  },
  VERIFY_ENTRY_REORDERED: {
    means: 'The entry stands at another place than the one it was recorded at.',
    mend: keep,
    agentSees: 'REFUSED',
  },
  VERIFY_ENTRY_DUPLICATED: {
    means: 'The same entry stands in the log twice.',
    mend: keep,
    agentSees: 'REFUSED',
  },
  VERIFY_ENTRY_INSERTED: {
    means: 'An entry was put in that the tree does not hold.',
    mend: keep,
    agentSees: 'REFUSED',
  },
  VERIFY_CLOCK_BACK: {
    means: 'An entry was accepted earlier than the one before it, which no recorder writes.',
    mend: 'Keep the log as evidence; it was not written by this recorder.',
    agentSees: 'REFUSED',
  },
  VERIFY_TRUNCATED: {
    means: 'The log is shorter than a signed checkpoint says.',
    mend: 'Keep the log as evidence; entries at its end are gone.',
    agentSees: 'REFUSED',
  },
  VERIFY_FORKED: {
    means: 'The entries up to this one are not those that a signed checkpoint covers.',
    mend: 'Keep both as evidence; two histories were written under one key.',
    agentSees: 'REFUSED',
  },
  VERIFY_REWOUND: {
    means: 'A witness cosigned fewer entries later than it had cosigned more.',
    mend: 'Keep the checkpoints as evidence; the witness or its clock was set back.',
    agentSees: 'REFUSED',
  },
  VERIFY_TILE_WRONG: {
    means: 'A tile holds other hashes than the entries under it have.',
    mend: 'The entries hold; make the tiles again from them, and ask who changed the files.',
    agentSees: 'REFUSED',
  },
  VERIFY_TILE_MISSING: {
    means: 'A tile that the checkpoint needs is not there.',
    mend: 'Make the tiles again from the entries, and ask who removed the file.',
    agentSees: 'REFUSED',
  },
  VERIFY_CHECKPOINT_MISSING: {
    means: 'There is no checkpoint, so nothing proves that this is the log.',
    mend: 'Take the checkpoint from its witness or from a copy; without one the log is unproven.',
    agentSees: 'REFUSED',
  },
  VERIFY_CHECKPOINT_INVALID: {
    means: 'A checkpoint is malformed, or its signature is not by the key of the log.',
    mend: 'Take the checkpoint from its witness or from a copy, and check the key.',
    agentSees: 'REFUSED',
  },
  VERIFY_CHECKPOINT_FOREIGN: {
    means: 'A checkpoint belongs to a log of another name.',
    mend: 'Verify each log with its own checkpoints; a replaced log looks like this.',
    agentSees: 'REFUSED',
  },
  VERIFY_COSIGNATURE_INVALID: {
    means: 'A checkpoint bears a line of a trusted witness that the witness did not sign.',
    mend: 'Take the checkpoint from the witness itself; whoever published this one forged it.',
    agentSees: 'REFUSED',
  },
  VERIFY_NOT_COSIGNED: {
    means: 'No checkpoint that holds is cosigned by as many of the trusted witnesses as asked for.',
    mend: 'Ask the witnesses for their newest checkpoint and verify against it.',
    agentSees: 'REFUSED',
  },
  VERIFY_PROOF_INVALID: {
    means: 'The proof does not lead from the entry to a checkpoint that the log signed.',
    mend: 'Check that entry, proof and key belong together; else the entry is not in the log.',
    agentSees: 'REFUSED',
  },
  VERIFY_NAME_MISMATCH: {
    means: 'The header of the log names another log than the key does.',
    mend: 'The header was replaced, or this is the key of another log.',
    agentSees: 'REFUSED',
  },
  VERIFY_CAUSE_UNKNOWN: {
    means: 'An entry names a cause that was not recorded before it.',
    mend: 'Look for a lost entry or a sidecar that hides its inputs.',
    agentSees: 'REFUSED',
  },
  VERIFY_DELIVERY_UNADMITTED: {
    means: 'A message was delivered that the bus has not admitted on record.',
    mend: 'Look at the sidecar that says so: it took a message by another way, or it lies.',
    agentSees: 'REFUSED',
  },
  VERIFY_CALL_UNREVIEWED: {
    means: 'A tool was called for an action that its executor has not passed on record.',
    mend: 'Look at the executor\'s sidecar: its checks were passed by, or it was taken over.',
    agentSees: 'REFUSED',
  },
  VERIFY_CALL_UNMANDATED: {
    means: 'A tool was called for an action without the mandate that was reviewed for it.',
    mend: 'Look at the executor\'s sidecar: its checks were passed by, or it was taken over.',
    agentSees: 'REFUSED',
  },
  VERIFY_CALL_UNANNOUNCED: {
    means: 'A tool call ended that was not on record before it began.',
    mend: 'After a crash of its sidecar this is so; else look at it: its gate was passed by.',
    agentSees: 'REFUSED',
  },
  VERIFY_WRITER_GAP: {
    means: 'A sidecar was told that entries of its own are on record before this one, and they are not.',
    mend: 'Keep the log as evidence: the node dropped them, or the sidecar lies; ask both machines.',
    agentSees: 'REFUSED',
  },
  VERIFY_WRITER_LOST: {
    means: 'A sidecar ended, and entries that it had numbered before this one were never recorded.',
    mend: 'After a crash of the sidecar this is so; else ask who dropped them.',
    agentSees: 'REFUSED',
  },
  VERIFY_WRITER_INVALID: {
    means: 'An entry gives itself a number that no sidecar gives.',
    mend: 'Look at the sidecar that wrote it: it was taken over, or is of another version.',
    agentSees: 'REFUSED',
  },
  VERIFY_PRUNED_UNRECORDED: {
    means: 'An entry was taken out of the log, and no signed record says by whose order.',
    mend: 'Keep the log as evidence: somebody removed it outside of `maso recorder prune`.',
    agentSees: 'REFUSED',
  },
  VERIFY_LINE_INCOMPLETE: {
    means: 'The last line has no end: it is being written, or a crash cut it off.',
    mend: 'Nothing, if the recorder runs or its process was killed; it starts from the line before.',
    agentSees: 'REFUSED',
  },
  VERIFY_FORMAT_OLD: {
    means: 'The log was written by an earlier version, which had no tree.',
    mend: 'Verify it with the version that wrote it.',
    agentSees: 'REFUSED',
  },
  VERIFY_SOURCE_UNREADABLE: {
    means: 'The log, a checkpoint or a key cannot be read, or is not of its form.',
    mend: 'Check the path or address, and the rights on it.',
    agentSees: 'REFUSED',
  },
} as const;

export type VerifyCode = keyof typeof verifierCodes;

/** What keeps the verifier from looking at all. */
export class VerifierError extends Error {
  readonly code: 'VERIFY_FORMAT_OLD' | 'VERIFY_SOURCE_UNREADABLE';
  constructor(code: VerifierError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'VerifierError';
    this.code = code;
  }
}
