// SPDX-License-Identifier: Apache-2.0
import type { Findings } from './findings.ts';
import { openCheckpoint } from './checkpoint.ts';
import type { Checkpoint, Cosignature, VerifierKey } from './checkpoint.ts';
import type { VerifyCode } from './codes.ts';

export type KnownCheckpoints = {
  /** Those that are signed, by size. */
  readonly good: readonly Checkpoint[];
  /** Size of the one that the log publishes itself; null when that is missing or wrong. */
  readonly published: number | null;
};

const codes: { readonly [state: string]: VerifyCode } = {
  malformed: 'VERIFY_CHECKPOINT_INVALID',
  unsigned: 'VERIFY_CHECKPOINT_INVALID',
  foreign: 'VERIFY_CHECKPOINT_FOREIGN',
  cosignature: 'VERIFY_COSIGNATURE_INVALID',
};

/** Opens the published checkpoint and those from elsewhere, and reports what is wrong with them. */
export async function openCheckpoints(
  texts: { readonly published: string | null; readonly others: readonly string[] },
  keys: { readonly log: VerifierKey; readonly witnesses: readonly VerifierKey[] },
  findings: Findings,
): Promise<KnownCheckpoints> {
  const good: Checkpoint[] = [];
  const open = async (text: string): Promise<number | null> => {
    const opened = await openCheckpoint(text, keys.log, keys.witnesses);
    if (opened.state === 'good') {
      good.push(opened.checkpoint);
      return opened.checkpoint.size;
    }
    findings.add(codes[opened.state] ?? 'VERIFY_CHECKPOINT_INVALID', 0);
    return null;
  };
  const published = texts.published === null ? null : await open(texts.published);
  for (const text of texts.others) await open(text);
  if (good.length === 0) findings.add('VERIFY_CHECKPOINT_MISSING', 0);
  checkOrder(good, findings);
  return { good: good.sort((a, b) => a.size - b.size), published };
}

export type Cosigned = Cosignature & { readonly size: number };

/** The newest cosignature of each witness among these checkpoints. */
export function newestCosignatures(checkpoints: readonly Checkpoint[]): readonly Cosigned[] {
  const newest = new Map<string, Cosigned>();
  for (const { size, cosignatures } of checkpoints) {
    for (const one of cosignatures) {
      const known = newest.get(one.witness);
      if (known === undefined || known.atSeconds <= one.atSeconds) {
        newest.set(one.witness, { ...one, size });
      }
    }
  }
  return [...newest.values()];
}

/** A witness never cosigns a smaller tree after a larger one. */
function checkOrder(checkpoints: readonly Checkpoint[], findings: Findings): void {
  const times = checkpoints
    .flatMap(({ size, cosignatures }) => cosignatures.map((one) => ({ ...one, size })))
    .sort((a, b) => a.atSeconds - b.atSeconds || a.size - b.size);
  const largest = new Map<string, number>();
  for (const { witness, size } of times) {
    const before = largest.get(witness) ?? 0;
    if (size < before) findings.add('VERIFY_REWOUND', size);
    largest.set(witness, Math.max(before, size));
  }
}
