// SPDX-License-Identifier: Apache-2.0
import { createHash, generateKeyPairSync } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { Clock, Random } from '../../src/message/clock.ts';
import type { EntryDraft } from '../../src/recorder/entry.ts';
import { logVerifierKey } from '../../src/recorder/checkpoint.ts';
import type { MemoryRecordLog } from '../../src/recorder/record-log-memory.ts';
import type { Timer } from '../../src/recorder/recorder-options.ts';
import { ed25519Signer } from '../../src/recorder/signed-note.ts';
import type { RecorderSigner } from '../../src/recorder/signed-note.ts';
import type { Verdict } from '../../src/review/verdict.ts';
import { parseVerifierKey } from '../../src/verifier/checkpoint.ts';
import type { VerifierKey } from '../../src/verifier/checkpoint.ts';
import type { LogSource } from '../../src/verifier/source.ts';

export const startMs = 1_700_000_000_000;

/** An entry id that is well-formed, ordered and the same in every run. */
export function ulid(number: number): string {
  return `01HF7YAT00${String(number).padStart(16, '0')}`;
}

export const go: Verdict = {
  outcome: 'GO',
  control: 'scanner',
  version: '1.0.0',
  tookUs: 120,
  findings: [],
};

export function draft(number: number, changes: Partial<EntryDraft> = {}): EntryDraft {
  return {
    kind: 'message.admitted',
    id: ulid(number),
    at: startMs + number,
    actor: 'agent:triage',
    task: ulid(1_000_000),
    message: ulid(2_000_000 + number),
    causedBy: [],
    outcome: 'GO',
    code: null,
    verdicts: [go],
    tookUs: 300,
    detail: { from: 'triage', to: 'payments' },
    ...changes,
  };
}

export type FakeClock = Clock & { set: (ms: number) => void; advance: (ms: number) => void };

export function fakeClock(): FakeClock {
  let nowMs = startMs;
  return {
    nowMs: () => nowMs,
    set: (ms) => {
      nowMs = ms;
    },
    advance: (ms) => {
      nowMs += ms;
    },
  };
}

/** Random bytes that are the same in every run and never twice the same in one. */
export function fakeRandom(): Random {
  let calls = 0;
  return {
    bytes: (count) => {
      calls += 1;
      return createHash('sha512').update(`random ${calls}`).digest().subarray(0, count);
    },
  };
}

export type FakeTimer = {
  readonly timer: Timer;
  readonly fire: () => void;
  readonly pending: () => number;
};

/** Runs nothing until `fire`, which runs what is due now, once. */
export function fakeTimer(): FakeTimer {
  const due = new Set<() => void>();
  return {
    timer: (_delayMs, run) => {
      due.add(run);
      return () => due.delete(run);
    },
    fire: () => {
      const runs = [...due];
      due.clear();
      for (const run of runs) run();
    },
    pending: () => due.size,
  };
}

export const systemTimer: Timer = (delayMs, run) => {
  const timeout = setTimeout(run, delayMs);
  timeout.unref();
  return () => clearTimeout(timeout);
};

export type TestKey = {
  readonly signer: RecorderSigner;
  /** What a verifier is given for a log of this name. */
  readonly verifierKey: (logName: string) => VerifierKey;
};

export function testKey(privateKey?: KeyObject): TestKey {
  const key = privateKey ?? generateKeyPairSync('ed25519').privateKey;
  const signer = ed25519Signer(key);
  return {
    signer,
    verifierKey: (logName) => {
      const parsed = parseVerifierKey(logVerifierKey(logName, signer.publicKey));
      if (parsed === null) throw new Error('The verifier does not read the recorder\'s key.');
      return parsed;
    },
  };
}

/** A log in memory as the verifier reads it. */
export function memorySource({ lines, tiles, checkpoint }: Stored): LogSource {
  return {
    checkpoint: async () => checkpoint,
    tile: async (level, index, width) => tiles.get(`${level}/${index}/${width}`) ?? null,
    entries: async function* () {
      yield lines;
    },
    widths: async (level, index) =>
      Array.from({ length: 255 }, (_, at) => at + 1).filter((width) =>
        tiles.has(`${level}/${index}/${width}`),
      ),
  };
}

type Stored = Pick<MemoryRecordLog, 'lines' | 'tiles' | 'checkpoint'>;

/** Waits until everything that is already possible has happened. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((done) => setImmediate(done));
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}
