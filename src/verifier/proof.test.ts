// SPDX-License-Identifier: Apache-2.0
import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { drafts, smallLog } from '../../test/faults/small-log.ts';
import { inclusionProof } from '../recorder/tree-proof.ts';
import { witnessIdentity } from '../witness/cosign.ts';
import { parseVerifierKey } from './checkpoint.ts';
import { verifyProof } from './proof.ts';

const size = 9;
const { log, key, checkpointOf } = await smallLog(drafts(size));
const logKey = key.verifierKey(log.name);
const entryAt = (index: number) => log.lines[index] ?? new Uint8Array(0);

async function proofOf(index: number, checkpoint = checkpointOf(size)): Promise<string> {
  const path = await inclusionProof(index, size, log.readTile.bind(log));
  const lines = path.map((hash) => `${Buffer.from(hash).toString('base64')}\n`).join('');
  return `c2sp.org/tlog-proof@v1\nindex ${index}\n${lines}\n${checkpoint}`;
}

describe('the proof of one entry', () => {
  it('holds for its entry and no other, at its place and no other', async () => {
    for (let index = 0; index < size; index += 1) {
      const proof = await proofOf(index);
      for (let other = 0; other < size; other += 1) {
        const report = await verifyProof({ proof, entry: entryAt(other), log: logKey });
        expect(report.ok, `${index} ${other}`).toBe(index === other);
        const moved = proof.replace(`index ${index}`, `index ${other}`);
        const there = await verifyProof({ proof: moved, entry: entryAt(index), log: logKey });
        expect(there.ok).toBe(index === other);
      }
    }
  });

  it('does not hold with any character changed', async () => {
    const proof = await proofOf(4);
    for (let at = 0; at < proof.length; at += 1) {
      const changed = proof.slice(0, at) + (proof[at] === 'B' ? 'C' : 'B') + proof.slice(at + 1);
      expect((await verifyProof({ proof: changed, entry: entryAt(4), log: logKey })).ok, String(at)).toBe(false);
    }
  });

  it('counts the witnesses that are trusted', async () => {
    const witness = witnessIdentity('example.org/w', generateKeyPairSync('ed25519').privateKey);
    const trusted = parseVerifierKey(witness.verifierKey);
    const checkpoint = checkpointOf(size);
    const body = checkpoint.slice(0, checkpoint.lastIndexOf('\n\n') + 1);
    const cosigned = checkpoint + witness.cosign(body, 1_700_000_000);
    const input = { entry: entryAt(4), log: logKey, witnesses: trusted === null ? [] : [trusted] };
    expect(await verifyProof({ ...input, proof: await proofOf(4) })).toEqual({
      ok: false,
      code: 'VERIFY_NOT_COSIGNED',
    });
    const proof = await proofOf(4, cosigned);
    expect(await verifyProof({ ...input, proof })).toMatchObject({ ok: true, index: 4, size });
    expect((await verifyProof({ ...input, proof, quorum: 2 })).ok).toBe(false);
    expect((await verifyProof({ ...input, proof, quorum: Number.NaN })).ok).toBe(false);
    const extra = proof.replace('\nindex', '\nextra AAAA\nindex');
    expect((await verifyProof({ ...input, proof: extra })).ok).toBe(true);
  });
});
