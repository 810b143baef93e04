// SPDX-License-Identifier: Apache-2.0
import { readSvidDirectory } from '../adapters/svid-directory.ts';
import type { TrustBundle } from '../identity/certification-path.ts';
import type { Credential } from '../identity/credential.ts';
import { IdentityError } from '../identity/identity-error.ts';
import { readSvidFiles, type SvidHolder, type SvidReading } from '../identity/svid-files.ts';
import type { Clock } from '../message/clock.ts';

export type GivenSvid = {
  readonly credential: Credential;
  readonly bundlePem: string;
  readonly bundle: TrustBundle;
};

export type SvidSourceOptions = {
  readonly directory: string;
  readonly holder: Omit<SvidHolder, 'spiffeId'>;
  readonly clock: Clock;
  /** A complete, valid set that differs from the present one. */
  readonly changed: (given: GivenSvid) => void;
  /** Files that were refused, once for each reason; the present set stays in use until it ends. */
  readonly refused: (code: string) => void;
};

const lookEveryMs = 500;

/** Takes an identity and a bundle from files that another program replaces. */
export class SvidSource {
  readonly #options: SvidSourceOptions;
  readonly #timer: NodeJS.Timeout;
  #given: GivenSvid;
  #refused: string | null = null;
  #looking = false;

  /** Rejects with `IdentityError` when the files are no identity of the holder. */
  static async open(options: SvidSourceOptions): Promise<SvidSource> {
    const reading = await read(options, null);
    if (!reading.ok) {
      throw new IdentityError(reading.code, `The SVID in ${options.directory} is refused.`);
    }
    return new SvidSource(options, reading);
  }

  private constructor(options: SvidSourceOptions, given: GivenSvid) {
    this.#options = options;
    this.#given = given;
    this.#timer = setInterval(() => void this.look(), lookEveryMs);
    this.#timer.unref();
  }

  get given(): GivenSvid {
    return this.#given;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /** Looks at the files; what is there is taken as a whole or not at all. */
  async look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    try {
      const reading = await read(this.#options, this.#given.credential.spiffeId);
      if (!reading.ok) return this.#refuse(reading.code);
      this.#refused = null;
      const { credential, bundlePem } = this.#given;
      const same =
        reading.credential.chainPem === credential.chainPem && reading.bundlePem === bundlePem;
      if (same) return;
      this.#given = reading;
      this.#options.changed(reading);
    } finally {
      this.#looking = false;
    }
  }

  #refuse(code: string): void {
    if (code === this.#refused) return;
    this.#refused = code;
    this.#options.refused(code);
  }
}

async function read(options: SvidSourceOptions, spiffeId: string | null): Promise<SvidReading> {
  const found = await readSvidDirectory(options.directory);
  if (!found.ok) return found;
  return readSvidFiles(found.files, { ...options.holder, spiffeId }, options.clock.nowMs());
}
