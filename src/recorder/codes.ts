// SPDX-License-Identifier: Apache-2.0
import type { CodeTable } from '../review/code.ts';

/** Refusals of the recorder, findings of the verifier and of the decision trace. */
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
  RECORDER_CHAIN_BROKEN: {
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
  RECORDER_HEAD_MISPLACED: {
    means: 'The signed head would lie inside the log directory, where one deletion removes both.',
    mend: 'Give the head a directory outside the log directory, better on another disk.',
    agentSees: 'UNAVAILABLE',
  },
  RECORDER_HEAD_INVALID: {
    means: 'A signed head is malformed, or its signature is not by the recorder key.',
    mend: 'Take the head from its witness or backup; if there is none, treat the log as unproven.',
    agentSees: 'UNAVAILABLE',
  },
  RECORDER_HEAD_FOREIGN: {
    means: 'A signed head belongs to a log of another name.',
    mend: 'Verify each log with its own heads; a replaced log directory looks like this.',
    agentSees: 'UNAVAILABLE',
  },
  RECORDER_HEAD_NOT_WRITTEN: {
    means: 'The signed head was not written, so truncation is provable only up to the last one.',
    mend: 'Mend the directory of the head; the recorder tries again every second.',
    agentSees: 'UNAVAILABLE',
  },
  RECORDER_REFUSALS_FOLDED: {
    means: 'More was refused than the quota records one by one; the rest is counted by code.',
    mend: 'Look at the counted codes for a flood and stop its source.',
    agentSees: 'REFUSED',
  },
  RECORDER_LINE_INVALID: {
    means: 'A line of the log is not an entry in its canonical form.',
    mend: 'Keep the log as evidence; compare with a copy.',
    agentSees: 'REFUSED',
  },
  RECORDER_ENTRY_EDITED: {
    means: 'The next entry links to other content than this entry has now.',
    mend: 'Keep the log as evidence; compare with a copy.',
    agentSees: 'REFUSED',
  },
  RECORDER_ENTRY_REMOVED: {
    means: 'Entries from this position on are missing.',
    mend: 'Keep the log as evidence; compare with a copy.',
    agentSees: 'REFUSED',
  },
  RECORDER_ENTRY_REORDERED: {
    means: 'The entry stands at another place than the one it was recorded at.',
    mend: 'Keep the log as evidence; compare with a copy.',
    agentSees: 'REFUSED',
  },
  RECORDER_ENTRY_DUPLICATED: {
    means: 'The same entry stands in the log twice.',
    mend: 'Keep the log as evidence; compare with a copy.',
    agentSees: 'REFUSED',
  },
  RECORDER_ENTRY_INSERTED: {
    means: 'An entry was put between others that link past it.',
    mend: 'Keep the log as evidence; compare with a copy.',
    agentSees: 'REFUSED',
  },
  RECORDER_CLOCK_BACK: {
    means: 'An entry was accepted earlier than the one before it, which the recorder never writes.',
    mend: 'Keep the log as evidence; it was not written by this recorder.',
    agentSees: 'REFUSED',
  },
  RECORDER_NAME_MISMATCH: {
    means: 'The first entry does not start from the name in the header of the log.',
    mend: 'Keep the log as evidence; the header or the first entry was replaced.',
    agentSees: 'REFUSED',
  },
  RECORDER_TRUNCATED: {
    means: 'The log is shorter than a signed head says.',
    mend: 'Keep the log as evidence; entries at its end are gone.',
    agentSees: 'REFUSED',
  },
  RECORDER_FORKED: {
    means: 'The log holds another entry at the position of a signed head than the one signed.',
    mend: 'Keep both as evidence; the log was rewritten after the head was signed.',
    agentSees: 'REFUSED',
  },
  RECORDER_REWOUND: {
    means: 'A later signed head covers fewer entries than an earlier one: the log was set back.',
    mend: 'Keep the heads as evidence; an older copy of the log was put in place.',
    agentSees: 'REFUSED',
  },
  RECORDER_CAUSE_UNKNOWN: {
    means: 'An entry names a cause that was not recorded before it.',
    mend: 'Look for a lost entry or a sidecar that hides its inputs.',
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
