// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync, rmSync, writeFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolders } from '../adapters/folders.ts';
import { isUlid } from '../message/identifiers.ts';

const lookEveryMs = 200;
const ordersMax = 1_000;
const orderBytesMax = 8_192;

/**
 * The door through which a kill reaches a node that does not answer: signed orders as files in a
 * directory of mode 0700. Whoever kills leaves the order here first. A node that hangs, or is down,
 * finds it before it gives out another lease.
 */
export class StopOrders {
  readonly #directory: string;
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  #waits = false;

  constructor(directory: string) {
    this.#directory = directory;
    makeFolders(directory, 0o700);
  }

  /** Leaves an order; it is on disk when this returns. */
  leave(id: string, signed: string): void {
    const file = join(this.#directory, `${id}.jws`);
    writeFileSync(`${file}.new`, signed, { mode: 0o600, flush: true });
    renameSync(`${file}.new`, file);
  }

  /** True while an order lies here. Looks at the disk a few times a second at most. */
  waits(): boolean {
    const nowMs = performance.now();
    // After a stop of the whole process this is the first thing that is seen of it.
    if (nowMs - this.#lookedAtMs >= lookEveryMs) {
      this.#lookedAtMs = nowMs;
      this.#waits = this.#ids().length > 0;
    }
    return this.#waits;
  }

  /** The orders, oldest first. What cannot be read is left where it is, and said. */
  read(unreadable: (id: string) => void): readonly { readonly id: string; readonly signed: string }[] {
    return this.#ids().flatMap((id) => {
      try {
        const signed = readFileSync(join(this.#directory, `${id}.jws`), 'utf8').slice(0, orderBytesMax);
        return [{ id, signed }];
      } catch {
        // Leases stay refused until somebody looks: it may be a kill.
        unreadable(id);
        return [];
      }
    });
  }

  taken(id: string): void {
    rmSync(join(this.#directory, `${id}.jws`), { force: true });
    this.#lookedAtMs = Number.NEGATIVE_INFINITY;
  }

  #ids(): readonly string[] {
    return readdirSync(this.#directory)
      .filter((file) => file.endsWith('.jws') && isUlid(file.slice(0, -4)))
      .map((file) => file.slice(0, -4))
      .sort()
      .slice(0, ordersMax);
  }
}
