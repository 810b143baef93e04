// SPDX-License-Identifier: Apache-2.0
import type { Kms, Wrapped } from '../identity/credential.ts';
import { leaseMsDefault } from '../identity/lease.ts';
import type { Domain, Limits, ProtectionTier } from '../mesh/mesh.ts';
import type { Clock } from '../message/clock.ts';
import type { EnvelopeBody } from '../message/envelope.ts';
import type { DataKeyRecord, DataKeyStore } from './data-key-store.ts';
import type { KeyAgreement, KeyHolder } from './key-agreement.ts';
import {
  providedTierRefusal, type Protection, type ProtectionRefusal, type Opened,
} from './protection.ts';
import { releaseContext, type Release, type ReleaseRequest } from './release.ts';
import {
  bindingOf, keyContext, openItem, readSealed, type SealedMessage,
} from './sealed-payload.ts';
import { rewrapKeys } from './rewrap.ts';
import { dataKeyBytes } from './sealed-bytes.ts';

export type EnforcementKeysOptions = {
  readonly agreement: KeyAgreement;
  readonly kms: Kms;
  readonly store: DataKeyStore;
  readonly clock: Clock;
  readonly limits: () => Limits;
  /** Told why the `Kms` or the store failed; never of a key. */
  readonly report: (failure: unknown) => void;
};

export type Released =
  | { readonly ok: true; readonly release: Release }
  | { readonly ok: false; readonly code: string };

type Known = {
  readonly binding: string;
  readonly bytes: Uint8Array;
  readonly untilMs: number;
  /** Settles when its row is on the disk, or cannot be; null once it is. */
  readonly kept: Promise<void> | null;
};
type Key = Known | { readonly code: string };
type Learned = {
  readonly key: Key;
  /** What was opened with it to see that it is one; null where that was not needed. */
  readonly tried: { readonly message: SealedMessage; readonly opened: Opened } | null;
};

/** Keys held in memory at one time; the oldest goes first, and is unwrapped again when needed. */
const knownMax = 20_000;

/**
 * Tier RETRIEVAL at the policy enforcement point (DESIGN 6.7). The bus is a named recipient of every
 * data key: it opens what passes, to check schema and policy on it, and keeps the key wrapped by the
 * `Kms`. A recipient gets it only by a release, which is decided anew each time. In memory a key
 * stays for one lease; on disk there is none in clear, and the bus's own key pair dies with the
 * process.
 */
export class EnforcementKeys implements Protection {
  readonly #options: EnforcementKeysOptions;
  readonly #known = new Map<string, Known>();
  readonly #learning = new Map<string, Promise<Learned>>();
  #holder: Promise<KeyHolder> | null = null;

  constructor(options: EnforcementKeysOptions) {
    this.#options = options;
  }

  refusal(tier: ProtectionTier): ProtectionRefusal | null {
    return providedTierRefusal(tier);
  }

  /** What senders seal data keys to; another one after each start. */
  async publicKey(): Promise<string> {
    return (await this.#pair()).publicKey;
  }

  open(body: EnvelopeBody, item: string | null, domain: Domain): Opened | Promise<Opened> {
    const message = readSealed(body.payload, item);
    if (message === null) return refused('PROTECTION_SEAL_MISSING');
    const { sealed } = message;
    // The sender sealed it under the version of the policy that is in force: the roles are the same.
    const sameRoles = sealed.roles.join() === domain.allowedRoles.join();
    if (!sameRoles) return refused('PROTECTION_KEY_FOREIGN');
    const binding = bindingOf(body, sealed.roles);
    const known = this.#inMemory(sealed.key);
    if (known !== null) return this.#opened(body, message, binding, known);
    return this.#learn(body, message, binding).then(({ key, tried }) =>
      tried?.message === message
        ? withKept(tried.opened, sealed.key, key) : this.#opened(body, message, binding, key));
  }

  /**
   * Hands a data key to whoever asked, for one lease. `refusalFor` says what stands against it at
   * this moment; what the key is bound to decides, not what the asker says of it.
   */
  async release(
    request: ReleaseRequest,
    refusalFor: (bound: BoundTo) => string | null,
  ): Promise<Released> {
    const known = this.#inMemory(request.key);
    // One that is on its way to the disk is asked for while its first message waits for the same flush.
    const coming = known !== null && known.kept !== null ? known : null;
    const stored = coming ?? this.#options.store.get(request.key);
    const bound = stored === null ? null : readBinding(stored.binding);
    if (stored === null || bound === null) return { ok: false, code: 'PROTECTION_KEY_UNKNOWN' };
    const before = refusalFor(bound);
    if (before !== null) return { ok: false, code: before };
    const key = known ?? ('bytes' in stored ? stored : await this.#unwrap(stored));
    if ('code' in key) return { ok: false, code: key.code };
    const durationMs = leaseMsDefault;
    const context = releaseContext(request, durationMs, stored.binding);
    const sealed = await this.#options.agreement.sealTo(request.publicKey, key.bytes, context);
    if (sealed === null) return { ok: false, code: 'PROTECTION_RELEASE_FORGED' };
    // Much may have changed while the key was unwrapped.
    const after = refusalFor(bound);
    if (after !== null) return { ok: false, code: after };
    return { ok: true, release: { nonce: request.nonce, durationMs, sealed } };
  }

  /**
   * Wraps every stored key with the present KMS; messages go on meanwhile. A key that does not open is
   * reported and left, and no other waits for it. Resolves with what was left.
   */
  rewrapAll(): Promise<readonly Wrapped[]> {
    const { kms, store, report } = this.#options;
    return rewrapKeys(store, kms, report);
  }

  /** Drops what no message on its way needs any more. */
  async prune(nowMs: number): Promise<void> {
    for (const [id, { untilMs }] of this.#known) if (!(nowMs < untilMs)) this.#drop(id);
    await this.#options.store.prune(nowMs);
  }

  #opened(body: EnvelopeBody, message: SealedMessage, binding: string, key: Key): Opened {
    if ('code' in key) return refused(key.code);
    if (key.binding !== binding) return refused('PROTECTION_KEY_FOREIGN');
    const { messageBytesMax: bytesMax, depthMax } = this.#options.limits();
    const payload = openItem(body, message, key, { bytesMax, depthMax });
    if (payload === undefined) return refused('PROTECTION_SEAL_BROKEN');
    return withKept({ ok: true, body: { ...body, payload } }, message.sealed.key, key);
  }

  /** Several messages under one new key learn it once. */
  #learn(body: EnvelopeBody, message: SealedMessage, binding: string): Promise<Learned> {
    const { key: id } = message.sealed;
    const under = this.#learning.get(id);
    if (under !== undefined) return under;
    const learning = this.#learnOnce(body, message, binding).finally(() => {
      this.#learning.delete(id);
    });
    this.#learning.set(id, learning);
    return learning;
  }

  async #learnOnce(body: EnvelopeBody, message: SealedMessage, binding: string): Promise<Learned> {
    const { sealed } = message;
    const { store } = this.#options;
    const record = store.get(sealed.key);
    if (record !== null) return { key: await this.#unwrap(record), tried: null };
    const notLearned = (code: string): Learned => ({ key: { code }, tried: null });
    const holder = await this.#pair();
    if (sealed.bus.publicKey !== holder.publicKey) return notLearned('PROTECTION_KEY_ROTATED');
    const bytes = await holder.open(sealed.bus, keyContext(sealed.key, binding));
    if (bytes === null || bytes.length !== dataKeyBytes) return notLearned('PROTECTION_SEAL_BROKEN');
    // A key that opens nothing is not worth a row.
    const opened = this.#opened(body, message, binding, { binding, bytes, untilMs: 0, kept: null });
    if (!opened.ok) return notLearned(opened.code);
    const key = await this.#keep(sealed.key, binding, bytes);
    return { key, tried: 'code' in key ? null : { message, opened } };
  }

  /**
   * The key once the `Kms` has wrapped it. Its row goes to the disk together with the message, which
   * waits for both (`Opened.kept`): one flush, not two in turn.
   */
  async #keep(id: string, binding: string, bytes: Uint8Array): Promise<Key> {
    const { kms, store, clock, limits } = this.#options;
    const { messageLifetimeMs, clockSkewMs } = limits();
    const expiresAt = clock.nowMs() + leaseMsDefault + messageLifetimeMs + 2 * clockSkewMs;
    let kept: Promise<void>;
    try {
      const wrapped = await kms.wrap(bytes, keyContext(id, binding));
      kept = store.add({ id, binding, wrapped, expiresAt });
    } catch (failure) {
      this.#options.report(failure);
      return { code: 'PROTECTION_UNAVAILABLE' };
    }
    const known = this.#remember(id, binding, bytes, kept);
    kept.then(() => {
      if (this.#known.get(id) === known) this.#known.set(id, { ...known, kept: null });
    }, (failure: unknown) => {
      // No message under it is admitted; the next one has it learned and written again.
      if (this.#known.get(id) === known) this.#drop(id);
      this.#options.report(failure);
    });
    return known;
  }

  async #unwrap({ id, binding, wrapped }: DataKeyRecord): Promise<Key> {
    try {
      const bytes = await this.#options.kms.unwrap(wrapped, keyContext(id, binding));
      return this.#remember(id, binding, bytes);
    } catch (failure) {
      this.#options.report(failure);
      return { code: 'PROTECTION_KEY_LOST' };
    }
  }

  #inMemory(id: string): Known | null {
    const known = this.#known.get(id);
    if (known === undefined) return null;
    if (this.#options.clock.nowMs() < known.untilMs) return known;
    this.#drop(id);
    return null;
  }

  #remember(
    id: string, binding: string, bytes: Uint8Array, kept: Promise<void> | null = null,
  ): Known {
    if (this.#known.size >= knownMax) {
      const [oldest] = this.#known.keys();
      if (oldest !== undefined) this.#drop(oldest);
    }
    const known = { binding, bytes, untilMs: this.#options.clock.nowMs() + leaseMsDefault, kept };
    this.#known.set(id, known);
    return known;
  }

  #drop(id: string): void {
    this.#known.delete(id);
  }

  #pair(): Promise<KeyHolder> {
    this.#holder ??= this.#options.agreement.generate();
    return this.#holder;
  }
}

/** What a data key is bound to; see `bindingOf`. */
export type BoundTo = Pick<EnvelopeBody, 'domain' | 'from' | 'instance' | 'to'> & {
  readonly classification: EnvelopeBody['label']['classification'];
  readonly roles: readonly string[];
};

/** Of the node's own store; authenticated by the wrapping of the key beside it. */
function readBinding(binding: string): BoundTo | null {
  try {
    return JSON.parse(binding) as BoundTo;
  } catch {
    // Something else wrote into the store: as good as no key.
    return null;
  }
}

function withKept(opened: Opened, id: string, key: Key): Opened {
  if (!opened.ok || 'code' in key || key.kept === null) return opened;
  return { ...opened, kept: key.kept, newKey: { key: id, binding: key.binding } };
}

function refused(code: string): Opened {
  return { ok: false, code };
}
