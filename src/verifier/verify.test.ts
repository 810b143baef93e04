// SPDX-License-Identifier: Apache-2.0
import * as fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { draft, memorySource, startMs, testKey, ulid } from '../../test/faults/recorder-fixture.ts';
import { drafts, forgedLine, smallLog } from '../../test/faults/small-log.ts';
import type { SmallLog } from '../../test/faults/small-log.ts';
import { entryLine } from '../recorder/entry-line.ts';
import { nodeSha256 } from './directory.ts';
import { verifyLog } from './verify.ts';
import type { VerifyInput, VerifyReport } from './verify.ts';

const size = 8;
let small: SmallLog;
let lines: readonly Uint8Array[] = [];
beforeAll(async () => {
  small = await smallLog(drafts(size));
  lines = small.log.lines;
});

type Changes = {
  readonly lines?: readonly Uint8Array[];
  readonly tiles?: Map<string, Uint8Array>;
  readonly checkpoint?: string | null;
};

/** The small log with something of it changed, and its true checkpoint from elsewhere. */
function verify(
  changes: Changes = {},
  input: Partial<VerifyInput> = {},
  from: SmallLog = small,
): Promise<VerifyReport> {
  const { tiles, checkpoint } = from.log;
  const source = memorySource({ lines: [...from.log.lines], tiles, checkpoint, ...pruned(changes) });
  const log = from.key.verifierKey(from.log.name);
  const checkpoints = [from.checkpointOf(from.log.lines.length)];
  // What it would remember of a longer log takes most of the time of so short a one.
  return verifyLog({ source, log, checkpoints, sha256: nodeSha256, idsMax: 1000, ...input });
}

function pruned({ lines: changed, ...rest }: Changes) {
  return { ...rest, ...(changed === undefined ? {} : { lines: [...changed] }) };
}

const codes = ({ findings }: VerifyReport) =>
  findings.map(({ code, sequence }) => `${code.replace('VERIFY_', '')}@${sequence}`);
const line = (at: number): Uint8Array => lines[at] ?? Buffer.alloc(0);
const without = (at: number) => [...lines.slice(0, at), ...lines.slice(at + 1)];
const edited = (at: number) =>
  lines.with(at, Buffer.from(Buffer.from(line(at)).toString().replace('payments', 'paymentz')));

describe('verifying a log', () => {
  it('accepts what the recorder wrote, also against earlier checkpoints', async () => {
    expect(await verify()).toEqual({
      ok: true,
      entries: size,
      findings: [],
      findingsTotal: 0,
      unchecked: 0,
      pruned: 0,
      prunedUnder: [],
      covered: size,
      cosigned: [],
    });
    const checkpoints = [0, 1, 3, 7].map(small.checkpointOf);
    expect(await verify({}, { checkpoints })).toMatchObject({ ok: true, covered: size });
    const empty = await smallLog([]);
    expect(await verify({}, {}, empty)).toMatchObject({ ok: true, entries: 0, findings: [] });
  });

  it('accepts logs over the edges of tiles, and what came after the checkpoint', async () => {
    for (const count of [255, 256, 257, 511, 512, 700]) {
      const log = await smallLog(drafts(count));
      expect(await verify({}, {}, log), String(count)).toMatchObject({ ok: true, covered: count });
      const more = [...log.log.lines, forgedLine(count), forgedLine(count + 1)];
      const grown = await verify({ lines: more }, {}, log);
      expect(grown).toMatchObject({ ok: true, covered: count, entries: count + 2 });
    }
  });

  it('finds every byte flipped in every entry', async () => {
    const three = await smallLog(drafts(3));
    for (const [position, whole] of three.log.lines.entries()) {
      for (let at = 0; at < whole.length; at += 1) {
        for (const flip of [1 << (at % 8)]) {
          const bytes = Buffer.from(whole);
          bytes[at] = (bytes[at] ?? 0) ^ flip;
          const report = await verify({ lines: three.log.lines.with(position, bytes) }, {}, three);
          expect(report.findings[0]?.sequence, `${position}:${at}:${flip}`).toBe(position);
          expect(report.ok).toBe(false);
        }
      }
    }
  });

  it('names an edited entry, a removed one, and one that was never there', async () => {
    for (let at = 0; at < size; at += 1) {
      expect(codes(await verify({ lines: edited(at) }))).toEqual([`ENTRY_EDITED@${at}`]);
      const last = at === size - 1;
      const gone = last ? `TRUNCATED@${at}` : `ENTRY_REMOVED@${at}`;
      expect(codes(await verify({ lines: without(at) }))).toEqual([gone]);
      for (const sequence of [at, 0, size, size + 5, 1e9]) {
        const put = await verify({ lines: lines.toSpliced(at, 0, forgedLine(sequence)) });
        expect(put.ok).toBe(false);
        expect(codes(put), `${sequence} at ${at}`).toEqual([`ENTRY_INSERTED@${at}`]);
      }
    }
    const run = await verify({ lines: [...lines.slice(0, 2), ...lines.slice(5)] });
    expect(codes(run)).toEqual(['ENTRY_REMOVED@2']);
    expect(run.findingsTotal).toBe(3);
  });

  it('finds a log cut off at every entry, against a checkpoint and only against it', async () => {
    for (let left = 0; left < size; left += 1) {
      const cut = lines.slice(0, left);
      expect(codes(await verify({ lines: cut }))).toEqual([`TRUNCATED@${left}`]);
      const older = await smallLog(drafts(left), small.key);
      const rewound = { lines: cut, tiles: older.log.tiles, checkpoint: older.checkpointOf(left) };
      expect(codes(await verify(rewound))).toEqual([`TRUNCATED@${left}`]);
      expect((await verify(rewound, { checkpoints: [] })).ok).toBe(true);
    }
  });

  it('names every two entries that are swapped', async () => {
    for (let a = 0; a < size; a += 1) {
      for (let b = a + 1; b < size; b += 1) {
        const report = await verify({ lines: lines.with(a, line(b)).with(b, line(a)) });
        expect(report.ok).toBe(false);
        expect(codes(report).join(), `${a} ${b}`).toContain('ENTRY_REORDERED');
      }
    }
  });

  it('names every entry that stands twice, wherever the copy is put', async () => {
    for (let at = 0; at < size; at += 1) {
      for (let to = 0; to <= size; to += 1) {
        const report = await verify({ lines: lines.toSpliced(to, 0, line(at)) });
        expect(report.ok).toBe(false);
        // Put before its time it is the copy that is taken for the entry, and the entry for the copy.
        const before = to < at ? ['ENTRY_REORDERED'] : [];
        expect(new Set(codes(report).map((code) => code.split('@')[0])), `${at} at ${to}`)
          .toEqual(new Set([...before, 'ENTRY_DUPLICATED']));
        expect(codes(report)).toContain(`ENTRY_DUPLICATED@${at}`);
      }
    }
  });

  it('names a fork at every entry, for both readers, as soon as they hear of each other', async () => {
    for (let at = 0; at < size; at += 1) {
      const told = await smallLog(drafts(size).map((one, place) => (place < at ? one : draft(90 + place))), small.key);
      expect((await verify({}, {}, told)).ok).toBe(true);
      for (const [mine, theirs] of [[small, told], [told, small]] as const) {
        for (let seen = at + 1; seen <= size; seen += 1) {
          const report = await verify({}, { checkpoints: [theirs.checkpointOf(seen)] }, mine);
          expect(codes(report), `${at} ${seen}`).toEqual([`FORKED@${seen - 1}`]);
        }
        expect((await verify({}, { checkpoints: [theirs.checkpointOf(at)] }, mine)).ok).toBe(true);
      }
    }
  });

  it('tells a damaged tile from damaged entries, at every byte', async () => {
    const log = await smallLog(drafts(300));
    for (const [place, tile] of log.log.tiles) {
      for (let at = 0; at < tile.length; at += place.startsWith('0/0/') ? 37 : 1) {
        const bytes = Buffer.from(tile);
        bytes[at] = (bytes[at] ?? 0) ^ 1;
        const report = await verify({ tiles: new Map([...log.log.tiles, [place, bytes]]) }, {}, log);
        const found = new Set(report.findings.map(({ code }) => code));
        expect([...found], `${place} ${at}`).toEqual(['VERIFY_TILE_WRONG']);
      }
      const tiles = new Map(log.log.tiles);
      tiles.delete(place);
      const gone = await verify({ tiles }, {}, log);
      expect(gone.findings.map(({ code }) => code)).toEqual(['VERIFY_TILE_MISSING']);
    }
  });

  it('finds entries that were rewritten together with their tiles', async () => {
    const other = await smallLog(drafts(size).with(3, draft(77)), testKey());
    const { lines: forged, tiles } = other.log;
    const report = await verify({ lines: forged, tiles });
    expect(report.ok).toBe(false);
    expect(codes(report)).toContain(`FORKED@${size - 1}`);
  });

  it('names two histories under one key: a directory that was continued twice', async () => {
    const one = await smallLog([...drafts(5), draft(61), draft(62)], small.key);
    const two = await smallLog([...drafts(5), draft(71), draft(72), draft(73)], small.key);
    for (const [mine, theirs] of [[one, two], [two, one]] as const) {
      const checkpoints = [theirs.checkpointOf(theirs.log.lines.length)];
      const report = await verify({}, { checkpoints }, mine);
      expect(report.ok).toBe(false);
      expect(codes(report).join()).toMatch(/FORKED|TRUNCATED/);
      const shared = await verify({}, { checkpoints: [theirs.checkpointOf(5)] }, mine);
      expect(shared.ok).toBe(true);
    }
    const longer = await verify({}, { checkpoints: [one.checkpointOf(7)] }, two);
    expect(codes(longer)).toEqual(['FORKED@6']);
  });

  it('proves nothing without a checkpoint, and says so', async () => {
    const report = await verify({ checkpoint: null }, { checkpoints: [] });
    expect(codes(report)).toEqual(['CHECKPOINT_MISSING@0']);
    expect(report).toMatchObject({ ok: false, covered: 0 });
    const foreign = await smallLog(drafts(2), small.key, 'another-log');
    const strange = await smallLog(drafts(size), testKey());
    for (const [text, code] of [
      [foreign.checkpointOf(2), 'CHECKPOINT_FOREIGN@0'],
      [strange.checkpointOf(size), 'CHECKPOINT_INVALID@0'],
      ['', 'CHECKPOINT_INVALID@0'],
    ] as const) {
      expect(codes(await verify({}, { checkpoints: [text] }))).toEqual([code]);
      expect(codes(await verify({ checkpoint: text }))).toEqual([code]);
    }
  });

  it('finds a time that goes back', async () => {
    const back = entryLine(draft(50), { size, recordedAt: 0 }, startMs - 1).line;
    const report = await verify({ lines: [...lines, Buffer.from(back)] });
    expect(codes(report)).toEqual([`CLOCK_BACK@${size}`]);
  });

  it('warns of a cause that was never recorded, within the reach of its memory', async () => {
    const caused = [draft(0), draft(1, { causedBy: [ulid(0), ulid(500)] }), draft(2)];
    const log = await smallLog(caused);
    const report = await verify({}, {}, log);
    expect(codes(report)).toEqual(['CAUSE_UNKNOWN@1']);
    expect(report.ok).toBe(true);
    const long = [...drafts(200), draft(300, { causedBy: [ulid(0)] })];
    const remembered = await smallLog([
      draft(0, { kind: 'memory.written', detail: { item: ulid(700) } }),
      draft(1, { kind: 'memory.read', causedBy: [ulid(700)] }),
      draft(2, { kind: 'knowledge.read', causedBy: [ulid(800)] }),
      draft(3, { kind: 'memory.read', causedBy: [ulid(701)] }),
    ]);
    expect(codes(await verify({}, {}, remembered))).toEqual(['CAUSE_UNKNOWN@3']);
    const forgetful = await verify({}, { idsMax: 20 }, await smallLog(long));
    expect(forgetful).toMatchObject({ ok: true, findings: [], unchecked: 1 });
  });

  it('keeps as many findings as asked for, and counts the rest', async () => {
    const report = await verify({ lines: lines.map(() => Buffer.from('x')) }, { findingsMax: 3 });
    expect(report.findings).toHaveLength(3);
    expect(report).toMatchObject({ ok: false, findingsTotal: size });
  });

  it('never accepts any mixture of cuts, copies and edits but the log itself', async () => {
    const seed = Date.now() % 1_000_000;
    const piece = fc.oneof(
      fc.nat(size - 1).map((at) => ({ at, line: () => line(at) })),
      fc.nat(size + 2).map((at) => ({ at: -1, line: () => forgedLine(at) })),
      fc.constant({ at: -1, line: () => Buffer.from('junk') }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 12 }), async (pieces) => {
        const report = await verify({ lines: pieces.map((one) => one.line()) });
        const prefix = lines.every((_, at) => pieces[at]?.at === at);
        const tail = pieces.slice(size);
        const grown = tail.every(({ at }) => at === -1);
        if (!prefix || !grown) expect(report.ok).toBe(false);
      }),
      { numRuns: 400, seed },
    );
  });
});

it('takes no number of witnesses for one that is reached where it is none', async () => {
  expect(codes(await verify({}, { quorum: Number.NaN }))).toEqual(['NOT_COSIGNED@0']);
});
