// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { openKms } from '../adapters/kms-file.ts';
import type { Kms } from '../identity/credential.ts';
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
};

const probeBytes = 32;
const probeContext = 'kms-probe/1';

/**
 * The node's `Kms`, which a changed file replaces while it runs (seed 003): what is stored is wrapped
 * again meanwhile, and nobody waits for it. A file that opens nothing of what the present one wrapped is
 * not taken: it would lose every key. That is tried once at the change, with a value made for it.
 */
export class NodeKms implements Kms {
  readonly #options: NodeKmsOptions;
  readonly #again: (() => Promise<unknown>)[] = [];
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

  /** `again` wraps something stored once more; it is called after each replacement, and may reject. */
  onReplaced(again: () => Promise<unknown>): void {
    this.#again.push(again);
  }

  /** Takes the file as it is by now. True where another `Kms` is in force; never rejects. */
  async renew(): Promise<boolean> {
    if (this.#options.file === null || this.#isLooking) return false;
    this.#isLooking = true;
    try {
      const isReplaced = await this.#replace();
      if (isReplaced || this.#isOwed) await this.#wrapAgain();
      this.#isOwed = isReplaced;
      return isReplaced;
    } catch (failure) {
      // The present one stays, and the file is looked at again.
      this.#options.report(failure);
      return false;
    } finally {
      this.#isLooking = false;
    }
  }

  async #replace(): Promise<boolean> {
    const digest = await digestOf(this.#options.file);
    if (digest === this.#digest) return false;
    const next = await openFile(this.#options);
    const probe = this.#options.random.bytes(probeBytes);
    for (const by of [this.#present, next]) {
      const opened = await next.unwrap(await by.wrap(probe, probeContext), probeContext);
      if (Buffer.compare(opened, probe) === 0) continue;
      throw new IdentityError('KMS_UNWRAP_FAILED', 'The file names no KMS that opens what is stored.');
    }
    this.#present = next;
    this.#digest = digest;
    return true;
  }

  async #wrapAgain(): Promise<void> {
    for (const again of this.#again) {
      await again().catch((failure: unknown) => {
        // It stays under its earlier wrapping, which the file still names.
        this.#options.report(failure);
      });
    }
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
