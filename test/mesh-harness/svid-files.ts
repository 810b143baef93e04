// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rename, writeFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { openBuiltinAuthority } from '../../src/adapters/authority-builtin.ts';
import { systemClock } from '../../src/adapters/clock-system.ts';
import { newKey } from '../../src/adapters/credential-keys.ts';
import { openKeyFileKms } from '../../src/adapters/kms-encrypted-file.ts';
import { systemRandom } from '../../src/adapters/random-system.ts';
import type { Authority } from '../../src/identity/credential.ts';

export type WrittenSvid = { readonly svid: string; readonly key: string; readonly bundle: string };

/** An authority outside of the mesh that writes what SPIRE's helper would. */
export class OutsideAuthority {
  readonly #authority: Authority;

  static async found(directory: string, trustDomain: string): Promise<OutsideAuthority> {
    const place = await mkdtemp(join(directory, 'outside-'));
    const authority = await openBuiltinAuthority({
      directory: join(place, 'authority'),
      trustDomain,
      kms: await openKeyFileKms(join(place, 'kms.key'), systemRandom),
      clock: systemClock(),
      random: systemRandom,
    });
    return new OutsideAuthority(authority);
  }

  private constructor(authority: Authority) {
    this.#authority = authority;
  }

  get bundlePem(): string {
    return this.#authority.bundlePem();
  }

  async issue(spiffeId: string, lifetimeMs = 600_000): Promise<WrittenSvid> {
    const { privateKey, csrPem } = await newKey();
    const { chainPem } = await this.#authority.issue({ csrPem, spiffeId, lifetimeMs });
    const key = String(privateKey.export({ format: 'pem', type: 'pkcs8' }));
    return { svid: chainPem, key, bundle: this.bundlePem };
  }
}

/** Writes the three files, each replaced as a whole. */
export async function writeSvid(directory: string, { svid, key, bundle }: WrittenSvid): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const files = [['svid.pem', svid, 0o644], ['svid_key.pem', key, 0o600], ['bundle.pem', bundle, 0o644]] as const;
  for (const [name, text, mode] of files) {
    await writeFile(join(directory, `${name}.new`), text, { mode });
    await rename(join(directory, `${name}.new`), join(directory, name));
  }
}
