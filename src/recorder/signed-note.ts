// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import { createPublicKey, hash, sign, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { RecorderError } from './entry.ts';

/** Signs checkpoints with the recorder's own key, which no bus node or sidecar shares. */
export type RecorderSigner = {
  readonly publicKey: KeyObject;
  /** Ed25519 signature (RFC 8032) over the bytes. */
  readonly sign: (bytes: Uint8Array) => Uint8Array;
};

/** Algorithm of a key in a C2SP note: Ed25519, of a log; or Ed25519 with a time, of a witness. */
export type NoteAlgorithm = 1 | 4;

const keyIdBytes = 4;

/** Throws `RecorderError` with `RECORDER_OPTIONS_INVALID` for a key that is not Ed25519. */
export function ed25519Signer(privateKey: KeyObject): RecorderSigner {
  const publicKey = createPublicKey(privateKey);
  rawKey(publicKey);
  return { publicKey, sign: (bytes) => sign(null, bytes, privateKey) };
}

/** The text and one signature line (C2SP signed-note). The text ends in a line feed. */
export function signNote(text: string, name: string, signer: RecorderSigner): string {
  const signature = signer.sign(Buffer.from(text));
  return `${text}\n${signatureLine(name, keyId(name, 1, signer.publicKey), signature)}`;
}

/**
 * The text of a note that one of the keys signed under the name; null otherwise. Lines of other
 * signers are passed over; a line of ours with a wrong signature is no signature.
 */
export function openNote(
  note: string,
  name: string,
  keys: readonly KeyObject[],
): string | null {
  const end = note.lastIndexOf('\n\n');
  if (end < 0 || !note.endsWith('\n')) return null;
  const text = note.slice(0, end + 1);
  const lines = note.slice(end + 2, -1).split('\n');
  const bytes = Buffer.from(text);
  const signed = keys.some((key) => {
    const prefix = `\u2014 ${name} `;
    const id = keyId(name, 1, key);
    return lines.some((line) => {
      if (!line.startsWith(prefix)) return false;
      const spelled = line.slice(prefix.length);
      const blob = Buffer.from(spelled, 'base64');
      // The last character has bits that mean nothing: one signature has one spelling.
      if (blob.toString('base64') !== spelled) return false;
      if (blob.length !== keyIdBytes + 64 || !blob.subarray(0, keyIdBytes).equals(id)) return false;
      return verify(null, bytes, key, blob.subarray(keyIdBytes));
    });
  });
  return signed ? text : null;
}

/** A verifier key in the form that C2SP tools read: `NAME+ID+KEY`. */
export function verifierKey(name: string, algorithm: NoteAlgorithm, key: KeyObject): string {
  const material = Buffer.concat([Buffer.of(algorithm), rawKey(key)]).toString('base64');
  return `${name}+${keyId(name, algorithm, key).toString('hex')}+${material}`;
}

function signatureLine(name: string, id: Uint8Array, signature: Uint8Array): string {
  return `\u2014 ${name} ${Buffer.concat([id, signature]).toString('base64')}\n`;
}

function keyId(name: string, algorithm: NoteAlgorithm, key: KeyObject): Buffer {
  const material = Buffer.concat([Buffer.from(`${name}\n`), Buffer.of(algorithm), rawKey(key)]);
  return hash('sha256', material, 'buffer').subarray(0, keyIdBytes);
}

function rawKey(key: KeyObject): Buffer {
  const { crv, kty, x } = key.export({ format: 'jwk' });
  if (kty !== 'OKP' || crv !== 'Ed25519' || x === undefined) {
    throw new RecorderError('RECORDER_OPTIONS_INVALID', 'The recorder key is not an Ed25519 key.');
  }
  return Buffer.from(x, 'base64url');
}
