// SPDX-License-Identifier: Apache-2.0
import { writerId } from './batch.ts';
import { emptyTip, lineHash, parseLinkedLine } from './chain.ts';
import type { ChainTip } from './chain.ts';
import { RecorderError } from './entry.ts';
import { openHead } from './head.ts';
import type { Head } from './head.ts';
import { RecentIds } from './recent-ids.ts';
import type { RecorderLimits, RecorderOptions } from './recorder-options.ts';

export type LogTail = {
  readonly tip: ChainTip;
  readonly recent: RecentIds;
  /** The last signed head, which holds; null when there is none. */
  readonly head: Head | null;
};

/**
 * What a recorder needs to know of its log: where the chain ends, and the latest ids. Checks the
 * chain over the lines it reads, and the log against the last signed head.
 */
export async function readTail(
  options: RecorderOptions,
  limits: RecorderLimits,
): Promise<LogTail> {
  const { log } = options;
  const head = lastHead(options);
  const size = log.size();
  if (head !== null && head.size > size) {
    throw new RecorderError('RECORDER_TRUNCATED', 'The log is shorter than its last signed head.');
  }
  const from = Math.max(0, size - limits.recentIdsMax);
  const recent = new RecentIds(limits.recentIdsMax, options.random);
  let tip: ChainTip | null = from === 0 ? emptyTip(log.name) : null;
  if (head !== null && head.size <= from) await checkEarlierHead(head, options);
  for await (const line of log.read(from, size)) {
    const entry = parseLinkedLine(line);
    const expected: number = tip?.size ?? from;
    if (
      entry === null ||
      entry.sequence !== expected ||
      (tip !== null && (entry.previous !== tip.previous || entry.recordedAt < tip.recordedAt))
    ) {
      throw new RecorderError('RECORDER_CHAIN_BROKEN', `The log is broken at entry ${expected}.`);
    }
    tip = { size: expected + 1, previous: lineHash(line), recordedAt: entry.recordedAt };
    recent.add(writerId(entry), entry.sequence);
    if (head?.size === tip.size && head.hash !== tip.previous) throw forked();
  }
  if (tip?.size !== size) {
    throw new RecorderError('RECORDER_CHAIN_BROKEN', 'The log does not hold the lines it counts.');
  }
  return { tip, recent, head };
}

function lastHead(options: RecorderOptions): Head | null {
  const { lastHead: signed, log, signer, headKeys } = options;
  if (signed === null) return null;
  const head = openHead(signed, new Map([...(headKeys ?? []), [signer.keyId, signer.publicKey]]));
  if (head === null) {
    throw new RecorderError('RECORDER_HEAD_INVALID', 'The last head is not by the recorder key.');
  }
  if (head.log !== log.name) {
    throw new RecorderError('RECORDER_HEAD_FOREIGN', 'The last head belongs to another log.');
  }
  return head;
}

/** A head older than the lines that are read anyway: its one line is read for it. */
async function checkEarlierHead(head: Head, options: RecorderOptions): Promise<void> {
  const { log } = options;
  if (head.size === 0) {
    if (head.hash !== emptyTip(log.name).previous) throw forked();
    return;
  }
  for await (const line of log.read(head.size - 1, head.size)) {
    if (lineHash(line) === head.hash) return;
  }
  throw forked();
}

function forked(): RecorderError {
  return new RecorderError('RECORDER_FORKED', 'The log is not the one of its last head.');
}
