// SPDX-License-Identifier: Apache-2.0
import { createPublicKey, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { bytesOf, fromBase64, joined, toBase64, toHex } from '../verifier/bytes.ts';
import { openCheckpoint } from '../verifier/checkpoint.ts';
import type { Checkpoint, VerifierKey } from '../verifier/checkpoint.ts';
import { sha256, writeSha256 } from '../verifier/sha256.ts';
import { extendsTree, TreeHashes } from '../verifier/tree.ts';
import { WitnessError } from './codes.ts';
import type { WitnessCode } from './codes.ts';

/** What a witness remembers of a log: the key it was told once, and the newest it cosigned. */
export type WitnessedLog = {
  readonly key: VerifierKey;
  readonly size: number;
  readonly root: Uint8Array;
};

export type WitnessIdentity = {
  readonly name: string;
  /** Verifier key for whoever counts this witness's cosignatures. */
  readonly verifierKey: string;
  /** A cosignature line over the body of a checkpoint (C2SP tlog-cosignature, Ed25519). */
  readonly cosign: (body: string, atSeconds: number) => string;
};

/** The answer of C2SP tlog-witness to `add-checkpoint`. */
export type CosignAnswer =
  | {
      readonly status: 200;
      /** What the log is given. */
      readonly body: string;
      /** The signed checkpoint with the cosignature: durable before it is answered. */
      readonly cosigned: string;
      readonly next: WitnessedLog;
    }
  | {
      readonly status: 400 | 403 | 404 | 409 | 422;
      readonly body: string;
      readonly code: WitnessCode;
      /** Whether the request proves that the log misbehaved, and is to be kept. */
      readonly evidence: boolean;
    };

const treeHashes = new TreeHashes(writeSha256);
const requestLengthMax = 65_536;
const proofMax = 63;
const namePattern = /^[^\s+]{1,255}$/;

/** A witness's name and key. Throws `WitnessError` for a name that C2SP does not allow. */
export function witnessIdentity(name: string, privateKey: KeyObject): WitnessIdentity {
  const { x } = createPublicKey(privateKey).export({ format: 'jwk' });
  if (!namePattern.test(name) || privateKey.asymmetricKeyType !== 'ed25519' || x === undefined) {
    throw new WitnessError('WITNESS_STATE_INVALID', 'The name or the key of the witness is not one.');
  }
  const material = joined(Uint8Array.of(4), Buffer.from(x, 'base64url'));
  const id = sha256(joined(bytesOf(`${name}\n`), material)).slice(0, 4);
  return {
    name,
    verifierKey: `${name}+${toHex(id)}+${toBase64(material)}`,
    cosign: (body, atSeconds) => {
      const time = new Uint8Array(8);
      new DataView(time.buffer).setBigUint64(0, BigInt(atSeconds));
      const signature = sign(null, bytesOf(`cosignature/v1\ntime ${atSeconds}\n${body}`), privateKey);
      return `\u2014 ${name} ${toBase64(joined(id, time, signature))}\n`;
    },
  };
}

/** The state of a log that the witness has heard of and never cosigned. */
export function newLog(key: VerifierKey): WitnessedLog {
  return { key, size: 0, root: sha256(new Uint8Array(0)) };
}

/**
 * Judges one `add-checkpoint` request. Whoever calls it makes `cosigned` and `next` durable before
 * it answers, and lets no other request on the same log in between.
 */
export async function judgeCheckpoint(
  request: string,
  logOf: (origin: string) => WitnessedLog | null,
  identity: WitnessIdentity,
  nowSeconds: number,
): Promise<CosignAnswer> {
  const parsed = request.length <= requestLengthMax ? parseRequest(request) : null;
  if (parsed === null) return refused(400, 'WITNESS_REQUEST_INVALID');
  const { oldSize, path, note } = parsed;
  const log = logOf(note.slice(0, note.indexOf('\n')));
  if (log === null) return refused(404, 'WITNESS_LOG_UNKNOWN');
  const opened = await openCheckpoint(note, log.key, []);
  if (opened.state === 'malformed') return refused(400, 'WITNESS_REQUEST_INVALID');
  if (opened.state !== 'good') return refused(403, 'WITNESS_SIGNATURE_INVALID');
  const { checkpoint } = opened;
  if (oldSize > checkpoint.size) return refused(400, 'WITNESS_REQUEST_INVALID');
  if (oldSize !== log.size) return conflict(log, 'WITNESS_SIZE_CONFLICT');
  if (!extendsLog(log, checkpoint, path)) {
    return oldSize === checkpoint.size
      ? conflict(log, 'WITNESS_INCONSISTENT')
      : refused(422, 'WITNESS_INCONSISTENT');
  }
  const body = note.slice(0, note.lastIndexOf('\n\n') + 1);
  const line = identity.cosign(body, Math.floor(nowSeconds));
  const { size, root } = checkpoint;
  return { status: 200, body: line, cosigned: note + line, next: { ...log, size, root } };
}

function extendsLog(
  older: WitnessedLog,
  newer: Checkpoint,
  path: readonly Uint8Array[],
): boolean {
  // Every tree goes on from the one without entries; a proof says nothing there.
  if (older.size === 0 && newer.size > 0) return path.length === 0;
  return extendsTree(treeHashes, { older, newer, path });
}

function parseRequest(request: string) {
  const end = request.indexOf('\n\n');
  if (end < 0) return null;
  const [first = '', ...lines] = request.slice(0, end).split('\n');
  const [, size = ''] = /^old (0|[1-9]\d{0,15})$/.exec(first) ?? [];
  const path = lines.map((line) => fromBase64(line));
  if (size === '' || path.length > proofMax || !path.every((hash) => hash?.length === 32)) return null;
  const hashes = path.filter((hash) => hash !== null);
  return { oldSize: Number(size), path: hashes, note: request.slice(end + 2) };
}

function conflict(log: WitnessedLog, code: WitnessCode): CosignAnswer {
  const evidence = code === 'WITNESS_INCONSISTENT';
  return { status: 409, body: `${log.size}\n`, code, evidence };
}

function refused(status: 400 | 403 | 404 | 422, code: WitnessCode): CosignAnswer {
  return { status, body: `${code}\n`, code, evidence: status === 422 };
}
