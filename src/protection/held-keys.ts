// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import type { Credential } from '../identity/credential.ts';
import { leaseMsDefault, leaseMsMax, type Instant } from '../identity/lease.ts';
import type { Domain, Limits, ProtectionTier } from '../mesh/mesh.ts';
import type { Random } from '../message/clock.ts';
import type { EnvelopeBody } from '../message/envelope.ts';
import { mintNonce } from '../message/identifiers.ts';
import type { KeyAgreement, KeyHolder, SealedKey } from './key-agreement.ts';
import {
  providedTierRefusal, type NewKey, type Opened, type ProtectionRefusal, type Sealed, type SealingProtection,
} from './protection.ts';
import { releaseContext, signReleaseRequest, type Release } from './release.ts';
import {
  bindingOf, keyContext, keyIdBytes, openItem, readSealed, sealedJson, sealItem,
  type SealedMessage, type SealedPayload,
} from './sealed-payload.ts';
import { dataKeyBytes } from './sealed-bytes.ts';

/** What a sidecar asks its node about keys; null when the node cannot be asked now. */
export interface KeyPort {
  /** The key that the bus has data keys sealed to. */
  busKey(): Promise<string | null>;
  /** `signed` is a `ReleaseRequest`. */
  release(signed: string): Promise<Release | { readonly code: string } | null>;
  /** Calls back where the node says which key the next message for this agent is under. */
  onAhead(listener: (ahead: NewKey) => void): void;
}

export type HeldKeysOptions = {
  readonly agreement: KeyAgreement;
  readonly random: Random;
  readonly port: KeyPort;
  readonly credential: () => Credential;
  readonly now: () => Instant;
  /** Resolves after so many milliseconds. */
  readonly pause: (ms: number) => Promise<void>;
};

type Held = {
  readonly id: string;
  readonly binding: string;
  readonly bytes: Uint8Array;
  readonly until: Instant;
};
type Own = Held & { readonly bus: SealedPayload['bus'] };

const heldMax = 4_096;
const asksMax = 3;
/** Between two asks of what the node answers at a rate; each waits twice as long as the one before. */
const pauseMsFirst = 50;
const pauseMsMax = 2_000;
/** Asks under way at one time that no message waits for yet. */
const aheadMax = 256;

/**
 * Tier RETRIEVAL at a sidecar. What it sends is sealed under a data key of its own for these two
 * ends, this domain, classification and mandate, which lasts one lease and which it seals to the bus
 * alone. What it receives it opens with keys that the node releases to it, each for one lease. All
 * of them, and the key pair that releases are sealed to, live in memory only.
 */
export class HeldKeys implements SealingProtection {
  readonly #options: HeldKeysOptions;
  readonly #limits: () => Limits;
  readonly #own = new Map<string, Own>();
  readonly #released = new Map<string, Held>();
  readonly #asking = new Map<string, Promise<Held | { readonly code: string }>>();
  #holder: Promise<KeyHolder> | null = null;
  #busKey: Promise<string | null> | null = null;
  /** Answers to what was asked before it was forgotten are not kept. */
  #era = 0;

  constructor(options: HeldKeysOptions, limits: () => Limits) {
    this.#options = options;
    this.#limits = limits;
    options.port.onAhead((ahead) => this.#expect(ahead));
  }

  refusal(tier: ProtectionTier): ProtectionRefusal | null {
    return providedTierRefusal(tier);
  }

  /** A version of the policy, a revocation or the node changed: every key is to be asked for anew. */
  forget(): void {
    this.#era += 1;
    this.#own.clear();
    this.#released.clear();
    this.#asking.clear();
    this.#busKey = null;
  }

  seal(body: EnvelopeBody, domain: Domain): Sealed | Promise<Sealed> {
    const binding = bindingOf(body, domain.allowedRoles);
    const own = this.#own.get(binding);
    if (own !== undefined && this.#isHeld(own)) return this.#sealed(body, domain, own);
    return this.#makeOwn(binding).then((made) =>
      made === null ? refused('PROTECTION_UNAVAILABLE') : this.#sealed(body, domain, made));
  }

  open(body: EnvelopeBody, item: string | null): Opened | Promise<Opened> {
    const message = readSealed(body.payload, item);
    if (message === null) return refused('PROTECTION_SEAL_MISSING');
    const { sealed } = message;
    const binding = bindingOf(body, sealed.roles);
    const held = this.#released.get(sealed.key);
    if (held !== undefined && this.#isHeld(held)) return this.#opened(body, message, binding, held);
    return this.#askUntil(body.expiresAt, sealed.key, binding).then((key) =>
      this.#opened(body, message, binding, key));
  }

  #sealed(body: EnvelopeBody, { allowedRoles: roles }: Domain, own: Own): Sealed {
    const { nonce, ciphertext: item } = sealItem(body, own, this.#options.random);
    const payload = sealedJson({ key: own.id, roles, bus: own.bus, nonce });
    return { ok: true, body: { ...body, payload }, item };
  }

  #opened(
    body: EnvelopeBody,
    sealed: SealedMessage,
    binding: string,
    key: Held | { readonly code: string },
  ): Opened {
    if ('code' in key) return refused(key.code);
    if (key.binding !== binding) return refused('PROTECTION_KEY_FOREIGN');
    const { messageBytesMax: bytesMax, depthMax } = this.#limits();
    const payload = openItem(body, sealed, key, { bytesMax, depthMax });
    return payload === undefined
      ? refused('PROTECTION_SEAL_BROKEN')
      : { ok: true, body: { ...body, payload } };
  }

  async #makeOwn(binding: string): Promise<Own | null> {
    const { agreement, random, port, now } = this.#options;
    const era = this.#era;
    const asked = this.#busKey ?? port.busKey();
    this.#busKey = asked;
    const publicKey = await asked;
    if (publicKey === null) {
      if (this.#busKey === asked) this.#busKey = null;
      return null;
    }
    const known = this.#own.get(binding);
    if (known !== undefined && this.#isHeld(known)) return known;
    const id = Buffer.from(random.bytes(keyIdBytes)).toString('base64url');
    const bytes = random.bytes(dataKeyBytes);
    const from = now();
    const wrapped = await agreement.sealTo(publicKey, bytes, keyContext(id, binding));
    if (wrapped === null) return null;
    const until = after(from, leaseMsDefault);
    const own = { id, binding, bytes, until, bus: { ...wrapped, publicKey } };
    if (era === this.#era) keep(this.#own, binding, own);
    return own;
  }

  /**
   * Asked for as it is for its message, while that is made durable at the node. What the node says a key is
   * bound to is held against the message, and a release is sealed under it.
   */
  #expect({ key, binding }: NewKey): void {
    const held = this.#released.get(key);
    if (this.#asking.size >= aheadMax || (held !== undefined && this.#isHeld(held))) return;
    this.#ask(key, binding).catch(() => {
      // Nothing depends on it: the message asks again by itself.
      return undefined;
    });
  }

  /**
   * A node that has answered too many asks just now has decided nothing about this one: it is asked again until
   * the message is over, by the earlier of both clocks.
   */
  async #askUntil(
    expiresAtMs: number,
    key: string,
    binding: string,
  ): Promise<Held | { readonly code: string }> {
    const { now, pause } = this.#options;
    const end = after(now(), expiresAtMs - now().wallMs);
    for (let pauseMs = pauseMsFirst; ; pauseMs = Math.min(2 * pauseMs, pauseMsMax)) {
      // oxlint-disable-next-line no-await-in-loop -- one ask after another
      const answer = await this.#ask(key, binding);
      if (!('code' in answer) || answer.code !== 'BUS_RATE_LIMITED') return answer;
      const { wallMs, monotonicMs } = now();
      const leftMs = Math.min(end.wallMs - wallMs, end.monotonicMs - monotonicMs);
      if (!(leftMs > 0)) return { code: 'PROTECTION_RELEASE_LATE' };
      // oxlint-disable-next-line no-await-in-loop
      await pause(Math.min(pauseMs, leftMs));
    }
  }

  #ask(key: string, binding: string): Promise<Held | { readonly code: string }> {
    const under = this.#asking.get(key);
    if (under !== undefined) return under;
    const asking = this.#askOnce(key, binding).finally(() => {
      if (this.#asking.get(key) === asking) this.#asking.delete(key);
    });
    this.#asking.set(key, asking);
    return asking;
  }

  async #askOnce(
    key: string,
    binding: string,
    asksLeft = asksMax,
  ): Promise<Held | { readonly code: string }> {
    const { agreement, random, port, credential, now } = this.#options;
    const era = this.#era;
    this.#holder ??= agreement.generate();
    const holder = await this.#holder;
    const asked = now();
    const signer = credential();
    const request = {
      key,
      instance: signer.spiffeId,
      publicKey: holder.publicKey,
      nonce: mintNonce(random),
      at: asked.wallMs,
    };
    const answer = await port.release(signReleaseRequest(request, signer));
    if (answer === null) return { code: 'PROTECTION_UNAVAILABLE' };
    if ('code' in answer) return answer;
    if (answer.nonce !== request.nonce) return { code: 'PROTECTION_RELEASE_REPLAYED' };
    const context = releaseContext(request, answer.durationMs, binding);
    const bytes = await this.#bytesOf(holder, answer.sealed, context);
    if (bytes === null) return { code: 'PROTECTION_RELEASE_BROKEN' };
    const durationMs = Math.min(answer.durationMs, leaseMsMax);
    const held = { id: key, binding, bytes, until: after(asked, durationMs) };
    // Released under what was replaced meanwhile: it is asked whether it still may.
    if (era !== this.#era) {
      return asksLeft > 1
        ? this.#askOnce(key, binding, asksLeft - 1)
        : { code: 'PROTECTION_UNAVAILABLE' };
    }
    if (!this.#isHeld(held)) return { code: 'PROTECTION_RELEASE_EXPIRED' };
    keep(this.#released, key, held);
    return held;
  }

  async #bytesOf(
    holder: KeyHolder,
    sealed: SealedKey,
    context: string,
  ): Promise<Uint8Array | null> {
    const bytes = await holder.open(sealed, context);
    return bytes?.length === dataKeyBytes ? bytes : null;
  }

  /** Until the earlier of both clocks says that the lease is over. */
  #isHeld({ until }: Held): boolean {
    const now = this.#options.now();
    return now.wallMs < until.wallMs && now.monotonicMs < until.monotonicMs;
  }
}

function after({ wallMs, monotonicMs }: Instant, durationMs: number): Instant {
  return { wallMs: wallMs + durationMs, monotonicMs: monotonicMs + durationMs };
}

function keep<Value>(map: Map<string, Value>, key: string, value: Value): void {
  if (map.size >= heldMax) {
    const [oldest] = map.keys();
    if (oldest !== undefined) map.delete(oldest);
  }
  map.set(key, value);
}

function refused(code: string): { readonly ok: false; readonly code: string } {
  return { ok: false, code };
}
