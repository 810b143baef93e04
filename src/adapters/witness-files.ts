// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { open, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openCheckpoint, parseVerifierKey } from '../verifier/checkpoint.ts';
import type { VerifierKey } from '../verifier/checkpoint.ts';
import { newLog } from '../witness/cosign.ts';
import type { WitnessedLog } from '../witness/cosign.ts';
import { WitnessError } from '../witness/codes.ts';
import { makeFolders } from './folders.ts';

const evidenceMax = 1000;

/**
 * What a witness knows, in a directory of its own: per log the key it was first told and the newest
 * checkpoint it cosigned, which stands for all before it; and requests that prove a fork. A log's
 * key is never replaced: whoever starts the witness with another one for a known log is refused.
 */
export class WitnessFiles {
  readonly #directory: string;
  readonly #logs = new Map<string, WitnessedLog>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  logOf(origin: string): WitnessedLog | null {
    return this.#logs.get(origin) ?? null;
  }

  logs(): readonly WitnessedLog[] {
    return [...this.#logs.values()];
  }

  /** The folder of a log under the directory: named by a digest, for an origin may hold slashes. */
  folderOf(origin: string): string {
    return createHash('sha256').update(origin).digest('hex').slice(0, 32);
  }

  /**
   * Takes up a log. Rejects with `WITNESS_STATE_INVALID` when its folder holds another key, or a
   * checkpoint that was not signed for it: state that was lost must not be started over.
   */
  async know(keyText: string): Promise<void> {
    const key = parseVerifierKey(keyText);
    if (key === null || key.use !== 'log') {
      throw new WitnessError('WITNESS_STATE_INVALID', 'That is no verifier key of a log.');
    }
    if (this.#logs.has(key.name)) return;
    const folder = join(this.#directory, 'logs', this.folderOf(key.name));
    makeFolders(folder, 0o700);
    const known = await readIfThere(join(folder, 'key'));
    if (known !== null && known.trim() !== keyText.trim()) {
      throw new WitnessError('WITNESS_STATE_INVALID', 'The log is known under another key.');
    }
    const cosigned = await readIfThere(join(folder, 'checkpoint'));
    if (known === null) await writeDurable(join(folder, 'key'), `${keyText.trim()}\n`);
    this.#logs.set(key.name, cosigned === null ? newLog(key) : await stateIn(cosigned, key));
  }

  /** Resolves when the cosigned checkpoint is durable: only then may it be answered. */
  async keep(cosigned: string, next: WitnessedLog): Promise<void> {
    const folder = join(this.#directory, 'logs', this.folderOf(next.key.name));
    await writeDurable(join(folder, 'checkpoint'), cosigned);
    this.#logs.set(next.key.name, next);
  }

  /** Keeps a request that proves that the log has two histories; the first ones, up to a bound. */
  async keepEvidence(request: string): Promise<void> {
    const folder = join(this.#directory, 'evidence');
    makeFolders(folder, 0o700);
    const count = (await readdir(folder)).length;
    if (count >= evidenceMax) return;
    const name = createHash('sha256').update(request).digest('hex').slice(0, 32);
    await writeFile(join(folder, name), request, { mode: 0o600 });
  }

  /** The newest cosigned checkpoint by the name of its folder; null when there is none. */
  async checkpointIn(folder: string): Promise<string | null> {
    if (!/^[0-9a-f]{32}$/.test(folder)) return null;
    return readIfThere(join(this.#directory, 'logs', folder, 'checkpoint'));
  }
}

async function stateIn(cosigned: string, key: VerifierKey): Promise<WitnessedLog> {
  const opened = await openCheckpoint(cosigned, key, []);
  if (opened.state === 'good') {
    return { key, size: opened.checkpoint.size, root: opened.checkpoint.root };
  }
  throw new WitnessError('WITNESS_STATE_INVALID', 'The cosigned checkpoint is not of its log.');
}

async function writeDurable(path: string, text: string): Promise<void> {
  const file = await open(`${path}.new`, 'w', 0o600);
  try {
    await file.writeFile(text);
    await file.datasync();
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
  const directory = await open(join(path, '..'), 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (failure) {
    if (failure instanceof Error && 'code' in failure && failure.code === 'ENOENT') return null;
    throw failure;
  }
}
