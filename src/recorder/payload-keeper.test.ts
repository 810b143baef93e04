// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, it } from 'vitest';
import { draft, fakeClock, fakeRandom, ulid } from '../../test/faults/recorder-fixture.ts';
import type { EnvelopeBody } from '../message/envelope.ts';
import type { EntryDraft, Recorder } from './entry.ts';
import type { EpochRecord } from './payload-epoch.ts';
import { PayloadKeeper, payloadPieces } from './payload-keeper.ts';
import type { PayloadKeyStore } from './payload-key-store.ts';
import { openPayload, sealPayload, unwrapKey, wrapKey } from './payload-seal.ts';

const log = 'log-of-the-keeper-test';
const settings = { custodians: [], threshold: 2, epochMs: 60_000 };
const task = ulid(1);

/** Keeps what a store keeps, and fails where the test says so. */
class FakeStore implements PayloadKeyStore {
  readonly epochs = new Map<number, EpochRecord>();
  readonly wrapped: { readonly epoch: number; readonly task: string; readonly wrapped: string }[] = [];
  failing = false;

  lastEpoch(): number {
    return this.epochs.size;
  }
  async addEpoch(record: EpochRecord): Promise<void> {
    if (this.failing) throw new Error('disk');
    this.epochs.set(record.epoch, record);
  }
  epoch(number: number): EpochRecord | null {
    return this.epochs.get(number) ?? null;
  }
  async addKey(epoch: number, of: string, wrapped: string): Promise<void> {
    if (this.failing) throw new Error('disk');
    this.wrapped.push({ epoch, task: of, wrapped });
  }
  keys(): ReadonlyMap<string, readonly string[]> {
    return new Map();
  }
  async erase(): Promise<number> {
    return 0;
  }
  async eraseBefore(): Promise<number> {
    return 0;
  }
}

function message(number: number, payload: EnvelopeBody['payload'], of = task): EnvelopeBody {
  const body: Partial<EnvelopeBody> = {
    id: ulid(100 + number), task: of, from: 'triage', to: 'payments', schema: 'note/1', payload,
  };
  return body as EnvelopeBody;
}

describe('a keeper of payloads', () => {
  let store = new FakeStore();
  let clock = fakeClock();
  let recorded: EntryDraft[] = [];
  let epochKeys: Uint8Array[] = [];
  let keeper: PayloadKeeper;

  beforeEach(() => {
    store = new FakeStore();
    clock = fakeClock();
    recorded = [];
    epochKeys = [];
    const recorder: Recorder = {
      record: async (entries) => {
        recorded.push(...entries);
        return entries.map((_, sequence) => ({ sequence }));
      },
    };
    keeper = new PayloadKeeper({
      log, store, recorder, clock, random: fakeRandom(),
      split: async (key) => {
        // The very bytes, to see what becomes of them.
        epochKeys.push(key);
        return [];
      },
    });
  });

  const codeOf = (run: () => unknown): unknown => {
    try {
      run();
      return null;
    } catch (failure) {
      return Reflect.get(Object(failure), 'code');
    }
  };

  it('keeps nothing before an epoch is on record, nor when none could be', async () => {
    expect(codeOf(() => keeper.keep(message(1, 'x')))).toBe('RECORDER_PAYLOAD_UNAVAILABLE');
    store.failing = true;
    await expect(keeper.tick(settings)).rejects.toThrow('disk');
    expect(codeOf(() => keeper.keep(message(1, 'x')))).toBe('RECORDER_PAYLOAD_UNAVAILABLE');
  });

  it('says that a payload is not kept when its key is not', async () => {
    await keeper.tick(settings);
    store.failing = true;
    await expect(keeper.keep(message(1, 'x')).durable).rejects.toThrow('disk');
    store.failing = false;
    await keeper.keep(message(2, 'x')).durable;
    expect(store.wrapped).toHaveLength(1);
  });

  it('keeps parts of what an agent read, under an id that no message has', async () => {
    await keeper.tick(settings);
    const read = { call: ulid(101), task, agent: 'reader', tool: 'notes', operation: 'read' };
    const { parts, pieces } = payloadPieces({ text: 'x'.repeat(70_000) });
    const { entries } = keeper.keepRead(read, { first: 1, parts, pieces: pieces.slice(1) });
    expect(entries.map(({ id }) => id)).toEqual([1, 2].map((part) => `reader.${ulid(101)}.payload.${part}`));
    expect(entries[0]?.detail).toMatchObject({ agent: 'reader', tool: 'notes', part: 1, parts: 3 });
    expect(keeper.keep(message(1, 'x')).entries[0]?.id).toBe(`${ulid(101)}.payload.0`);
  });

  it('drops every key when its epoch ends, with or without another message', async () => {
    await keeper.tick(settings);
    keeper.keep(message(1, 'x'));
    const [first = new Uint8Array()] = epochKeys;
    expect(first.some((byte) => byte !== 0)).toBe(true);
    clock.advance(60_000);
    expect(codeOf(() => keeper.keep(message(2, 'x')))).toBe('RECORDER_PAYLOAD_UNAVAILABLE');
    expect([...first]).toEqual(Array.from({ length: 32 }, () => 0));
    await keeper.tick(settings);
    expect(keeper.keep(message(3, 'x')).entries[0]?.detail['epoch']).toBe(2);
    keeper.close();
    expect(epochKeys.every((key) => key.every((byte) => byte === 0))).toBe(true);
  });

  it('has the next epoch ready before the last one ends, and not used early', async () => {
    await keeper.tick(settings);
    clock.advance(55_000);
    await keeper.tick(settings);
    expect(recorded.map(({ kind }) => kind)).toEqual(['payload.epoch', 'payload.epoch']);
    expect(keeper.keep(message(1, 'x')).entries[0]?.detail['epoch']).toBe(1);
    clock.advance(5_000);
    expect(keeper.keep(message(2, 'x')).entries[0]?.detail['epoch']).toBe(2);
    expect(store.wrapped.map(({ epoch }) => epoch)).toEqual([1, 2]);
  });

  it('seals in parts that fit an entry, under one key per task, and tells nothing of them', async () => {
    await keeper.tick(settings);
    const secret = 'DE89370400440532013000'.repeat(5000);
    const { entries } = keeper.keep(message(1, { text: secret }));
    expect(entries).toHaveLength(4);
    expect(entries.every((entry) => JSON.stringify(entry).length < 65_535)).toBe(true);
    expect(JSON.stringify(entries)).not.toContain('DE8937');
    expect(new Set(entries.map(({ id }) => id)).size).toBe(4);
    keeper.keep(message(2, 'y'));
    keeper.keep(message(3, 'z', ulid(2)));
    expect(store.wrapped.map((one) => one.task)).toEqual([task, ulid(2)]);
  });

  it('gives the same ids for the same message, so that it is on record once', async () => {
    await keeper.tick(settings);
    const ids = () => keeper.keep(message(1, 'x')).entries.map(({ id }) => id);
    expect(ids()).toEqual(ids());
    expect(draft(1).id).not.toBe(ids()[0]);
  });
});

describe('a sealed payload', () => {
  const random = fakeRandom();
  const key = random.bytes(32);
  const place = { log, epoch: 1, task, message: ulid(3), part: 0, parts: 1 };
  const sealed = sealPayload(Buffer.from('payload'), place, key, random);

  it.each([
    ['another log', { ...place, log: 'x' }],
    ['another epoch', { ...place, epoch: 2 }],
    ['another task', { ...place, task: ulid(9) }],
    ['another message', { ...place, message: ulid(9) }],
    ['another part', { ...place, part: 1 }],
    ['another number of parts', { ...place, parts: 2 }],
  ])('does not open in %s', (_what, other) => {
    expect(openPayload(sealed, other, key)).toBeNull();
  });

  it('opens in its place, and not with any bit of it changed', () => {
    expect(String(openPayload(sealed, place, key))).toBe('payload');
    const bytes = Buffer.from(sealed, 'base64url');
    for (let at = 0; at < bytes.length; at += 1) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(openPayload(changed.toString('base64url'), place, key)).toBeNull();
    }
    for (const short of ['', 'x', sealed.slice(0, 20)]) expect(openPayload(short, place, key)).toBeNull();
  });

  it('has a key that unwraps for its task and epoch alone', () => {
    const epochKey = random.bytes(32);
    const wrapped = wrapKey(key, { log, epoch: 1, task }, epochKey, random);
    expect(unwrapKey(wrapped, { log, epoch: 1, task }, epochKey)).toEqual(Buffer.from(key));
    expect(unwrapKey(wrapped, { log, epoch: 1, task: ulid(9) }, epochKey)).toBeNull();
    expect(unwrapKey(wrapped, { log, epoch: 2, task }, epochKey)).toBeNull();
    expect(unwrapKey(wrapped, { log, epoch: 1, task }, random.bytes(32))).toBeNull();
  });
});
