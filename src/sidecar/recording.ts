// SPDX-License-Identifier: Apache-2.0
import {
  RecorderError,
  type EntryDraft,
  type EntryReceipt,
  type Recorder,
} from '../recorder/entry.ts';
import type { BusLink, SidecarStore } from './ports.ts';

const batchEntries = 64;

/**
 * The sidecar's side of the flight recorder. An ordinary step is durable in the local spool and
 * travels to the node when it can be reached; a privileged one is durable at the node first, behind
 * everything spooled before it, or is refused. Local receipts carry sequence -1: the node numbers.
 */
export class SidecarRecorder implements Recorder {
  readonly #store: SidecarStore;
  readonly #link: Pick<BusLink, 'record'>;
  #draining: Promise<boolean> | null = null;

  constructor(store: SidecarStore, link: Pick<BusLink, 'record'>) {
    this.#store = store;
    this.#link = link;
  }

  async record(
    entries: readonly EntryDraft[],
    options: { readonly privileged?: boolean } = {},
  ): Promise<readonly EntryReceipt[]> {
    if (options.privileged === true) await this.#recordNow(entries);
    else {
      await this.#store.spool(entries);
      void this.drain();
    }
    return entries.map(() => ({ sequence: -1 }));
  }

  /** Sends what is spooled, in order; true when nothing is left. Called on every reconnection. */
  drain(): Promise<boolean> {
    this.#draining ??= this.#drain().finally(() => {
      this.#draining = null;
    });
    return this.#draining;
  }

  async #recordNow(entries: readonly EntryDraft[]): Promise<void> {
    const empty = await this.drain();
    const code = empty ? await this.#link.record(entries, true) : 'RECORDER_NOT_DURABLE';
    if (code !== null) {
      throw new RecorderError('RECORDER_NOT_DURABLE', `The node did not record the step: ${code}.`);
    }
  }

  async #drain(): Promise<boolean> {
    for (;;) {
      const waiting = this.#store.spooled(batchEntries);
      if (waiting.length === 0) return true;
      const code = await this.#link.record(
        waiting.map((spooled) => spooled.entry),
        false,
      );
      if (code !== null) return false;
      await this.#store.unspool(waiting.map((spooled) => spooled.position));
    }
  }
}
