// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import type { Kms } from '../identity/credential.ts';
import { leaseMsDefault } from '../identity/lease.ts';
import { canonicalize } from '../message/canonical-json.ts';
import type { Clock, Random } from '../message/clock.ts';
import type { DataKeyStore } from '../protection/data-key-store.ts';
import { dataKeyBytes } from '../protection/sealed-bytes.ts';
import { keyContext, keyIdBytes } from '../protection/sealed-payload.ts';
import { KnowledgeError } from './knowledge-error.ts';

export type ShelfKey = { readonly id: string; readonly bytes: Uint8Array };

type Known = ShelfKey & { readonly binding: string; readonly untilMs: number };

/** A key seals what is written within this time; then another one does. */
const sealsForMs = 3_600_000;
const knownMax = 10_000;
/** For what never ends by itself: sources end when their operator says so. */
export const neverMs = 8_640_000_000_000_000;

/**
 * Data keys of kept items, each bound to shelf, domain, classification, roles and mandate, and one key
 * per shelf that makes its index blind. On disk they are wrapped by the `Kms`; in memory an unwrapped
 * key stays for one lease. Whoever may read is decided before a key is asked for. A key is dropped
 * with the last entry that it can open, and then nothing opens a copy of that entry.
 */
export class ShelfKeys {
  readonly #kms: Kms;
  readonly #store: DataKeyStore;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #sealing = new Map<string, Known>();
  readonly #known = new Map<string, Known>();

  constructor(parts: {
    readonly kms: Kms;
    readonly store: DataKeyStore;
    readonly clock: Clock;
    readonly random: Random;
  }) {
    this.#kms = parts.kms;
    this.#store = parts.store;
    this.#clock = parts.clock;
    this.#random = parts.random;
  }

  /** The key for what is kept now under this binding and ends `keptMs` from now. Rejects with `KnowledgeError`. */
  async sealing(binding: string, keptMs: number): Promise<ShelfKey> {
    const name = `${keptMs} ${binding}`;
    const nowMs = this.#clock.nowMs();
    const known = this.#sealing.get(name);
    if (known !== undefined && nowMs < known.untilMs) return known;
    const id = Buffer.from(this.#random.bytes(keyIdBytes)).toString('base64url');
    const expiresAt = Math.min(nowMs + sealsForMs + keptMs, neverMs);
    const bytes = await this.#make(id, binding, expiresAt);
    const made = { id, binding, bytes, untilMs: nowMs + sealsForMs };
    keep(this.#sealing, name, made);
    return made;
  }

  /** The key of this id, if it is bound to exactly this; null where it is gone. Rejects where the `Kms` fails. */
  async opening(id: string, binding: string): Promise<Uint8Array | null> {
    const known = this.#known.get(id);
    if (known !== undefined && this.#clock.nowMs() < known.untilMs) {
      return known.binding === binding ? known.bytes : null;
    }
    const record = this.#store.get(id);
    if (record === null || record.binding !== binding) return null;
    const bytes = await this.#unwrap(id, binding, record.wrapped);
    keep(this.#known, id, { id, binding, bytes, untilMs: this.#clock.nowMs() + leaseMsDefault });
    return bytes;
  }

  /** The key that makes the index of a shelf blind; it lasts as long as the shelf. */
  async index(shelf: string): Promise<Uint8Array> {
    const id = createHash('sha256').update(`index/1 ${shelf}`).digest('base64url');
    const binding = canonicalize({ index: shelf });
    return (await this.opening(id, binding)) ?? this.#makeOnce(id, binding);
  }

  /** Drops keys that open nothing any more. */
  prune(nowMs: number): Promise<void> {
    return this.#store.prune(nowMs);
  }

  /** Two that ask at once must not have two: the store keeps the first. */
  async #makeOnce(id: string, binding: string): Promise<Uint8Array> {
    await this.#make(id, binding, neverMs);
    const kept = await this.opening(id, binding);
    if (kept === null) throw new KnowledgeError('KNOWLEDGE_UNAVAILABLE', 'A key was not kept.');
    return kept;
  }

  async #make(id: string, binding: string, expiresAt: number): Promise<Uint8Array> {
    const bytes = this.#random.bytes(dataKeyBytes);
    try {
      const wrapped = await this.#kms.wrap(bytes, keyContext(id, binding));
      await this.#store.add({ id, binding, wrapped, expiresAt });
      return bytes;
    } catch (cause) {
      throw new KnowledgeError('KNOWLEDGE_UNAVAILABLE', 'A data key could not be made.', { cause });
    }
  }

  async #unwrap(id: string, binding: string, wrapped: Uint8Array): Promise<Uint8Array> {
    try {
      return await this.#kms.unwrap(wrapped, keyContext(id, binding));
    } catch (cause) {
      throw new KnowledgeError('KNOWLEDGE_UNAVAILABLE', 'A data key could not be unwrapped.', { cause });
    }
  }
}

function keep(map: Map<string, Known>, name: string, known: Known): void {
  map.delete(name);
  map.set(name, known);
  const [oldest] = map.size > knownMax ? map.keys() : [];
  if (oldest !== undefined) map.delete(oldest);
}
