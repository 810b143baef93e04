// SPDX-License-Identifier: Apache-2.0
import { fromBase64 } from './bytes.ts';
import { openCheckpoint } from './checkpoint.ts';
import type { Cosignature, VerifierKey } from './checkpoint.ts';
import { writeSha256 } from './sha256.ts';
import { includes, TreeHashes } from './tree.ts';

export type ProofReport =
  | {
      readonly ok: true;
      readonly index: number;
      /** Entries of the log that the proof is about. */
      readonly size: number;
      readonly cosignatures: readonly Cosignature[];
    }
  | { readonly ok: false; readonly code: 'VERIFY_PROOF_INVALID' | 'VERIFY_NOT_COSIGNED' };

export type ProofInput = {
  /** A proof as C2SP tlog-proof writes it. */
  readonly proof: string;
  /** The raw entry, without a line feed. */
  readonly entry: Uint8Array;
  readonly log: VerifierKey;
  readonly witnesses?: readonly VerifierKey[];
  readonly quorum?: number;
};

const proofLengthMax = 65_536;
const hashes = new TreeHashes(writeSha256);

/** Whether the log holds the entry, by the proof alone: nothing else of the log is needed. */
export async function verifyProof(input: ProofInput): Promise<ProofReport> {
  const invalid = { ok: false, code: 'VERIFY_PROOF_INVALID' } as const;
  const { proof, entry, log, witnesses = [] } = input;
  const end = proof.indexOf('\n\n');
  if (proof.length > proofLengthMax || end < 0) return invalid;
  const [first, ...rest] = proof.slice(0, end).split('\n');
  if (first !== 'c2sp.org/tlog-proof@v1') return invalid;
  if (rest[0]?.startsWith('extra ') === true) rest.shift();
  const [, index = ''] = /^index (0|[1-9]\d{0,15})$/.exec(rest.shift() ?? '') ?? [];
  const path = rest.map((line) => fromBase64(line));
  const opened = await openCheckpoint(proof.slice(end + 2), log, witnesses);
  if (index === '' || opened.state !== 'good') return invalid;
  if (!path.every((hash) => hash !== null && hash.length === 32)) return invalid;
  const { size, root, cosignatures } = opened.checkpoint;
  const inTree = includes(hashes, {
    index: Number(index),
    size,
    leaf: hashes.leaf(entry),
    path: path.filter((hash) => hash !== null),
    root,
  });
  if (!inTree) return invalid;
  const quorum = input.quorum ?? Math.min(1, witnesses.length);
  const cosigned = new Set(cosignatures.map(({ witness }) => witness)).size;
  if (!(cosigned >= quorum)) return { ok: false, code: 'VERIFY_NOT_COSIGNED' };
  return { ok: true, index: Number(index), size, cosignatures };
}
