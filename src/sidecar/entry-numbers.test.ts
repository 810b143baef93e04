// SPDX-License-Identifier: Apache-2.0
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { draft, fakeRandom, memorySource, startMs, testKey } from '../../test/faults/recorder-fixture.ts';
import { MemoryRecordLog } from '../recorder/record-log-memory.ts';
import { openRecorder } from '../recorder/recorder.ts';
import type { FlightRecorder } from '../recorder/recorder.ts';
import type { EntryDraft } from '../recorder/entry.ts';
import { verifyLog } from '../verifier/verify.ts';
import { EntryNumbers } from './entry-numbers.ts';

const run = 'R'.repeat(26);
const writerOf = ({ detail }: EntryDraft) => String(detail['writer']).slice(run.length);

describe('entry numbers', () => {
  it('count up, and say what is settled and what was given up', () => {
    const numbers = new EntryNumbers(run);
    const [zero, one, two] = [draft(0), draft(1), draft(2)].map((entry) => numbers.numbered(entry));
    if (zero === undefined || one === undefined || two === undefined) throw new Error('none');
    expect([zero, one, two].map(writerOf)).toEqual(['/0/0', '/1/0', '/2/0']);
    expect(numbers.numbered(zero)).toBe(zero);
    numbers.settle([zero]);
    numbers.giveUp([one]);
    const three = numbers.numbered(draft(3));
    expect(writerOf(three)).toBe('/3/1/1');
    // Not before the entry that says so is on record.
    expect(writerOf(numbers.numbered(draft(4)))).toBe('/4/1');
    numbers.settle([three, two]);
    expect(writerOf(numbers.numbered(draft(5)))).toBe('/5/4');
  });

  it('name again what was named by an entry that was given up itself', () => {
    const numbers = new EntryNumbers(run);
    const zero = numbers.numbered(draft(0));
    numbers.giveUp([zero]);
    const one = numbers.numbered(draft(1));
    expect(writerOf(one)).toBe('/1/0/0');
    numbers.giveUp([one]);
    expect(writerOf(numbers.numbered(draft(2)))).toBe('/2/0/0-1');
  });

  it('settle deliveries by the count of their line, and give up those of a line that was lost', () => {
    const numbers = new EntryNumbers(run);
    const frames = [0, 1, 2].map((at) => [numbers.numbered(draft(at))]);
    for (const frame of frames) numbers.handed(frame);
    numbers.heard(2);
    expect(writerOf(numbers.numbered(draft(3)))).toBe('/3/2');
    numbers.lineLost();
    const four = numbers.numbered(draft(4));
    expect(writerOf(four)).toBe('/4/2/2');
    numbers.handed([four]);
    numbers.heard(1);
    expect(writerOf(numbers.numbered(draft(5)))).toBe('/5/3');
  });

  it('begin another series rather than grow without a bound', () => {
    const numbers = new EntryNumbers(run);
    let last = draft(0);
    for (let at = 0; at < 200_001; at += 1) last = numbers.numbered(draft(0));
    expect(writerOf(last)).toBe('.1/0/0');
  });
});

/** A sidecar and its node as far as entries go, with everything that can happen to them. */
class Pair {
  readonly log: MemoryRecordLog;
  readonly #recorder: FlightRecorder;
  #runs = 0;
  #id = 0;
  #numbers = new EntryNumbers(this.#nextRun());
  #spool: EntryDraft[] = [];
  #frames: (readonly EntryDraft[])[] = [];

  constructor(recorder: FlightRecorder, log: MemoryRecordLog) {
    this.#recorder = recorder;
    this.log = log;
  }

  static async open(key: ReturnType<typeof testKey>): Promise<Pair> {
    const log = new MemoryRecordLog('log-of-the-numbers');
    const recorder = await openRecorder({
      log, clock: { nowMs: () => startMs }, random: fakeRandom(), signer: key.signer, lastCheckpoint: null,
      timer: (_delayMs, fire) => {
        queueMicrotask(fire);
        return () => undefined;
      },
      writeCheckpoint: async () => undefined,
    });
    return new Pair(recorder, log);
  }

  /** The step of a publication: it is recorded, refused, or nobody knows. */
  async publish(end: 'accepted' | 'refused' | 'crashed'): Promise<void> {
    const entry = this.#write();
    if (end === 'accepted') {
      await this.#record([entry]);
      this.#numbers.settle([entry]);
    } else if (end === 'refused') this.#numbers.giveUp([entry]);
    else this.crash();
  }

  async spool(): Promise<void> {
    this.#spool.push(this.#write());
  }

  /** The answer may be lost: then the same entries come again. */
  async drain(answered: boolean): Promise<void> {
    const waiting = this.#spool.slice(0, 3);
    await this.#record(waiting);
    if (!answered) return;
    this.#spool = this.#spool.slice(waiting.length);
    this.#numbers.settle(waiting);
  }

  async deliver(reaches: boolean): Promise<void> {
    const entries = [this.#write()];
    this.#frames.push(entries);
    this.#numbers.handed(entries);
    if (reaches) await this.#record(entries);
  }

  /** A step that is told again after a crash gets another number, and is on record once. */
  async again(): Promise<void> {
    const entry = this.#write();
    await this.#record([entry]);
    this.#numbers.settle([entry]);
    const { writer: _, ...detail } = entry.detail;
    const repeated = this.#numbers.numbered({ ...entry, detail });
    await this.#record([repeated]);
    this.#numbers.settle([repeated]);
  }

  lease(): void {
    const heard = this.#frames.findIndex(([entry]) => entry === undefined || !this.#isRecorded(entry));
    this.#numbers.heard(heard < 0 ? this.#frames.length : heard);
  }

  lineLost(): void {
    this.#numbers.lineLost();
    this.#frames = [];
  }

  crash(): void {
    this.#numbers = new EntryNumbers(this.#nextRun());
    this.#frames = [];
  }

  /** The node says that it is on record, and it is not. */
  lie(): void {
    this.#numbers.settle([this.#write()]);
  }

  async end(): Promise<void> {
    while (this.#spool.length > 0) await this.drain(true);
    this.lineLost();
    for (let round = 0; round < 3; round += 1) await this.publish('accepted');
    await this.#recorder.close();
  }

  #isRecorded(entry: EntryDraft): boolean {
    return this.log.lines.some((line) => Buffer.from(line).includes(`"${entry.id}"`));
  }

  async #record(entries: readonly EntryDraft[]): Promise<void> {
    if (entries.length > 0) await this.#recorder.record(entries);
  }

  #write(): EntryDraft {
    this.#id += 1;
    return this.#numbers.numbered(draft(this.#id, { actor: 'sidecar:triage', message: null }));
  }

  #nextRun(): string {
    this.#runs += 1;
    return String(this.#runs).padStart(26, '0');
  }
}

const steps: readonly ((pair: Pair) => Promise<void> | void)[] = [
  (pair) => pair.publish('accepted'),
  (pair) => pair.publish('refused'),
  (pair) => pair.publish('crashed'),
  (pair) => pair.spool(),
  (pair) => pair.drain(true),
  (pair) => pair.drain(false),
  (pair) => pair.deliver(true),
  (pair) => pair.deliver(false),
  (pair) => pair.again(),
  (pair) => pair.lease(),
  (pair) => pair.lineLost(),
  (pair) => pair.crash(),
];

describe('whatever happens to a sidecar and its node', () => {
  async function codesAfter(acts: readonly number[], lies: boolean): Promise<readonly string[]> {
    const key = testKey();
    const pair = await Pair.open(key);
    for (const act of acts) await steps[act]?.(pair);
    if (lies) pair.lie();
    await pair.end();
    const source = memorySource(pair.log);
    const report = await verifyLog({ source, log: key.verifierKey(pair.log.name) });
    const codes = report.findings.map(({ code }) => code);
    expect(codes.filter((code) => code !== 'VERIFY_WRITER_LOST' && code !== 'VERIFY_WRITER_GAP')).toEqual([]);
    return codes;
  }

  const acts = fc.array(fc.nat(steps.length - 1), { maxLength: 60 });

  it('no entry is missed that a node did not say was there', async () => {
    await fc.assert(
      fc.asyncProperty(acts, async (one) => {
        expect(await codesAfter(one, false)).not.toContain('VERIFY_WRITER_GAP');
      }),
      { numRuns: 150, seed: 3 },
    );
  });

  it('one that it said was there, and is not, is missed', async () => {
    await fc.assert(
      fc.asyncProperty(acts, async (one) => {
        expect(await codesAfter(one, true)).toContain('VERIFY_WRITER_GAP');
      }),
      { numRuns: 60, seed: 4 },
    );
  });
});
