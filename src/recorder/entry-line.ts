// SPDX-License-Identifier: Apache-2.0
import { Buffer, isUtf8 } from 'node:buffer';
import { canonicalize } from '../message/canonical-json.ts';
import { isJsonObject } from '../message/json.ts';
import type { EntryDraft, RecordedEntry } from './entry.ts';
import { draftMembersFit, hasMembers } from './entry-shape.ts';

/** Where the log ends now: all that the next entry needs to know of those before it. */
export type LogTip = {
  /** Entries so far; the sequence of the next one. */
  readonly size: number;
  /** `recordedAt` of the last entry; 0 before the first. */
  readonly recordedAt: number;
};

/**
 * The line of an entry, which is what the tree hashes: the RFC 8785 form of the draft with its
 * place in the log. `recordedAt` never goes below the last one, also when the clock does or says
 * NaN. Throws `MessageError` for a draft that has no canonical form. The members are written down
 * in canonical order, which spares sorting them.
 */
export function entryLine(
  draft: EntryDraft,
  tip: LogTip,
  nowMs: number,
): { readonly line: string; readonly tip: LogTip } {
  const now = Math.floor(nowMs);
  const recordedAt = Number.isSafeInteger(now) && now > tip.recordedAt ? now : tip.recordedAt;
  const line = canonicalize({
    actor: draft.actor,
    at: draft.at,
    causedBy: draft.causedBy,
    code: draft.code,
    detail: draft.detail,
    id: draft.id,
    kind: draft.kind,
    message: draft.message,
    outcome: draft.outcome,
    recordedAt,
    sequence: tip.size,
    task: draft.task,
    tookUs: draft.tookUs,
    verdicts: draft.verdicts.map(({ control, findings, outcome, tookUs, version }) => ({
      control,
      findings,
      outcome,
      tookUs,
      version,
    })),
  });
  return { line, tip: { size: tip.size + 1, recordedAt } };
}

const entryMembers = [
  'actor',
  'at',
  'causedBy',
  'code',
  'detail',
  'id',
  'kind',
  'message',
  'outcome',
  'recordedAt',
  'sequence',
  'task',
  'tookUs',
  'verdicts',
];

/**
 * The entry on a line of one's own log, or null when it is none. The tree covers the bytes; that
 * they are the canonical form is for the verifier to say.
 */
export function parseEntryLine(line: Uint8Array): RecordedEntry | null {
  if (!isUtf8(line)) return null;
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(line.buffer, line.byteOffset, line.byteLength).toString('utf8'));
  } catch {
    // Not JSON, so no entry.
    return null;
  }
  return isRecordedEntry(value) ? value : null;
}

function isRecordedEntry(value: unknown): value is RecordedEntry {
  return (
    isJsonObject(value) &&
    hasMembers(value, entryMembers) &&
    draftMembersFit(value) &&
    isCount(value['sequence']) &&
    isCount(value['recordedAt'])
  );
}

function isCount(value: unknown): boolean {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
