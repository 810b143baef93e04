// SPDX-License-Identifier: Apache-2.0
import type { Clock } from '../message/clock.ts';
import { openCheckpoint } from '../verifier/checkpoint.ts';
import type { VerifierKey } from '../verifier/checkpoint.ts';
import type { SignedCheckpoint } from './checkpoint.ts';
import type { RecordLog } from './record-log.ts';
import { consistencyProof } from './tree-proof.ts';
import type { Witness } from './witness.ts';

export type WitnessCode = 'RECORDER_WITNESS_AWAY' | 'RECORDER_WITNESS_REFUSED';

export type WitnessStatus = {
  readonly name: string;
  /** Newest size it cosigned, and when by its own clock in milliseconds since 1970; 0 for never. */
  readonly size: number;
  readonly at: number;
  /** Why it did not cosign when it was asked last. */
  readonly code: WitnessCode | null;
};

export type CosignerOptions = {
  readonly log: RecordLog;
  readonly clock: Clock;
  /** The recorder's own verifier key, and those of its witnesses. */
  readonly logKey: VerifierKey;
  readonly witnesses: readonly { readonly witness: Witness; readonly key: VerifierKey }[];
  /** How long nothing may be cosigned before it is an alarm. */
  readonly ageMaxMs: number;
  /** Keeps the newest cosigned checkpoint, durable, outside the log. Rejecting costs its age. */
  readonly keep: (cosigned: SignedCheckpoint) => Promise<void>;
  /** Told when a witness begins or ceases to cosign. */
  readonly changed: (status: WitnessStatus) => void;
};

type Asked = {
  readonly witness: Witness;
  readonly key: VerifierKey;
  status: WitnessStatus;
  asking: Promise<void> | null;
};

type Offer = { readonly signed: SignedCheckpoint; readonly size: number };

/**
 * Asks every witness to cosign the newest checkpoint, each at its own pace and never in the way of
 * an entry, and publishes what they answer, once it is verified.
 */
export class Cosigner {
  readonly #options: CosignerOptions;
  readonly #asked: readonly Asked[];
  readonly #startedAt: number;
  #writing: Promise<void> = Promise.resolve();
  #newest: Offer | null = null;
  /** The newest checkpoint that any witness has cosigned, with all lines so far. */
  #best: Offer | null = null;

  constructor(options: CosignerOptions) {
    this.#options = options;
    this.#startedAt = options.clock.nowMs();
    this.#asked = options.witnesses.map(({ witness, key }) => ({
      witness,
      key,
      status: { name: witness.name, size: 0, at: 0, code: null },
      asking: null,
    }));
  }

  /** A checkpoint was written. Returns at once. */
  offer(signed: SignedCheckpoint, size: number): void {
    if (size === 0) return;
    this.#newest = { signed, size };
    for (const asked of this.#asked) {
      asked.asking ??= this.#ask(asked).finally(() => {
        asked.asking = null;
      });
    }
  }

  /** Resolves when nobody is being asked. */
  async idle(): Promise<void> {
    await Promise.all(this.#asked.map(({ asking }) => asking));
  }

  statuses(): readonly WitnessStatus[] {
    return this.#asked.map(({ status }) => status);
  }

  /** Entries that the newest cosigned checkpoint covers. */
  get cosignedSize(): number {
    return Math.max(0, ...this.#asked.map(({ status }) => status.size));
  }

  /** When any witness cosigned last, by its clock; 0 for never. */
  get cosignedAt(): number {
    return Math.max(0, ...this.#asked.map(({ status }) => status.at));
  }

  /**
   * How long no witness has cosigned while there was something to cosign; 0 when the newest
   * checkpoint is cosigned or there is nobody to ask.
   */
  ageMs(): number {
    const size = this.#newest?.size ?? 0;
    if (this.#asked.length === 0 || this.cosignedSize >= size) return 0;
    return Math.max(0, this.#options.clock.nowMs() - Math.max(this.cosignedAt, this.#startedAt));
  }

  /** What somebody has to look at: cosignatures are too old, or a witness saw another history. */
  alarms(): readonly ('RECORDER_WITNESS_LATE' | 'RECORDER_WITNESS_REFUSED')[] {
    const late = this.ageMs() > this.#options.ageMaxMs;
    const refused = this.statuses().some(({ code }) => code === 'RECORDER_WITNESS_REFUSED');
    return [
      ...(late ? ['RECORDER_WITNESS_LATE' as const] : []),
      ...(refused ? ['RECORDER_WITNESS_REFUSED' as const] : []),
    ];
  }

  async #ask(asked: Asked): Promise<void> {
    const before = asked.status.code;
    let offer = this.#newest;
    while (offer !== null && offer.size > asked.status.size) {
      const code = await this.#askOnce(asked, offer).catch(() => 'RECORDER_WITNESS_AWAY' as const);
      asked.status = { ...asked.status, code };
      // What came meanwhile is asked for at once; the same again only with the next checkpoint.
      if (code !== null && this.#newest === offer) break;
      offer = this.#newest;
    }
    if (asked.status.code !== before) this.#options.changed(asked.status);
  }

  async #askOnce(asked: Asked, { signed, size }: Offer): Promise<WitnessCode | null> {
    let oldSize = asked.status.size;
    // The second time from where the witness says it stands: it may know the log of old.
    for (let round = 0; round < 2; round += 1) {
      const proof = await this.#proof(oldSize, size);
      const answer = await asked.witness.add({ oldSize, proof, checkpoint: signed });
      if (answer.outcome === 'cosigned') return this.#take(asked, { signed, size }, answer.lines);
      if (answer.outcome === 'refused') return refusalOf(answer.status);
      // It has seen entries that are not here, or other ones at the same size.
      if (answer.size > size || answer.size === oldSize) return 'RECORDER_WITNESS_REFUSED';
      oldSize = answer.size;
    }
    return 'RECORDER_WITNESS_REFUSED';
  }

  #proof(oldSize: number, size: number): Promise<readonly Uint8Array[]> {
    const { log } = this.#options;
    return consistencyProof(oldSize, size, (...place) => log.readTile(...place));
  }

  async #take(asked: Asked, offer: Offer, lines: string): Promise<WitnessCode | null> {
    const { logKey } = this.#options;
    const opened = await openCheckpoint(offer.signed + lines, logKey, [asked.key]);
    const [cosignature] = opened.state === 'good' ? opened.checkpoint.cosignatures : [];
    if (cosignature === undefined) return 'RECORDER_WITNESS_REFUSED';
    asked.status = { ...asked.status, size: offer.size, at: cosignature.atSeconds * 1000 };
    const best = this.#best;
    if (best !== null && best.size > offer.size) return null;
    const signed = (best?.size === offer.size ? best.signed : offer.signed) + lines;
    this.#best = { signed, size: offer.size };
    this.#writing = this.#writing.then(() => this.#write({ signed, size: offer.size }));
    await this.#writing;
    return null;
  }

  /** One after the other, each in a file that is replaced whole. */
  async #write({ signed, size }: Offer): Promise<void> {
    const { keep, log } = this.#options;
    try {
      await keep(signed);
      if (this.#newest?.size === size) await log.publish(signed);
    } catch {
      // The witness has cosigned and keeps it itself; here the next one is written instead.
    }
  }
}

/** A witness that does not know the log, or is broken, is away; what it disproves is worse. */
function refusalOf(status: number): WitnessCode {
  return status === 409 || status === 422 ? 'RECORDER_WITNESS_REFUSED' : 'RECORDER_WITNESS_AWAY';
}
