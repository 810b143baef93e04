// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import type { KeyObject } from 'node:crypto';
import { openNote, signNote, verifierKey } from './signed-note.ts';
import type { RecorderSigner } from './signed-note.ts';

/**
 * What the recorder says, signed, about its log at one moment (C2SP tlog-checkpoint). Kept away
 * from the log, it proves that entries were removed or that the log was rewritten.
 */
export type Checkpoint = {
  /** Name of the log. */
  readonly log: string;
  /** Durable entries. */
  readonly size: number;
  /** Root of the Merkle tree over them. */
  readonly root: Uint8Array;
};

/** A checkpoint as it is kept: a C2SP signed note, Ed25519. */
export type SignedCheckpoint = string;

const checkpointLengthMax = 16_384;
const bodyPattern = /^([!-*,-~]+)\n(0|[1-9]\d{0,15})\n([A-Za-z0-9+/]{43}=)\n$/;

/** First line of a log's checkpoints, and the name of its key. */
export function originOf(logName: string): string {
  return `maso/log/${logName}`;
}

/** The recorder's verifier key for its log, to be handed to whoever verifies. */
export function logVerifierKey(logName: string, publicKey: KeyObject): string {
  return verifierKey(originOf(logName), 1, publicKey);
}

export function signCheckpoint(checkpoint: Checkpoint, signer: RecorderSigner): SignedCheckpoint {
  const { log, size, root } = checkpoint;
  const origin = originOf(log);
  const body = `${origin}\n${size}\n${Buffer.from(root).toString('base64')}\n`;
  return signNote(body, origin, signer);
}

/** Entries that a checkpoint states; -1 for what is none. Says nothing of who signed it. */
export function checkpointSize(signed: SignedCheckpoint): number {
  return Number(statedIn(signed)?.[2] ?? -1);
}

/** Root that a checkpoint states; empty for what is none. Says nothing of who signed it. */
export function checkpointRoot(signed: SignedCheckpoint): Uint8Array {
  return Buffer.from(statedIn(signed)?.[3] ?? '', 'base64');
}

function statedIn(signed: SignedCheckpoint): RegExpExecArray | null {
  return bodyPattern.exec(signed.slice(0, signed.lastIndexOf('\n\n') + 1));
}

/**
 * What is wrong with the recorder's own last checkpoint, or what it says. `foreign` when it is
 * well formed and begins with the name of another log.
 */
export function openCheckpoint(
  signed: SignedCheckpoint,
  logName: string,
  keys: readonly KeyObject[],
): Checkpoint | 'invalid' | 'foreign' {
  if (signed.length > checkpointLengthMax) return 'invalid';
  const origin = originOf(logName);
  const stated = statedIn(signed);
  if (stated === null) return 'invalid';
  if (stated[1] !== origin) return 'foreign';
  if (openNote(signed, origin, keys) === null) return 'invalid';
  const size = Number(stated[2]);
  const root = Buffer.from(stated[3] ?? '', 'base64');
  return Number.isSafeInteger(size) ? { log: logName, size, root } : 'invalid';
}
