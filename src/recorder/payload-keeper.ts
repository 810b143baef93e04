// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import { canonicalize } from '../message/canonical-json.ts';
import type { Clock, Random } from '../message/clock.ts';
import type { EnvelopeBody } from '../message/envelope.ts';
import type { JsonObject, JsonValue } from '../message/json.ts';
import { blankEntry } from './blank-entry.ts';
import { RecorderError } from './entry.ts';
import type { EntryDraft, Recorder } from './entry.ts';
import { epochDigest } from './payload-epoch.ts';
import type { Custodian, EpochRecord, EpochShare } from './payload-epoch.ts';
import type { PayloadKeyStore } from './payload-key-store.ts';
import { keyCommitment, payloadKeyBytes, sealPayload, wrapKey } from './payload-seal.ts';

/** Whose payloads are kept, for whom, and for how long one key serves. */
export type KeeperSettings = {
  readonly custodians: readonly Custodian[];
  /** How many custodians make an epoch's key again. */
  readonly threshold: number;
  readonly epochMs: number;
};

/** Splits an epoch's key and seals each share to its custodian. */
export type SplitKey = (
  key: Uint8Array,
  settings: KeeperSettings,
  epoch: { readonly log: string; readonly number: number },
) => Promise<readonly EpochShare[]>;

export type KeeperOptions = {
  readonly log: string;
  readonly store: PayloadKeyStore;
  readonly recorder: Recorder;
  readonly split: SplitKey;
  readonly clock: Clock;
  readonly random: Random;
};

/** Entries that hold a payload, and when the key to them is durable. */
export type KeptPayload = {
  readonly entries: readonly EntryDraft[];
  readonly durable: Promise<unknown>;
};

type Epoch = { readonly record: EpochRecord; readonly key: Uint8Array };

/** An agent's own read: no message carries it. */
export type ReadOfAgent = {
  /** Id of the call. */
  readonly call: string;
  readonly task: string;
  readonly agent: string;
  readonly tool: string;
  readonly operation: string;
};

/** Some of the parts of a payload, in order. */
export type PayloadPieces = {
  readonly first: number;
  readonly parts: number;
  readonly pieces: readonly Uint8Array[];
};

/** An entry has room for this much, sealed and spelled out. */
export const payloadPartBytes = 32 * 1024;
/** Keys of tasks in memory; of what was forgotten a second key of the same task is made. */
const tasksMax = 50_000;
/** The next epoch is prepared in the last part of the present one. */
const prepareShare = 0.1;

/**
 * Keeps payloads for people who may have to know later what was said: sealed in the log under a key of
 * their task and epoch. That key lies, wrapped under the key of the epoch, in a store outside the log
 * that can be erased. The key of the epoch is in this process's memory while the epoch lasts, and
 * elsewhere only as shares sealed to custodians. A process that is taken over gives away the epoch
 * that it is in, and none before. (Controls OB-1.x; GDPR Art. 17.)
 */
export class PayloadKeeper {
  readonly #options: KeeperOptions;
  readonly #taskKeys = new Map<string, { readonly key: Uint8Array; readonly durable: Promise<unknown> }>();
  #epoch: Epoch | null = null;
  #next: Epoch | null = null;
  #preparing: Promise<void> | null = null;

  constructor(options: KeeperOptions) {
    this.#options = options;
  }

  /**
   * Drops keys whose epoch has ended, and prepares the next epoch in good time. Called when the node
   * starts and then every second or so. Rejects when the store or the recorder fails.
   */
  async tick(settings: KeeperSettings): Promise<void> {
    const nowMs = this.#options.clock.nowMs();
    this.#change(nowMs);
    const { endsAt = 0, startedAt = 0 } = this.#epoch?.record ?? {};
    if (this.#next !== null || nowMs < endsAt - (endsAt - startedAt) * prepareShare) return;
    this.#preparing ??= this.#prepare(settings, Math.max(nowMs, endsAt)).finally(() => {
      this.#preparing = null;
    });
    await this.#preparing;
    this.#change(nowMs);
  }

  /**
   * The payload of an admitted message as entries of the log. The same message again gives the same
   * ids. Throws `RecorderError` RECORDER_PAYLOAD_UNAVAILABLE when no epoch is open.
   */
  keep({ id, task, from, to, schema, payload }: EnvelopeBody): KeptPayload {
    const detail = { from, to, schema };
    return this.#keep({ id, message: id, task, detail }, payloadPieces(payload));
  }

  /** The same for parts of what an agent read; ids follow from the call and the place of the part. */
  keepRead({ call, task, agent, tool, operation }: ReadOfAgent, pieces: PayloadPieces): KeptPayload {
    // The call is the sidecar's to name: it must not take the id of somebody's message.
    const id = `${agent}.${call}`;
    return this.#keep({ id, message: call, task, detail: { agent, operation, tool } }, pieces);
  }

  #keep(subject: Subject, { first, parts, pieces }: PayloadPieces): KeptPayload {
    const { clock, random, log } = this.#options;
    this.#change(clock.nowMs());
    const epoch = this.#epoch;
    if (epoch === null) {
      throw new RecorderError('RECORDER_PAYLOAD_UNAVAILABLE', 'No epoch of payload keys is open.');
    }
    const { message, task } = subject;
    const { key, durable } = this.#keyOf(task, epoch);
    const number = epoch.record.epoch;
    const shared = { log, epoch: number, task, message, parts };
    const entries = pieces.map((piece, at) => {
      const part = first + at;
      const sealed = sealPayload(piece, { ...shared, part }, key, random);
      return keptEntry(subject, { epoch: number, part, parts, bytes: piece.length, sealed }, clock);
    });
    return { entries, durable };
  }

  /** Destroys the keys of one task, in the store and here; says how many epochs had one. */
  async erase(task: string): Promise<number> {
    this.#taskKeys.get(task)?.key.fill(0);
    this.#taskKeys.delete(task);
    return this.#options.store.erase(task);
  }

  /** Drops everything; what was kept is for the custodians from now on. */
  close(): void {
    this.#drop(this.#epoch);
    this.#drop(this.#next);
    this.#epoch = null;
    this.#next = null;
  }

  #change(nowMs: number): void {
    if (this.#epoch !== null && !(nowMs < this.#epoch.record.endsAt)) {
      this.#drop(this.#epoch);
      this.#epoch = null;
    }
    const next = this.#next;
    if (this.#epoch !== null || next === null) return;
    this.#next = null;
    if (nowMs < next.record.endsAt) this.#epoch = next;
    else this.#drop(next);
  }

  #drop(epoch: Epoch | null): void {
    epoch?.key.fill(0);
    if (epoch === this.#epoch) {
      for (const { key } of this.#taskKeys.values()) key.fill(0);
      this.#taskKeys.clear();
    }
  }

  #keyOf(task: string, { record, key: epochKey }: Epoch) {
    const known = this.#taskKeys.get(task);
    if (known !== undefined) return known;
    const { store, random, log } = this.#options;
    const key = random.bytes(payloadKeyBytes);
    const wrapped = wrapKey(key, { log, epoch: record.epoch, task }, epochKey, random);
    const made = { key, durable: store.addKey(record.epoch, task, wrapped) };
    // A key that nobody could keep must not be used for what comes.
    made.durable.catch(() => this.#taskKeys.delete(task));
    if (this.#taskKeys.size >= tasksMax) {
      const [oldest] = this.#taskKeys.keys();
      if (oldest !== undefined) this.#taskKeys.delete(oldest);
    }
    this.#taskKeys.set(task, made);
    return made;
  }

  /** On record and durable before anything is sealed under it. */
  async #prepare(settings: KeeperSettings, startedAt: number): Promise<void> {
    const { store, recorder, random, log, clock } = this.#options;
    const number = store.lastEpoch() + 1;
    const key = random.bytes(payloadKeyBytes);
    const shares = await this.#options.split(key, settings, { log, number });
    const endsAt = startedAt + settings.epochMs;
    const { threshold } = settings;
    const commitment = keyCommitment(key);
    const record = { log, epoch: number, threshold, startedAt, endsAt, commitment, shares };
    await store.addEpoch(record);
    await recorder.record([epochEntry(record, clock)], { privileged: true });
    this.#next = { record, key };
  }
}

/** Whose payload it is, and what its entry says of it besides. */
type Subject = {
  readonly id: string;
  readonly message: string;
  readonly task: string;
  readonly detail: JsonObject;
};

/** The canonical form of a payload, cut into what an entry has room for. */
export function payloadPieces(payload: JsonValue): PayloadPieces {
  const bytes = Buffer.from(canonicalize(payload));
  const parts = Math.max(1, Math.ceil(bytes.length / payloadPartBytes));
  const pieces = Array.from({ length: parts }, (_, part) =>
    bytes.subarray(part * payloadPartBytes, (part + 1) * payloadPartBytes));
  return { first: 0, parts, pieces };
}

function keptEntry(
  { id, message, task, detail }: Subject,
  sealed: {
    readonly epoch: number;
    readonly part: number;
    readonly parts: number;
    readonly bytes: number;
    readonly sealed: string;
  },
  clock: Clock,
): EntryDraft {
  return blankEntry({
    kind: 'payload.kept',
    id: `${id}.payload.${sealed.part}`,
    at: clock.nowMs(),
    actor: 'node',
    task,
    message,
    causedBy: [message],
    detail: { ...detail, ...sealed },
  });
}

function epochEntry(record: EpochRecord, clock: Clock): EntryDraft {
  const { epoch, threshold, startedAt, endsAt, shares } = record;
  const custodians = shares.map(({ name }) => name);
  return blankEntry({
    kind: 'payload.epoch',
    id: `payload.epoch.${epoch}.${startedAt}`,
    at: clock.nowMs(),
    actor: 'node',
    detail: { epoch, threshold, startedAt, endsAt, custodians, digest: epochDigest(record) },
  });
}
