// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { openKms } from '../adapters/kms-file.ts';
import type { Kms, Wrapped } from '../identity/credential.ts';
import { IdentityError } from '../identity/identity-error.ts';
import type { Clock, Random } from '../message/clock.ts';

export type NodeKmsOptions = {
  /** What `--kms` names; null is the key file alone, which nothing replaces. */
  readonly file: string | null;
  readonly keyFile: string;
  readonly random: Random;
  readonly clock: Clock;
  /** Told why a changed file is not taken, and where keys could not be wrapped again; never of a key. */
  readonly report: (failure: unknown) => void;
  /** Told how many keys are still under an earlier KMS, each time that the number is another one. */
  readonly left: (count: number) => void;
};

/** Wraps something stored once more; resolves with what stays under its earlier wrapping. */
export type WrapAgain = () => Promise<readonly Wrapped[]>;

const retryMsMin = 10_000;
const retryMsMax = 600_000;

const probeBytes = 32;
const probeContext = 'kms-probe/1';

/**
 * The node's `Kms`, which a changed file replaces while it runs (seed 003): what is stored is wrapped
 * again meanwhile, and nobody waits for it. What could not be is tried again, after ten seconds first and ten
 * minutes at most. A file that opens nothing of what the present one wrapped is not taken: it would lose every key;
 * that is tried with a value made for it. Nor is one that no longer opens what is left under an earlier KMS, and the
 * present one does, nor any while nobody knows what is left.
 */
export class NodeKms implements Kms {
  readonly #options: NodeKmsOptions;
  readonly #again: WrapAgain[] = [];
  #left: readonly Wrapped[] = [];
  #retryAtMs = 0;
  #retryMs = retryMsMin;
  #present: Kms;
  #digest: string;
  #isLooking = false;
  /** What was wrapped while it was replaced may have been stored too late to be found. */
  #isOwed = false;

  private constructor(options: NodeKmsOptions, present: Kms, digest: string) {
    this.#options = options;
    this.#present = present;
    this.#digest = digest;
  }

  /** Rejects as `openKms` does. */
  static async open(options: NodeKmsOptions): Promise<NodeKms> {
    const digest = await digestOf(options.file);
    return new NodeKms(options, await openFile(options), digest);
  }

  wrap(plain: Uint8Array, context: string): Promise<Uint8Array> {
    return this.#present.wrap(plain, context);
  }

  unwrap(wrapped: Uint8Array, context: string): Promise<Uint8Array> {
    return this.#present.unwrap(wrapped, context);
  }

  /**
   * `again` is called after each replacement, and where something is left. With `isDue` at once: another KMS
   * may have wrapped what is stored.
   */
  async keep(again: WrapAgain, isDue: boolean): Promise<void> {
    this.#again.push(again);
    if (isDue) this.#isLeft([...this.#left, ...(await this.#tried(again))]);
  }

  /** Keys under an earlier KMS, and when they are tried again; milliseconds since 1970. */
  get standing(): { readonly left: number; readonly retryAt: number | null } {
    return { left: this.#left.length, retryAt: this.#left.length === 0 ? null : this.#retryAtMs };
  }

  /** Takes the file as it is by now. True where another `Kms` is in force; never rejects. */
  async renew(): Promise<boolean> {
    if (this.#options.file === null || this.#isLooking) return false;
    this.#isLooking = true;
    try {
      const digest = await digestOf(this.#options.file);
      const isChanged = digest !== this.#digest;
      const isDue = this.#left.length > 0 && (isChanged || this.#options.clock.nowMs() >= this.#retryAtMs);
      // First: what is under an earlier one must not lose it.
      if (this.#isOwed || isDue) await this.#wrapAgain();
      this.#isOwed = isChanged && (await this.#replace(digest));
      if (this.#isOwed) await this.#wrapAgain();
      return this.#isOwed;
    } catch (failure) {
      // The present one stays, and the file is looked at again.
      this.#options.report(failure);
      return false;
    } finally {
      this.#isLooking = false;
    }
  }

  async #replace(digest: string): Promise<boolean> {
    const next = await openFile(this.#options);
    const probe = this.#options.random.bytes(probeBytes);
    for (const by of [this.#present, next]) {
      const opened = await next.unwrap(await by.wrap(probe, probeContext), probeContext);
      if (Buffer.compare(opened, probe) === 0) continue;
      throw new IdentityError('KMS_UNWRAP_FAILED', 'The file names no KMS that opens what is stored.');
    }
    for (const left of this.#left) {
      if (!(await this.#isLost(left, next))) continue;
      throw new IdentityError('KMS_STILL_NEEDED', 'The file drops a KMS that some keys are wrapped by.');
    }
    this.#present = next;
    this.#digest = digest;
    return true;
  }

  /** One that nobody opens any more is lost already; of one that cannot be named nobody can say. */
  async #isLost(left: Wrapped, next: Kms): Promise<boolean> {
    if (left === unknownLeft) return true;
    switch (await openedBy(next, left)) {
      case 'yes':
        return false;
      case 'no':
        return (await openedBy(this.#present, left)) !== 'no';
      case 'away':
        // It may be the one that wrapped this, unless the present one shows that it need not be.
        return (await openedBy(this.#present, left)) === 'yes';
    }
  }

  async #wrapAgain(): Promise<void> {
    const left: Wrapped[] = [];
    for (const again of this.#again) left.push(...(await this.#tried(again)));
    this.#isLeft(left);
  }

  /** One that fails as a whole leaves something of which only that is known. */
  async #tried(again: WrapAgain): Promise<readonly Wrapped[]> {
    try {
      return await again();
    } catch (failure) {
      this.#options.report(failure);
      return [unknownLeft];
    }
  }

  #isLeft(left: readonly Wrapped[]): void {
    const isOther = left.length !== this.#left.length;
    this.#retryMs = left.length === 0 || this.#left.length === 0 ? retryMsMin : Math.min(2 * this.#retryMs, retryMsMax);
    this.#left = left;
    this.#retryAtMs = this.#options.clock.nowMs() + this.#retryMs;
    if (isOther) this.#options.left(left.length);
  }
}

/** Stands for what is stored and could not even be read. */
const unknownLeft: Wrapped = { wrapped: new Uint8Array(0), context: probeContext };

async function openedBy(kms: Kms, { wrapped, context }: Wrapped): Promise<'yes' | 'no' | 'away'> {
  try {
    (await kms.unwrap(wrapped, context)).fill(0);
    return 'yes';
  } catch (failure) {
    return failure instanceof IdentityError && failure.code === 'KMS_UNWRAP_FAILED' ? 'no' : 'away';
  }
}

function openFile({ file, keyFile, random, clock }: NodeKmsOptions): Promise<Kms> {
  return openKms(file, keyFile, random, clock);
}

async function digestOf(file: string | null): Promise<string> {
  if (file === null) return '';
  try {
    return createHash('sha256').update(await readFile(file)).digest('base64url');
  } catch (failure) {
    throw new IdentityError('KMS_KEY_INVALID', 'The file of the KMS cannot be read.', { cause: failure });
  }
}
