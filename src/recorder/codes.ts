// SPDX-License-Identifier: Apache-2.0
import type { CodeTable } from '../review/code.ts';

/** Refusals of the recorder and of the decision trace. */
export const recorderCodes = {
  RECORDER_NOT_DURABLE: {
    means: 'The log could not make the entry durable: the disk failed, vanished or is read-only.',
    mend: 'Look at the cause in the operator log, mend the disk; the next entry tries again.',
    agentSees: 'UNAVAILABLE',
  },
  RECORDER_FULL: {
    means: 'The disk of the log is full; what is left is kept for privileged entries.',
    mend: 'Free space on the disk of the log; the next entry tries again.',
    agentSees: 'UNAVAILABLE',
  },
  RECORDER_LOG_BROKEN: {
    means: 'The log was changed by something other than its recorder, so nothing is added to it.',
    mend: 'Run `maso recorder verify`, keep the log as evidence, and start a new one beside it.',
    agentSees: 'UNAVAILABLE',
  },
  RECORDER_CLOSED: {
    means: 'The recorder was closed before the entry reached it.',
    mend: 'Nothing to do at shutdown; otherwise report it.',
    agentSees: 'UNAVAILABLE',
  },
  RECORDER_ENTRY_INVALID: {
    means: 'An entry is not of the published shape or too large, so it was not recorded.',
    mend: 'Report it: a conductor or a sidecar of another version wrote it.',
    agentSees: 'UNAVAILABLE',
  },
  RECORDER_OVERLOADED: {
    means: 'More entries wait for the disk than the recorder holds in memory.',
    mend: 'Use a faster disk for the log or spread the agents over more nodes.',
    agentSees: 'UNAVAILABLE',
  },
  RECORDER_LOCKED: {
    means: 'Another process writes this log.',
    mend: 'Stop the other process, or give this node a log directory of its own.',
    agentSees: 'UNAVAILABLE',
  },
  RECORDER_OPTIONS_INVALID: {
    means: 'A limit of the recorder is not a positive number within its bounds.',
    mend: 'Correct the limit that the message names.',
    agentSees: 'UNAVAILABLE',
  },
  RECORDER_CHECKPOINT_MISPLACED: {
    means: 'The checkpoint would lie inside the log directory, where one deletion removes both.',
    mend: 'Give the checkpoint a directory outside the log directory, better on another disk.',
    agentSees: 'UNAVAILABLE',
  },
  RECORDER_CHECKPOINT_INVALID: {
    means: 'The last checkpoint is malformed, or its signature is not by the recorder key.',
    mend: 'Take the checkpoint from its witness or backup; if there is none, treat the log as unproven.',
    agentSees: 'UNAVAILABLE',
  },
  RECORDER_CHECKPOINT_FOREIGN: {
    means: 'The last checkpoint belongs to a log of another name.',
    mend: 'Put each log back beside its own checkpoint; a replaced log directory looks like this.',
    agentSees: 'UNAVAILABLE',
  },
  RECORDER_CHECKPOINT_NOT_WRITTEN: {
    means: 'The checkpoint was not written, so truncation is provable only up to the last one.',
    mend: 'Mend the disk of the log and of the checkpoint; the recorder tries again every second.',
    agentSees: 'UNAVAILABLE',
  },
  RECORDER_WITNESS_AWAY: {
    means: 'A witness does not answer, or does not know the log.',
    mend: 'Start the witness, or tell it of the log; the recorder asks again with each checkpoint.',
    agentSees: 'UNAVAILABLE',
  },
  RECORDER_WITNESS_REFUSED: {
    means: 'A witness says that this log does not continue the one it cosigned before.',
    mend: 'Stop, keep log and evidence: the log was set back, copied or rewritten.',
    agentSees: 'UNAVAILABLE',
  },
  RECORDER_WITNESS_LATE: {
    means: 'The newest cosigned checkpoint is older than the mesh file allows.',
    mend: 'Look at `maso recorder status` for the witness that does not cosign.',
    agentSees: 'UNAVAILABLE',
  },
  RECORDER_REFUSALS_FOLDED: {
    means: 'More was refused than the quota records one by one; the rest is counted by code.',
    mend: 'Look at the counted codes for a flood and stop its source.',
    agentSees: 'REFUSED',
  },
  RECORDER_TRUNCATED: {
    means: 'The log is shorter than its last checkpoint says.',
    mend: 'Keep the log as evidence; entries at its end are gone.',
    agentSees: 'REFUSED',
  },
  RECORDER_FORKED: {
    means: 'The entries of the log are not those that its last checkpoint covers.',
    mend: 'Keep both as evidence; the log was rewritten after the checkpoint was signed.',
    agentSees: 'REFUSED',
  },
  RECORDER_LOG_MISSING: {
    means: 'There is no log of a flight recorder where one was to be read.',
    mend: 'Name the state directory that maso up printed with --state, or the log with --log.',
    agentSees: 'UNAVAILABLE',
  },
  RECORDER_FORMAT_OLD: {
    means: 'The log was written by an earlier version, which linked entries and had no tree.',
    mend: 'Keep it, and give this version a log directory of its own.',
    agentSees: 'UNAVAILABLE',
  },
  RECORDER_PROOF_RANGE: {
    means: 'The log has no entry or size as the proof is asked for.',
    mend: 'Ask for an entry below the size, and for a size that the log has reached.',
    agentSees: 'REFUSED',
  },
  RECORDER_TILE_MISSING: {
    means: 'A tile of the tree is missing or too short.',
    mend: 'Run `maso recorder verify`; `maso recorder export` makes all tiles again.',
    agentSees: 'UNAVAILABLE',
  },
  RECORDER_PAYLOAD_UNAVAILABLE: {
    means: 'Payloads are to be kept, and there is no key to seal this one with: it is not admitted.',
    mend: 'Look at the operator log for why no epoch could be opened: store, custodians\' keys.',
    agentSees: 'UNAVAILABLE',
  },
  RECORDER_CUSTODIAN_KEY_INVALID: {
    means: 'The file is not a custodian\'s X25519 key pair that only its owner may read.',
    mend: 'Make one with `maso custodian keygen`, mode 0600.',
    agentSees: 'UNAVAILABLE',
  },
  RECORDER_EPOCH_UNKNOWN: {
    means: 'The key store has no such epoch: it never was, or its keys were erased.',
    mend: 'List epochs with `maso recorder query --kind payload.epoch`.',
    agentSees: 'REFUSED',
  },
  RECORDER_EPOCH_FORGED: {
    means: 'Shares or custodians of an epoch are not those that the log says.',
    mend: 'Keep the key store as evidence: somebody exchanged what lies in it.',
    agentSees: 'REFUSED',
  },
  RECORDER_OPENING_REFUSED: {
    means: 'The opening is not proven to be on record, or is for another epoch, key or custodian.',
    mend: 'Give no share. Ask for a request made by `maso recorder open` under the log\'s key.',
    agentSees: 'REFUSED',
  },
  RECORDER_SHARES_MISSING: {
    means: 'The shares given do not make the key of the epoch: too few, wrong, or of another opening.',
    mend: 'Collect releases of as many custodians as the request says; a wrong one is named.',
    agentSees: 'REFUSED',
  },
  RECORDER_ORDER_ROLE: {
    means: 'The roles of this operator do not include opening payloads, or what the record keeps.',
    mend: 'Let somebody with the role security or ciso give the order; roles stand in the mesh file.',
    agentSees: 'REFUSED',
  },
  RECORDER_ORDER_STALE: {
    means: 'The order names another log, or a subject that this log does not have.',
    mend: 'Give the order again with `maso recorder`, against the mesh that runs.',
    agentSees: 'REFUSED',
  },
  RECORDER_PLAN_CHANGED: {
    means: 'What is to be pruned is not what the operator signed, or lies outside of what may be.',
    mend: 'Run `maso recorder prune` again.',
    agentSees: 'REFUSED',
  },
  RECORDER_TRACE_UNKNOWN: {
    means: 'No entry of the log has this id.',
    mend: 'Give a task, message, approval or entry id, or at least its first 8 characters.',
    agentSees: 'REFUSED',
  },
  RECORDER_TRACE_AMBIGUOUS: {
    means: 'The first characters given belong to entries of more than one task.',
    mend: 'Give more characters of the id.',
    agentSees: 'REFUSED',
  },
} as const satisfies CodeTable;

export type RecorderCode = keyof typeof recorderCodes;
