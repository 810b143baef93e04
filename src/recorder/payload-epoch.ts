// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { canonicalize } from '../message/canonical-json.ts';
import { isDigest } from '../message/identifiers.ts';
import { isJsonObject } from '../message/json.ts';
import type { JsonObject, JsonValue } from '../message/json.ts';

/** A person who holds one share of every epoch's key, and the public half of their X25519 key. */
export type Custodian = { readonly name: string; readonly key: string };

/** A share that only its custodian can open (HPKE, RFC 9180); base64url. */
export type SealedShare = { readonly enc: string; readonly sealed: string };

/** One custodian's share of one epoch's key. */
export type EpochShare = Custodian & SealedShare & {
  /** Of the share: shows which custodian gave a wrong one. */
  readonly commitment: string;
};

/**
 * What is kept of an epoch's key once the runtime has dropped it: shares, `threshold` of which make
 * it again. Its digest stands in the log, so that nobody exchanges a share or a custodian unseen.
 */
export type EpochRecord = {
  readonly log: string;
  readonly epoch: number;
  readonly threshold: number;
  readonly startedAt: number;
  readonly endsAt: number;
  /** Of the epoch's key; see `keyCommitment`. */
  readonly commitment: string;
  readonly shares: readonly EpochShare[];
};

export function epochDigest(record: EpochRecord): string {
  return createHash('sha256').update(canonicalize(asJson(record))).digest('base64url');
}

/** What binds a share to its epoch and custodian; a share sealed for another one does not open. */
export function shareBinding(
  { log, epoch, threshold }: Pick<EpochRecord, 'log' | 'epoch' | 'threshold'>,
  custodian: string,
): string {
  return `maso-epoch-share/1\n${log}\n${epoch}\n${threshold}\n${custodian}`;
}

/** The same on its way back, for one opening only. */
export function releaseBinding(request: string, epoch: number, custodian: string): string {
  return `maso-epoch-release/1\n${request}\n${epoch}\n${custodian}`;
}

/** Null unless the value is exactly an epoch's record. */
export function parseEpochRecord(value: JsonValue): EpochRecord | null {
  if (!isJsonObject(value)) return null;
  const { log, epoch, threshold, startedAt, endsAt, commitment, shares, ...unknown } = value;
  if (Object.keys(unknown).length > 0 || !Array.isArray(shares)) return null;
  if (typeof log !== 'string' || !isCount(epoch) || !isCount(threshold)) return null;
  if (!isCount(startedAt) || !isCount(endsAt) || !isCommitment(commitment)) return null;
  const parsed = shares.map(parseShare);
  if (threshold < 2 || parsed.length < threshold || !parsed.every((one) => one !== null)) return null;
  return { log, epoch, threshold, startedAt, endsAt, commitment, shares: parsed };
}

function parseShare(value: JsonValue): EpochShare | null {
  if (!isJsonObject(value)) return null;
  const { name, key, enc, sealed, commitment, ...unknown } = value;
  if (Object.keys(unknown).length > 0 || !isCommitment(commitment)) return null;
  if (typeof name !== 'string' || typeof key !== 'string') return null;
  if (typeof enc !== 'string' || typeof sealed !== 'string') return null;
  return { name, key, enc, sealed, commitment };
}

function asJson({ shares, ...record }: EpochRecord): JsonObject {
  return { ...record, shares: shares.map((share) => ({ ...share })) };
}

function isCount(value: JsonValue | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isCommitment(value: JsonValue | undefined): value is string {
  return typeof value === 'string' && isDigest(value);
}
