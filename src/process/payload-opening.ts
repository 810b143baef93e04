// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import { combineShares, openFrom, sealTo } from '../adapters/custodian-shares.ts';
import type { CustodianKey } from '../adapters/custodian-shares.ts';
import { isJsonObject } from '../message/json.ts';
import type { JsonValue } from '../message/json.ts';
import { defaultJsonLimits, parseStrictJson } from '../message/strict-json.ts';
import { RecorderError } from '../recorder/entry.ts';
import type { RecordedEntry, RecorderErrorCode } from '../recorder/entry.ts';
import { parseEntryLine } from '../recorder/entry-line.ts';
import { epochDigest, parseEpochRecord, releaseBinding, shareBinding } from '../recorder/payload-epoch.ts';
import type { EpochRecord, SealedShare } from '../recorder/payload-epoch.ts';
import { keyCommitment, openPayload, unwrapKey } from '../recorder/payload-seal.ts';
import type { VerifierKey } from '../verifier/checkpoint.ts';
import { verifyProof } from '../verifier/proof.ts';

/** What custodians are asked with. Everything in it is checked by each of them. */
export type OpeningRequest = {
  readonly format: 'maso-opening/1';
  readonly record: EpochRecord;
  /** The entry that says who asks for which epoch, as it stands in the log, and its proof. */
  readonly entry: string;
  readonly proof: string;
  /** Public key that shares are sealed to; its private half is the asking operator's. */
  readonly recipient: string;
};

/** One custodian's share, for one opening. */
export type Release = SealedShare & {
  readonly format: 'maso-release/1';
  readonly request: string;
  readonly custodian: string;
};

/** A payload as it was admitted; null where its key is erased, or it does not open. */
export type OpenedPayload = {
  readonly message: string;
  readonly task: string;
  readonly from: string;
  readonly to: string;
  readonly schema: string;
  readonly sequence: number;
  readonly state: 'opened' | 'erased' | 'key-missing' | 'changed' | 'incomplete';
  readonly payload: JsonValue;
};

const logPrefix = 'maso/log/';
/** What was admitted was within the bounds of its mesh, whatever those were. */
const admittedLimits = {
  bytesMax: 256 * 1_048_576,
  depthMax: 256,
  membersMax: 50_000_000,
  keyLengthMax: 1_048_576,
};

/**
 * What a custodian does with a request: gives the share only when the log, under the key that the
 * custodian trusts and as many witnesses as asked for, proves that this very opening is on record.
 * Throws `RecorderError` RECORDER_OPENING_REFUSED, or RECORDER_EPOCH_FORGED when the share is not the
 * custodian's of that epoch.
 */
export async function releaseShare(
  request: OpeningRequest,
  key: CustodianKey,
  trusted: {
    readonly log: VerifierKey;
    readonly witnesses: readonly VerifierKey[];
    readonly quorum: number;
  },
): Promise<Release> {
  const { record, recipient } = request;
  const proven = await verifyProof({
    proof: request.proof, entry: Buffer.from(request.entry), ...trusted,
  });
  const entry = proven.ok ? parseEntryLine(Buffer.from(request.entry)) : null;
  const isThis =
    entry?.kind === 'payload.asked' &&
    entry.detail['epoch'] === record.epoch &&
    entry.detail['recipient'] === recipient &&
    trusted.log.name === `${logPrefix}${record.log}`;
  if (!isThis) throw refused('RECORDER_OPENING_REFUSED', 'This opening is not proven on record.');
  const own = record.shares.find((share) => share.key === key.publicKey);
  if (own === undefined) throw refused('RECORDER_OPENING_REFUSED', 'No share is for this key.');
  const share = await openFrom(own, key.privateKey, shareBinding(record, own.name));
  if (share === null || keyCommitment(share) !== own.commitment) {
    throw refused('RECORDER_EPOCH_FORGED', 'The share is not the one of this epoch.');
  }
  const binding = releaseBinding(entry.id, record.epoch, own.name);
  const sealed = await sealTo(share, recipient, binding);
  share.fill(0);
  return { format: 'maso-release/1', request: entry.id, custodian: own.name, ...sealed };
}

/**
 * The key of the epoch, from enough releases. Throws `RecorderError`: RECORDER_SHARES_MISSING, with the
 * names of those whose share is wrong; RECORDER_EPOCH_FORGED when the record is not the log's.
 */
export async function epochKeyFrom(
  request: OpeningRequest,
  releases: readonly Release[],
  recipientKey: string,
  loggedDigest: string,
): Promise<{ readonly key: Uint8Array; readonly custodians: readonly string[] }> {
  const { record } = request;
  if (epochDigest(record) !== loggedDigest) {
    throw refused('RECORDER_EPOCH_FORGED', 'The log knows another record of this epoch.');
  }
  const asked = parseEntryLine(Buffer.from(request.entry))?.id ?? '';
  const shares = new Map<string, Uint8Array>();
  const wrong: string[] = [];
  for (const release of releases) {
    const owner = record.shares.find(({ name }) => name === release.custodian);
    const binding = releaseBinding(asked, record.epoch, release.custodian);
    const share = release.request === asked ? await openFrom(release, recipientKey, binding) : null;
    if (owner === undefined || share === null || keyCommitment(share) !== owner.commitment) {
      wrong.push(release.custodian);
    } else shares.set(owner.name, share);
  }
  if (wrong.length > 0 || shares.size < record.threshold) {
    const bad = wrong.length === 0 ? '' : ` Wrong: ${wrong.join(', ')}.`;
    const counted = `${shares.size} of ${record.threshold} shares are good.${bad}`;
    throw refused('RECORDER_SHARES_MISSING', counted);
  }
  const key = await combineShares([...shares.values()]);
  for (const share of shares.values()) share.fill(0);
  if (keyCommitment(key) !== record.commitment) {
    throw refused('RECORDER_SHARES_MISSING', 'The shares do not make the key of this epoch.');
  }
  return { key, custodians: [...shares.keys()] };
}

/**
 * Opens every payload of an epoch. Reads the log twice: what was erased is known before anything is
 * opened, also where somebody put an erased key back into the store. The parts of one payload stand
 * close together in the log; those that do not are not put together.
 */
export async function* openPayloads(
  entries: () => AsyncIterable<RecordedEntry>,
  { log, epoch }: Pick<EpochRecord, 'log' | 'epoch'>,
  epochKey: Uint8Array,
  wrapped: ReadonlyMap<string, readonly string[]>,
): AsyncGenerator<OpenedPayload> {
  const erasedUpTo = new Map<string, number>();
  for await (const { kind, task, sequence } of entries()) {
    if (kind === 'payload.erased' && task !== null) erasedUpTo.set(task, sequence);
  }
  const open = (parts: readonly RecordedEntry[]): readonly OpenedPayload[] => {
    const [first] = parts;
    if (first === undefined) return [];
    const task = first.task ?? '';
    const message = first.message ?? '';
    const erased = first.sequence < (erasedUpTo.get(task) ?? -1);
    const keys = (wrapped.get(task) ?? []).flatMap((one) =>
      unwrapKey(one, { log, epoch, task }, epochKey) ?? []);
    const payload = erased ? null : opensWith(keys, parts, { log, epoch, task, message });
    const state = stateOf(payload, erased, keys.length, parts);
    const names = namesOf(first.detail);
    return [{ message, task, ...names, sequence: first.sequence, state, payload }];
  };
  const incomplete = new Map<string, RecordedEntry[]>();
  for await (const entry of entries()) {
    if (entry.kind !== 'payload.kept' || entry.detail['epoch'] !== epoch) continue;
    // An agent's read is named by its sidecar, which may give it the id of somebody's message.
    const whose = `${entry.message} ${String(entry.detail['agent'])}`;
    const parts = [...(incomplete.get(whose) ?? []), entry];
    incomplete.set(whose, parts);
    const [oldest = whose] = incomplete.keys();
    const isComplete = parts.length === entry.detail['parts'];
    const ended = isComplete ? whose : incomplete.size > incompleteMax ? oldest : null;
    if (ended === null) continue;
    yield* open(incomplete.get(ended) ?? []);
    incomplete.delete(ended);
  }
  for (const parts of incomplete.values()) yield* open(parts);
}

/** Payloads that are being put together at the same time. */
const incompleteMax = 64;

/** A message has two ends and a schema, an agent's own read the agent at both and its tool. */
function namesOf(detail: RecordedEntry['detail']): Pick<OpenedPayload, 'from' | 'to' | 'schema'> {
  const { agent, from = agent, to = agent, tool, operation, schema = `${tool}.${operation}` } = detail;
  return { from: String(from), to: String(to), schema: String(schema) };
}

type Place = {
  readonly log: string;
  readonly epoch: number;
  readonly task: string;
  readonly message: string;
};

function opensWith(
  keys: readonly Uint8Array[],
  entries: readonly RecordedEntry[],
  place: Place,
): JsonValue {
  const parts = entries[0]?.detail['parts'];
  if (typeof parts !== 'number' || entries.length !== parts) return null;
  for (const key of keys) {
    const pieces = entries.map((entry, part) =>
      openPayload(String(entry.detail['sealed']), { ...place, part, parts }, key));
    if (!pieces.every((piece) => piece !== null)) continue;
    const json = parseStrictJson(Buffer.concat(pieces), admittedLimits);
    return json.ok ? json.value : null;
  }
  return null;
}

function stateOf(
  opened: JsonValue,
  erased: boolean,
  keys: number,
  parts: readonly RecordedEntry[],
): OpenedPayload['state'] {
  if (erased) return 'erased';
  if (opened !== null) return 'opened';
  if (keys === 0) return 'key-missing';
  return parts.length === parts[0]?.detail['parts'] ? 'changed' : 'incomplete';
}

/** Throws `RecorderError` RECORDER_OPENING_REFUSED unless the text is a request. */
export function parseOpeningRequest(text: string): OpeningRequest {
  const { format, record, entry, proof, recipient } = objectIn(text);
  const parsed = record === undefined ? null : parseEpochRecord(record);
  if (format === 'maso-opening/1' && parsed !== null && typeof entry === 'string' &&
    typeof proof === 'string' && typeof recipient === 'string') {
    return { format, record: parsed, entry, proof, recipient };
  }
  throw refused('RECORDER_OPENING_REFUSED', 'That is no request to open an epoch.');
}

/** Throws `RecorderError` RECORDER_SHARES_MISSING unless the text is a release. */
export function parseRelease(text: string): Release {
  const { format, request, custodian, enc, sealed } = objectIn(text);
  if (format === 'maso-release/1' && typeof request === 'string' && typeof enc === 'string' &&
    typeof custodian === 'string' && typeof sealed === 'string') {
    return { format, request, custodian, enc, sealed };
  }
  throw refused('RECORDER_SHARES_MISSING', 'That is no release of a share.');
}

function objectIn(text: string): { readonly [name: string]: JsonValue } {
  const json = parseStrictJson(Buffer.from(text), defaultJsonLimits);
  return json.ok && isJsonObject(json.value) ? json.value : {};
}

function refused(code: RecorderErrorCode, message: string): RecorderError {
  return new RecorderError(code, message);
}
