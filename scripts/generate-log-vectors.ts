// SPDX-License-Identifier: Apache-2.0
// Writes test/vectors/log-valid.json and log-must-fail.json: small logs as C2SP tlog-tiles lays them
// out, with what a verifier must say of each. Keys are made from fixed seeds and are worth nothing.
import { createPrivateKey } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tilePath } from '../src/recorder/tile-path.ts';
import { witnessIdentity } from '../src/witness/cosign.ts';
import { draft, testKey } from '../test/faults/recorder-fixture.ts';
import { drafts, forgedLine, smallLog } from '../test/faults/small-log.ts';
import type { SmallLog } from '../test/faults/small-log.ts';
import type { EntryDraft } from '../src/recorder/entry.ts';
import { logVerifierKey } from '../src/recorder/checkpoint.ts';

type Vector = {
  readonly name: string;
  /** Resources by path; text for the checkpoint, base64 for everything else. */
  readonly files: { readonly [path: string]: string };
  /** Checkpoints from elsewhere. */
  readonly checkpoints: readonly string[];
  readonly witnesses: readonly string[];
  readonly expect: { readonly ok: boolean; readonly findings: readonly string[] };
};

const seed = (fill: number) =>
  createPrivateKey({
    key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.alloc(32, fill)]),
    format: 'der',
    type: 'pkcs8',
  });

const key = testKey(seed(1));
const logName = 'log-of-the-published-vectors';
const witness = witnessIdentity('maso/witness/vectors', seed(2));
const stranger = witnessIdentity('maso/witness/vectors', seed(3));
const make = (entries: readonly EntryDraft[], by = key) => smallLog(entries, by, logName);

/** The two files by name, as text. */
export async function logVectors(): Promise<ReadonlyMap<string, string>> {
  const head = { log: logVerifierKey(logName, key.signer.publicKey), witness: witness.verifierKey };
  const write = (vectors: readonly Vector[]) =>
    `${JSON.stringify({ ...head, vectors }, null, 1)}\n`;
  return new Map([
    ['log-valid.json', write(await valid())],
    ['log-must-fail.json', write(await mustFail())],
  ]);
}

async function valid(): Promise<readonly Vector[]> {
  const five = await make(drafts(5));
  const kept = five.checkpointOf(5);
  return [
    vector('no entry yet', await make([]), []),
    vector('one entry', await make(drafts(1)), []),
    vector('five entries, and a checkpoint from elsewhere', five, [kept]),
    vector('five entries against an earlier checkpoint', five, [five.checkpointOf(3)]),
    vector('a checkpoint with the line of a witness', five, [cosigned(kept)], { witnessed: true }),
    vector('a full tile and one entry more', await make(drafts(257)), []),
    vector('the numbers of a writer: one given up, one counted, one under way', await make([
      written(0, '0/0'), written(2, '2/1/1'), counted(4, '3'), written(5, '4/4'), written(6, '6/4'),
    ]), []),
    vector('a writer that a crash ended, and its spool in the next run', await make([
      written(0, '0/0'), written(2, '2/1'), written(3, '0/0', nextRun), written(1, '1/0'),
    ]), []),
    vector('a writer that a crash ended, and an entry with it', await make([
      written(0, '0/0'), written(2, '2/1'), written(3, '0/0', nextRun),
    ]), [], { findings: ['VERIFY_WRITER_LOST@1'], ok: true }),
  ];
}

async function mustFail(): Promise<readonly Vector[]> {
  const five = await make(drafts(5));
  const kept = five.checkpointOf(5);
  const fork = await make([...drafts(3), draft(90), draft(91)]);
  const other = await make(drafts(5), testKey(seed(4)));
  const { lines } = five.log;
  const at = (index: number): Uint8Array => lines[index] ?? Buffer.alloc(0);
  const edited = Buffer.from(Buffer.from(at(2)).toString().replace('payments', 'paymentz'));
  const spaced = Buffer.from(Buffer.from(at(2)).toString().replace(':', ': '));
  const fail = (name: string, changed: readonly Uint8Array[], findings: readonly string[]) =>
    vector(name, five, [kept], { lines: changed, findings });
  return [
    fail('an entry edited', lines.with(2, edited), ['VERIFY_ENTRY_EDITED@2']),
    fail('an entry in another form', lines.with(2, spaced), ['VERIFY_ENTRY_INVALID@2']),
    fail('an entry removed', lines.toSpliced(2, 1), ['VERIFY_ENTRY_REMOVED@2']),
    fail('the last entry removed', lines.slice(0, 4), ['VERIFY_TRUNCATED@4']),
    fail('two entries swapped', lines.with(1, at(2)).with(2, at(1)), ['VERIFY_ENTRY_REORDERED@1']),
    fail('an entry twice', lines.toSpliced(3, 0, at(2)), ['VERIFY_ENTRY_DUPLICATED@2']),
    fail('an entry put in', lines.toSpliced(2, 0, forgedLine(2)), ['VERIFY_ENTRY_INSERTED@2']),
    vector('an older state put back', await make(drafts(3)), [kept], { findings: ['VERIFY_TRUNCATED@3'] }),
    vector('another history of the same length', fork, [kept], { findings: ['VERIFY_FORKED@4'] }),
    vector('a tile changed', five, [kept], { tile: true, findings: ['VERIFY_TILE_WRONG@1'] }),
    vector('a checkpoint of another key', other, [], {
      findings: ['VERIFY_CHECKPOINT_INVALID@0', 'VERIFY_CHECKPOINT_MISSING@0'],
    }),
    vector('no cosignature by the trusted witness', five, [kept], {
      witnessed: true, findings: ['VERIFY_NOT_COSIGNED@0'],
    }),
    vector('a line that the witness did not sign', five, [cosigned(kept, true)], {
      witnessed: true, findings: ['VERIFY_COSIGNATURE_INVALID@0', 'VERIFY_NOT_COSIGNED@0'],
    }),
    vector('an entry that its writer knows to be on record, and that is not', await make([
      written(0, '0/0'), written(2, '2/2'),
    ]), [], { findings: ['VERIFY_WRITER_GAP@1'] }),
    vector('a number that no writer gives', await make([written(0, '0/1')]), [], {
      findings: ['VERIFY_WRITER_INVALID@0'],
    }),
    vector('a delivery that was never admitted', await make([draft(1, { kind: 'message.delivered' })]), [], {
      findings: ['VERIFY_DELIVERY_UNADMITTED@0'],
    }),
  ];
}

const firstRun = 'A'.repeat(26);
const nextRun = 'B'.repeat(26);

/** What a sidecar wrote under this number. */
function written(id: number, writer: string, run = firstRun): EntryDraft {
  return draft(id, { actor: 'sidecar:triage', message: null, detail: { writer: `${run}/${writer}` } });
}

/** A digest that counts what a sidecar wrote. */
function counted(id: number, numbers: string): EntryDraft {
  const detail = { writers: { [`triage ${firstRun}`]: numbers } };
  return draft(id, { kind: 'refusals.counted', actor: 'node', message: null, detail });
}

/** The checkpoint with a cosignature; a false one bears the right name and id over other bytes. */
function cosigned(checkpoint: string, isFalse = false): string {
  const body = checkpoint.slice(0, checkpoint.lastIndexOf('\n\n') + 1);
  if (!isFalse) return checkpoint + witness.cosign(body, 1_700_000_000);
  const right = witness.cosign(body, 1_700_000_000);
  const wrong = stranger.cosign(body, 1_700_000_000);
  const from = right.lastIndexOf(' ') + 1;
  const id = Buffer.from(right.slice(from), 'base64').subarray(0, 4);
  const rest = Buffer.from(wrong.slice(from), 'base64').subarray(4);
  return `${checkpoint}${right.slice(0, from)}${Buffer.concat([id, rest]).toString('base64')}\n`;
}

type Changes = {
  readonly lines?: readonly Uint8Array[];
  readonly tile?: boolean;
  readonly witnessed?: boolean;
  readonly findings?: readonly string[];
  /** With findings that are no fault. */
  readonly ok?: boolean;
};

function vector(
  name: string,
  { log }: SmallLog,
  checkpoints: readonly string[],
  changes: Changes = {},
): Vector {
  const files: { [path: string]: string } = { checkpoint: log.checkpoint ?? '' };
  for (const [place, bytes] of log.tiles) {
    const [level = 0, index = 0, width = 0] = place.split('/').map(Number);
    const copy = Buffer.from(bytes);
    if (changes.tile === true && level === 0) copy[33] = (copy[33] ?? 0) ^ 1;
    files[tilePath(level, index, width)] = copy.toString('base64');
  }
  const lines = changes.lines ?? log.lines;
  const size = Math.max(log.lines.length, 1);
  for (let from = 0; from < size; from += 256) {
    const width = Math.min(256, log.lines.length - from);
    const end = from + 256 >= size ? lines.length : from + 256;
    const entries = lines.slice(from, end).map((line) =>
      Buffer.concat([Buffer.of(line.length >> 8, line.length & 0xff), line]),
    );
    if (width > 0) files[tilePath('entries', from / 256, width)] = Buffer.concat(entries).toString('base64');
  }
  const { findings = [] } = changes;
  const witnesses = changes.witnessed === true ? [witness.verifierKey] : [];
  const { ok = findings.length === 0 } = changes;
  return { name, files, checkpoints, witnesses, expect: { ok, findings } };
}

if (import.meta.main) {
  for (const [file, text] of await logVectors()) {
    writeFileSync(join(import.meta.dirname, '../test/vectors', file), text);
  }
}
