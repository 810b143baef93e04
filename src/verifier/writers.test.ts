// SPDX-License-Identifier: Apache-2.0
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { draft, memorySource, ulid } from '../../test/faults/recorder-fixture.ts';
import { smallLog } from '../../test/faults/small-log.ts';
import type { EntryDraft } from '../recorder/entry.ts';
import { nodeSha256 } from './directory.ts';
import { verifyLog } from './verify.ts';
import type { VerifyInput, VerifyReport } from './verify.ts';

const run = 'A'.repeat(26);
const next = 'B'.repeat(26);

/** An entry of a sidecar, with this number in its detail. */
function written(id: number, writer: string, changes: Partial<EntryDraft> = {}): EntryDraft {
  return draft(id, { actor: 'sidecar:triage', message: null, detail: { writer }, ...changes });
}

async function verify(entries: readonly EntryDraft[], input: Partial<VerifyInput> = {}): Promise<VerifyReport> {
  const { log, key } = await smallLog(entries);
  const source = memorySource(log);
  return verifyLog({ source, log: key.verifierKey(log.name), sha256: nodeSha256, ...input });
}

const codesOf = ({ findings }: VerifyReport) => findings.map(({ code, sequence }) => `${code}@${sequence}`);

describe('the numbers of a writer', () => {
  it('show an entry that was settled and is not there', async () => {
    const entries = [0, 1, 2, 3, 4].map((at) => written(at, `${run}/${at}/${at}`));
    expect(await verify(entries)).toMatchObject({ ok: true, findings: [], unchecked: 0 });
    for (const gone of [0, 1, 2, 3]) {
      const report = await verify(entries.toSpliced(gone, 1));
      expect(codesOf(report)).toEqual([`VERIFY_WRITER_GAP@${gone}`]);
      expect(report.ok).toBe(false);
    }
  });

  it('prove nothing of what is not settled: it may be under way', async () => {
    const entries = [written(0, `${run}/0/0`), written(3, `${run}/3/1`), written(4, `${run}/4/1`)];
    expect(await verify(entries)).toMatchObject({ ok: true, findings: [] });
    const late = [...entries, written(1, `${run}/1/0`), written(2, `${run}/2/1`), written(5, `${run}/5/5`)];
    expect(await verify(late)).toMatchObject({ ok: true, findings: [] });
  });

  it('take what was given up, counted in a digest, or recorded before, for accounted for', async () => {
    const givenUp = [written(0, `${run}/0/0`), written(5, `${run}/5/1/1-3,4`), written(6, `${run}/6/6`)];
    expect(await verify(givenUp)).toMatchObject({ ok: true, findings: [] });
    for (const kind of ['record.repeated', 'refusals.counted'] as const) {
      const digest = draft(9, { kind, actor: 'node', message: null, detail: { writers: { [`triage ${run}`]: '1-2' } } });
      const counted = [written(0, `${run}/0/0`), digest, written(3, `${run}/3/3`)];
      expect(await verify(counted)).toMatchObject({ ok: true, findings: [] });
      const forged = [written(0, `${run}/0/0`), { ...digest, actor: 'sidecar:triage' }, written(3, `${run}/3/3`)];
      expect(codesOf(await verify(forged))).toEqual(['VERIFY_WRITER_GAP@2']);
      const other = { ...digest, detail: { writers: { [`payments ${run}`]: '1-2' } } };
      expect(codesOf(await verify([counted[0] ?? digest, other, counted[2] ?? digest])))
        .toEqual(['VERIFY_WRITER_GAP@2']);
    }
  });

  it('belong to a writer and a run: nobody fills the gap of another', async () => {
    const other = { actor: 'sidecar:payments' };
    const entries = [written(0, `${run}/0/0`), written(1, `${run}/1/1`, other), written(2, `${run}/2/2`)];
    expect(codesOf(await verify(entries))).toEqual(['VERIFY_WRITER_GAP@1', 'VERIFY_WRITER_GAP@2']);
    const agent = written(1, `${run}/1/1`, { actor: 'agent:triage' });
    expect(codesOf(await verify([written(0, `${run}/0/0`), agent, written(2, `${run}/2/2`)]))).toEqual([]);
  });

  it('say what a crash took along, and take it for no fault', async () => {
    const crashed = [written(0, `${run}/0/0`), written(2, `${run}/2/1`), written(9, `${next}/0/0`)];
    const report = await verify(crashed);
    expect(codesOf(report)).toEqual(['VERIFY_WRITER_LOST@1']);
    expect(report.ok).toBe(true);
    // What was in the spool comes with the next run, under its old number.
    const spooled = [...crashed, written(1, `${run}/1/0`)];
    expect(codesOf(await verify(spooled))).toEqual([]);
  });

  it('that no sidecar gives are a fault', async () => {
    for (const writer of ['', 'x', `${run}/1`, `${run}/1/2`, `${run}/-1/0`, `${run}/1/0/x`, `${run}/1/0/1/1`]) {
      expect(codesOf(await verify([written(0, writer)])), writer).toEqual(['VERIFY_WRITER_INVALID@0']);
    }
    const far = `${run}/${'9'.repeat(15)}/${'9'.repeat(15)}/1-${'9'.repeat(15)}`;
    expect(codesOf(await verify([written(0, far)]))).toEqual(['VERIFY_WRITER_GAP@0']);
  });

  it('count what they miss', async () => {
    const report = await verify([written(0, `${run}/0/0`), written(8, `${run}/8/8`)]);
    expect(report).toMatchObject({ ok: false, findingsTotal: 7 });
    expect(report.findings).toHaveLength(1);
  });

  it('of a thousand entries in any order show exactly the ones that were dropped', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(fc.nat(59), { maxLength: 12 }), fc.nat(8), async (dropped, ahead) => {
        const gone = new Set(dropped);
        const entries = Array.from({ length: 60 }, (_, at) => written(at, `${run}/${at}/${Math.max(0, at - ahead)}`));
        const order = entries.map((entry, at) => ({ entry, at: at + ((at * 7) % (ahead + 1)) }));
        const kept = order.toSorted((a, b) => a.at - b.at).filter(({ entry }) => !gone.has(Number(entry.id.slice(-4))));
        const end = written(60, `${run}/60/60`);
        const report = await verify([...kept.map(({ entry }) => entry), end]);
        expect(report.findings.every(({ code }) => code === 'VERIFY_WRITER_GAP')).toBe(true);
        expect(report.findingsTotal).toBe(gone.size);
        expect(ulid(60)).toBe(end.id);
      }),
      { numRuns: 60, seed: 11 },
    );
  });
});
