// SPDX-License-Identifier: Apache-2.0
import { bytesOf, fromBase64, joined, sameBytes, toHex } from './bytes.ts';
import { sha256 } from './sha256.ts';

/** A key that somebody trusts, from the text `NAME+ID+KEY` (C2SP signed-note). */
export type VerifierKey = {
  readonly name: string;
  readonly id: Uint8Array;
  /** Of a log that signs, or of a witness that cosigns with the time. */
  readonly use: 'log' | 'witness';
  readonly key: Uint8Array<ArrayBuffer>;
};

export type Cosignature = {
  readonly witness: string;
  /** Seconds since 1970 by the witness's clock. */
  readonly atSeconds: number;
};

/** A checkpoint (C2SP tlog-checkpoint) whose log signature holds. */
export type Checkpoint = {
  readonly origin: string;
  readonly size: number;
  readonly root: Uint8Array;
  /** Those by the given witnesses; others are passed over. */
  readonly cosignatures: readonly Cosignature[];
};

export type OpenedCheckpoint =
  | { readonly state: 'good'; readonly checkpoint: Checkpoint }
  /** Not a checkpoint, not signed by the log's key, or with a false line of a known witness. */
  | { readonly state: 'malformed' | 'unsigned' | 'foreign' | 'cosignature' };

const noteLengthMax = 65_536;
const signaturesMax = 100;
const bodyPattern = /^([^\s+]+)\n(0|[1-9]\d{0,15})\n([A-Za-z0-9+/]{43}=)\n(?:[^\n]+\n)*$/;
const linePattern = /^\u2014 ([^\s+]+) ([A-Za-z0-9+/]+={0,2})$/;

/** Null when the text is no verifier key, or its id is not the one of its name and key. */
export function parseVerifierKey(text: string): VerifierKey | null {
  const [name = '', id = '', ...rest] = text.trim().split('+');
  const material = fromBase64(rest.join('+'));
  if (!/^[^\s+]+$/.test(name) || !/^[0-9a-f]{8}$/.test(id) || material?.length !== 33) return null;
  const use = material[0] === 1 ? 'log' : material[0] === 4 ? 'witness' : null;
  if (use === null) return null;
  const computed = sha256(joined(bytesOf(`${name}\n`), material)).slice(0, 4);
  return toHex(computed) === id ? { name, id: computed, use, key: joined(material.slice(1)) } : null;
}

/**
 * Opens a signed checkpoint with the log's key, and the cosignatures of the given witnesses in it.
 * Lines by others are ignored, as C2SP says; a false line under a trusted name and id is not.
 */
export async function openCheckpoint(
  note: string,
  log: VerifierKey,
  witnesses: readonly VerifierKey[],
): Promise<OpenedCheckpoint> {
  const parsed = note.length <= noteLengthMax ? parseNote(note) : null;
  if (parsed === null) return { state: 'malformed' };
  const { body, lines } = parsed;
  const [, origin = '', size = '', root = ''] = bodyPattern.exec(body) ?? [];
  const rootBytes = fromBase64(root);
  if (origin === '' || rootBytes === null || !Number.isSafeInteger(Number(size))) {
    return { state: 'malformed' };
  }
  if (origin !== log.name) return { state: 'foreign' };
  let signed = false;
  const cosignatures: Cosignature[] = [];
  for (const { name, id, signature } of lines) {
    if (isBy(log, name, id)) {
      if (!(await verifies(log, signature, bytesOf(body)))) return { state: 'unsigned' };
      signed = true;
    }
    const witness = witnesses.find((one) => isBy(one, name, id));
    if (witness === undefined) continue;
    const atSeconds = timeOf(signature);
    const message = bytesOf(`cosignature/v1\ntime ${atSeconds}\n${body}`);
    if (atSeconds === null || !(await verifies(witness, signature.slice(8), message))) {
      return { state: 'cosignature' };
    }
    cosignatures.push({ witness: name, atSeconds });
  }
  if (!signed) return { state: 'unsigned' };
  const checkpoint = { origin, size: Number(size), root: rootBytes, cosignatures };
  return { state: 'good', checkpoint };
}

type NoteLine = {
  readonly name: string;
  readonly id: Uint8Array;
  readonly signature: Uint8Array;
};

function parseNote(note: string): { readonly body: string; readonly lines: NoteLine[] } | null {
  const end = note.lastIndexOf('\n\n');
  if (end < 0 || !note.endsWith('\n')) return null;
  const texts = note.slice(end + 2, -1).split('\n');
  if (texts.length > signaturesMax) return null;
  const lines: NoteLine[] = [];
  for (const text of texts) {
    const [, name = '', blob = ''] = linePattern.exec(text) ?? [];
    const bytes = fromBase64(blob);
    if (name === '' || bytes === null || bytes.length < 5) return null;
    lines.push({ name, id: bytes.slice(0, 4), signature: bytes.slice(4) });
  }
  return { body: note.slice(0, end + 1), lines };
}

function isBy(key: VerifierKey, name: string, id: Uint8Array): boolean {
  return key.name === name && sameBytes(key.id, id);
}

async function verifies(
  { key }: VerifierKey,
  signature: Uint8Array,
  message: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  if (signature.length !== 64) return false;
  const opened = await crypto.subtle.importKey('raw', key, 'Ed25519', false, ['verify']);
  return crypto.subtle.verify('Ed25519', opened, joined(signature), message);
}

/** The first eight bytes of a cosignature; null when they are no time that a number holds. */
function timeOf(signature: Uint8Array): number | null {
  if (signature.length !== 72) return null;
  const view = new DataView(signature.buffer, signature.byteOffset, 8);
  const seconds = view.getUint32(0) * 0x1_0000_0000 + view.getUint32(4);
  return Number.isSafeInteger(seconds) ? seconds : null;
}
