// SPDX-License-Identifier: Apache-2.0
import { Buffer, isUtf8 } from 'node:buffer';
import { hash } from 'node:crypto';
import { canonicalize } from '../message/canonical-json.ts';
import { isDigest } from '../message/identifiers.ts';
import { isJsonObject } from '../message/json.ts';
import type { EntryDraft, RecordedEntry } from './entry.ts';
import { draftMembersFit, hasMembers } from './entry-shape.ts';

/** Where the chain ends now: all that the next entry needs to know of those before it. */
export type ChainTip = {
  /** Entries so far; the sequence of the next one. */
  readonly size: number;
  /** What the next entry links to: the hash of the last line, or of the log's name. */
  readonly previous: string;
  /** `recordedAt` of the last entry; 0 before the first. */
  readonly recordedAt: number;
};

export type ChainedLine = { readonly line: string; readonly tip: ChainTip };

export function emptyTip(logName: string): ChainTip {
  return { size: 0, previous: lineHash(logName), recordedAt: 0 };
}

/** SHA-256, base64url, of the UTF-8 bytes. */
export function lineHash(line: string | Uint8Array): string {
  return hash('sha256', line, 'base64url');
}

/**
 * The next line: the RFC 8785 form of the draft with its place in the chain. `recordedAt` never
 * goes below the last one, also when the clock does or says NaN. Throws `MessageError` for a draft
 * that has no canonical form. The members are written down in canonical order, which spares sorting
 * them.
 */
export function chainEntry(draft: EntryDraft, tip: ChainTip, nowMs: number): ChainedLine {
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
    previous: tip.previous,
    recordedAt,
    sequence: tip.size,
    task: draft.task,
    tookUs: draft.tookUs,
    verdicts: draft.verdicts,
  });
  return { line, tip: { size: tip.size + 1, previous: lineHash(line), recordedAt } };
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
  'previous',
  'recordedAt',
  'sequence',
  'task',
  'tookUs',
  'verdicts',
];

/**
 * The entry on a line, or null when the bytes are anything but the canonical form of one: an
 * unknown or doubled member, other spacing or order, ill-formed UTF-8. Two readers cannot see two
 * entries.
 */
export function parseEntryLine(line: Uint8Array): RecordedEntry | null {
  const entry = parseLinkedLine(line);
  if (entry === null) return null;
  try {
    const text = Buffer.from(line.buffer, line.byteOffset, line.byteLength).toString('utf8');
    return canonicalize(entry) === text ? entry : null;
  } catch {
    // Without a canonical form (too deep, a lone surrogate) it is no entry.
    return null;
  }
}

/** Like `parseEntryLine` for lines whose hash is checked anyway: does not compare the form. */
export function parseLinkedLine(line: Uint8Array): RecordedEntry | null {
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
    isCount(value['recordedAt']) &&
    typeof value['previous'] === 'string' &&
    isDigest(value['previous'])
  );
}

function isCount(value: unknown): boolean {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
