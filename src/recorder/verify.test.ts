// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { draft, startMs, testKey, ulid } from '../../test/faults/recorder-fixture.ts';
import { chainEntry, emptyTip, lineHash } from './chain.ts';
import type { EntryDraft } from './entry.ts';
import { signHead } from './head.ts';
import { LogVerifier, verifyLog } from './verify.ts';
import type { VerifyReport } from './verify.ts';

const name = 'log-of-the-verify-test';
const { signer, keys } = testKey();

function chain(drafts: readonly EntryDraft[], logName = name): Buffer[] {
  let tip = emptyTip(logName);
  return drafts.map((one, index) => {
    const chained = chainEntry(one, tip, startMs + index);
    tip = chained.tip;
    return Buffer.from(chained.line);
  });
}

function headOf(lines: readonly Buffer[], at = startMs, log = name): string {
  const last = lines.at(-1);
  const hash = last === undefined ? emptyTip(log).previous : lineHash(last);
  return signHead({ log, size: lines.length, hash, at }, signer);
}

function verify(lines: readonly Buffer[], heads: readonly string[] = []): Promise<VerifyReport> {
  return verifyLog({ name, lines, heads, keys });
}

const codes = ({ findings }: VerifyReport) =>
  findings.map(({ code, sequence }) => `${code}@${sequence}`);

const size = 8;
const lines = chain(Array.from({ length: size }, (_, n) => draft(n)));
const head = headOf(lines);
const without = (at: number) => [...lines.slice(0, at), ...lines.slice(at + 1)];
const line = (at: number): Buffer => lines[at] ?? Buffer.alloc(0);

describe('verifying a log', () => {
  it('accepts what the recorder wrote, with and without heads', async () => {
    const empty = headOf([], startMs - 10);
    const early = headOf(lines.slice(0, 3), startMs - 5);
    expect(await verify(lines, [head, empty, early])).toEqual({
      ok: true,
      entries: size,
      findings: [],
      findingsTotal: 0,
      causesUnchecked: 0,
      coveredByHead: size,
    });
    expect(await verify(lines)).toMatchObject({ ok: true, coveredByHead: 0 });
    expect(await verify([], [empty])).toMatchObject({ ok: true, entries: 0 });
    expect(await verify(lines, [early])).toMatchObject({ ok: true, coveredByHead: 3 });
  });

  it('finds every byte flipped in every entry, also in the last one against the head', async () => {
    const small = chain([draft(0), draft(1), draft(2)]);
    const smallHead = headOf(small);
    for (const [position, whole] of small.entries()) {
      for (let at = 0; at < whole.length; at += 1) {
        for (const flip of [1, 0x20, 0x80]) {
          const bytes = Buffer.from(whole);
          bytes[at] = (bytes[at] ?? 0) ^ flip;
          const attacked = small.map((other, n) => (n === position ? bytes : other));
          const report = await verify(attacked, [smallHead]);
          expect(report.ok, `${position}:${at}:${flip}`).toBe(false);
        }
      }
    }
  });

  it('names an edited entry', async () => {
    for (let at = 0; at < size; at += 1) {
      const edited = Buffer.from(line(at).toString().replace('payments', 'paymentz'));
      const report = await verify(lines.map((other, n) => (n === at ? edited : other)), [head]);
      const last = at === size - 1;
      const code = last ? 'RECORDER_FORKED' : 'RECORDER_ENTRY_EDITED';
      expect(codes(report)).toEqual([`${code}@${at}`]);
    }
  });

  it('names every entry that is removed, alone and in runs', async () => {
    for (let at = 0; at < size - 1; at += 1) {
      expect(codes(await verify(without(at), [head]))).toEqual([`RECORDER_ENTRY_REMOVED@${at}`]);
    }
    const gone = await verify([...lines.slice(0, 2), ...lines.slice(5)], [head]);
    expect(codes(gone)).toEqual([2, 3, 4].map((n) => `RECORDER_ENTRY_REMOVED@${n}`));
  });

  it('finds a log cut off at every line, against a head and only against it', async () => {
    for (let left = 0; left < size; left += 1) {
      const report = await verify(lines.slice(0, left), [head]);
      expect(codes(report)).toEqual([`RECORDER_TRUNCATED@${left}`]);
      expect((await verify(lines.slice(0, left))).ok).toBe(true);
    }
  });

  it('names every two entries that are swapped', async () => {
    for (let a = 0; a < size; a += 1) {
      for (let b = a + 1; b < size; b += 1) {
        const swapped = lines.with(a, line(b)).with(b, line(a));
        const report = await verify(swapped, [head]);
        expect(report.ok).toBe(false);
        expect(codes(report).join(), `${a} ${b}`).toContain('RECORDER_ENTRY_REORDERED');
      }
    }
  });

  it('names every entry that stands twice, wherever the copy is put', async () => {
    for (let at = 0; at < size; at += 1) {
      for (let to = at + 1; to <= size; to += 1) {
        const report = await verify(lines.toSpliced(to, 0, line(at)), [head]);
        expect(codes(report)).toEqual([`RECORDER_ENTRY_DUPLICATED@${at}`]);
      }
    }
  });

  it('names an entry that is put in at every place, also with a right link', async () => {
    for (let at = 0; at <= size; at += 1) {
      const previous = at === 0 ? emptyTip(name).previous : lineHash(line(at - 1));
      const tip = { size: at, previous, recordedAt: startMs };
      const forged = Buffer.from(chainEntry(draft(99), tip, startMs + at).line);
      const report = await verify(lines.toSpliced(at, 0, forged), [head]);
      if (at === size) expect(report.ok).toBe(true);
      else expect(codes(report)).toContain(`RECORDER_ENTRY_INSERTED@${at}`);
      const far = Buffer.from(chainEntry(draft(99), { ...tip, size: 1e9 }, startMs).line);
      const jumped = await verify(lines.toSpliced(at, 0, far), [head]);
      expect(jumped.ok).toBe(false);
      expect(jumped.findingsTotal).toBeLessThan(1100_000_000);
    }
  });

  it('says which line is no entry, and goes on after it', async () => {
    for (const rubbish of ['', 'null', '{}', '\u0000', line(0).toString().replace(':', ': ')]) {
      const put = await verify(lines.toSpliced(3, 0, Buffer.from(rubbish)), [head]);
      expect(codes(put)).toEqual(['RECORDER_LINE_INVALID@3']);
      const replaced = await verify(lines.with(3, Buffer.from(rubbish)), [head]);
      expect(codes(replaced)).toEqual(['RECORDER_LINE_INVALID@3']);
    }
  });

  it('says that the entry of a head is gone, whatever stands in its place', async () => {
    const report = await verify(lines.with(size - 1, Buffer.from('rubbish')), [head]);
    const last = size - 1;
    expect(codes(report)).toEqual([`RECORDER_LINE_INVALID@${last}`, `RECORDER_FORKED@${last}`]);
    expect(report.coveredByHead).toBe(0);
  });

  it('finds a log rewritten with right links, against every kind of head', async () => {
    const drafts = Array.from({ length: size }, (_, n) => draft(n, n === 4 ? { code: 'X' } : {}));
    const rewritten = chain(drafts);
    expect((await verify(rewritten)).ok).toBe(true);
    expect(codes(await verify(rewritten, [head]))).toEqual([`RECORDER_FORKED@${size - 1}`]);
    const early = headOf(lines.slice(0, 5));
    expect(codes(await verify(rewritten, [early]))).toEqual(['RECORDER_FORKED@4']);
    expect((await verify(rewritten, [headOf(lines.slice(0, 4))])).ok).toBe(true);
    const longer = chain([...drafts, draft(50), draft(51)]);
    expect((await verify(longer, [head])).ok).toBe(false);
  });

  it('finds a log set back to an older copy, also once it is long enough again', async () => {
    const early = headOf(lines.slice(0, 6), startMs);
    const late = headOf(lines.slice(0, 3), startMs + 1000);
    expect(codes(await verify(lines.slice(0, 3), [early, late]))).toEqual([
      'RECORDER_REWOUND@3',
      'RECORDER_TRUNCATED@3',
    ]);
    expect(codes(await verify(lines, [early, late]))).toEqual(['RECORDER_REWOUND@3']);
  });

  it('refuses heads that are forged or of another log', async () => {
    expect(codes(await verify(lines, ['a.b.c']))).toEqual(['RECORDER_HEAD_INVALID@0']);
    const foreign = headOf(lines, startMs, 'another-log');
    expect(codes(await verify(lines, [foreign]))).toEqual(['RECORDER_HEAD_FOREIGN@0']);
    const tip = { log: name, size, hash: lineHash(line(7)), at: 1 };
    const stranger = signHead(tip, testKey().signer);
    expect((await verify(lines, [stranger])).ok).toBe(false);
  });

  it('refuses a log under another name', async () => {
    const report = await verifyLog({ name: 'other', lines, heads: [], keys });
    expect(codes(report)).toEqual(['RECORDER_NAME_MISMATCH@0']);
  });

  it('finds time that goes back although the links are right', async () => {
    const first = chainEntry(draft(0), emptyTip(name), startMs);
    const second = chainEntry(draft(1), { ...first.tip, recordedAt: 0 }, startMs - 5);
    const report = await verify([Buffer.from(first.line), Buffer.from(second.line)]);
    expect(codes(report)).toEqual(['RECORDER_CLOCK_BACK@1']);
  });

  it('never accepts any other sequence of lines than the true one', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(size - 1), { maxLength: 12 }), async (order) => {
        const shuffled = order.map((at) => line(at));
        const same = order.length === size && order.every((at, place) => at === place);
        return (await verify(shuffled, [head])).ok === same;
      }),
      { numRuns: 500 },
    );
  });

  it('keeps findings bounded and counts the rest', async () => {
    const rubbish = Array.from({ length: 5000 }, () => Buffer.from('{}'));
    const report = await verify(rubbish);
    expect(report.findings).toHaveLength(1000);
    expect(report.findingsTotal).toBe(5000);
    const far = Buffer.from(chainEntry(draft(1), { ...emptyTip(name), size: 2 ** 50 }, 1).line);
    expect((await verify([far])).ok).toBe(false);
  });
});

describe('the causes in a log', () => {
  it('are doubted when they were not recorded before, without breaking the log', async () => {
    const report = await verify(chain([
      draft(0),
      draft(1, { causedBy: [ulid(0), ulid(2_000_000)] }),
      draft(2, { causedBy: [ulid(3)] }),
      draft(3, { causedBy: [ulid(2_000_003), 'never.recorded'] }),
    ]));
    expect(report.ok).toBe(true);
    expect(codes(report)).toEqual(['RECORDER_CAUSE_UNKNOWN@2', 'RECORDER_CAUSE_UNKNOWN@3']);
    expect(report.findings.every(({ level }) => level === 'warn')).toBe(true);
  });

  it('that are too old to remember are counted, not doubted', () => {
    const verifier = new LogVerifier({ name, heads: [], keys, idsMax: 20 });
    const drafts = Array.from({ length: 199 }, (_, n) => draft(n));
    drafts.push(draft(199, { causedBy: [ulid(0)] }));
    for (const one of chain(drafts)) verifier.push(one);
    expect(verifier.finish()).toMatchObject({ ok: true, findingsTotal: 0, causesUnchecked: 1 });
  });
});

describe('the codes of the recorder', () => {
  it('list every finding of the verifier', async () => {
    const { recorderCodes } = await import('./codes.ts');
    const source = readFileSync(new URL('verify.ts', import.meta.url), 'utf8');
    for (const code of new Set(source.match(/RECORDER_[A-Z_]+/g))) {
      expect(recorderCodes).toHaveProperty(code);
    }
  });
});
