// SPDX-License-Identifier: Apache-2.0
import {
  RecorderError,
  type EntryDraft,
  type EntryReceipt,
  type Recorder,
} from '../recorder/entry.ts';
import { blankEntry } from '../recorder/blank-entry.ts';
import { fitEntry } from '../recorder/entry-fit.ts';
import { isEntryDraft } from '../recorder/entry-shape.ts';
import { stampPolicy } from '../recorder/stamp-policy.ts';
import { EntryNumbers } from './entry-numbers.ts';
import type { BusLink, SidecarStore } from './ports.ts';

type Spooled = ReturnType<SidecarStore['spooled']>[number];

/** What is spooled was judged when it was spooled, and says so itself. */
const spooledVersion = 0;
const batchEntries = 64;
/** Of JSON text: a frame takes several times that, whatever the entries hold. */
const batchLengthMax = 128 * 1024;

/**
 * The sidecar's side of the flight recorder. An ordinary step is durable in the local spool and
 * travels to the node when it can be reached; a privileged one is durable at the node first, behind
 * everything spooled before it, or is refused. Local receipts carry sequence -1: the node numbers.
 */
export class SidecarRecorder {
  /** Of all entries that this run of the sidecar writes, also of those that go with a message. */
  readonly numbers: EntryNumbers;
  readonly #store: SidecarStore;
  readonly #link: Pick<BusLink, 'record' | 'standing' | 'delivered'>;
  #draining: Promise<boolean> | null = null;

  constructor(
    store: SidecarStore,
    link: Pick<BusLink, 'record' | 'standing' | 'delivered'>,
    run: string,
  ) {
    this.numbers = new EntryNumbers(run);
    this.#store = store;
    this.#link = link;
  }

  /** The recorder for steps that are judged under this version of the policy. */
  under(policyVersion: number): Recorder {
    return {
      record: (entries, options = {}) =>
        this.#recordUnder(policyVersion, stampPolicy(entries, policyVersion), options),
    };
  }

  async #recordUnder(
    policyVersion: number,
    entries: readonly EntryDraft[],
    options: { readonly privileged?: boolean },
  ): Promise<readonly EntryReceipt[]> {
    const fitted = entries.map(fitEntry);
    // One entry that no recorder takes would hold up the spool, and all privileged work, for ever.
    if (!fitted.every(isEntryDraft)) {
      throw new RecorderError('RECORDER_ENTRY_INVALID', 'A step has no recordable form.');
    }
    const numbered = fitted.map((entry) => this.numbers.numbered(entry));
    try {
      if (options.privileged === true) await this.#recordNow(numbered, policyVersion);
      else await this.#store.spool(numbered);
    } catch (failure) {
      this.numbers.giveUp(numbered);
      throw failure;
    }
    if (options.privileged !== true) {
      this.drain().catch(() => {
        // What could not be taken out of the spool stays in it, and is offered again.
        return undefined;
      });
    }
    return entries.map(() => ({ sequence: -1 }));
  }

  /** Tells the node how a delivery was received. */
  delivered(number: number, entries: readonly EntryDraft[]): void {
    if (this.#link.delivered(number, entries)) this.numbers.handed(entries);
    else this.numbers.giveUp(entries);
  }

  /** Sends what is spooled, in order; true when nothing is left. Called on every reconnection. */
  drain(): Promise<boolean> {
    this.#draining ??= this.#drain().finally(() => {
      this.#draining = null;
    });
    return this.#draining;
  }

  async #recordNow(entries: readonly EntryDraft[], policyVersion: number): Promise<void> {
    let code = await this.#recordOnce(entries, policyVersion);
    if (code === 'SIDECAR_BUS_UNREACHABLE') {
      // The line may be changing identities just now; a repeated entry is recorded once.
      await this.#link.standing();
      code = await this.#recordOnce(entries, policyVersion);
    }
    if (code !== null) {
      throw new RecorderError('RECORDER_NOT_DURABLE', `The node did not record the step: ${code}.`);
    }
    this.numbers.settle(entries);
  }

  async #recordOnce(
    entries: readonly EntryDraft[],
    policyVersion: number,
  ): Promise<string | null> {
    const empty = await this.drain();
    return empty ? this.#link.record(entries, true, policyVersion) : 'SIDECAR_BUS_UNREACHABLE';
  }

  async #drain(): Promise<boolean> {
    for (;;) {
      const waiting = withinFrame(this.#store.spooled(batchEntries));
      if (waiting.length === 0) return true;
      const code = await this.#link.record(waiting.map(({ entry }) => entry), false, spooledVersion);
      if (code === 'RECORDER_ENTRY_INVALID') {
        if (!(await this.#drainEach(waiting))) return false;
        continue;
      }
      if (code !== null) return false;
      this.numbers.settle(waiting.map(({ entry }) => entry));
      await this.#store.unspool(waiting.map(({ position }) => position));
    }
  }

  /** An entry that no recorder takes must not keep those behind it: it is replaced by saying so. */
  async #drainEach(waiting: readonly Spooled[]): Promise<boolean> {
    for (const { position, entry } of waiting) {
      let code = await this.#link.record([entry], false, spooledVersion);
      if (code === 'RECORDER_ENTRY_INVALID') {
        code = await this.#link.record([rejected(entry)], false, spooledVersion);
      }
      if (code !== null) return false;
      this.numbers.settle([entry]);
      await this.#store.unspool([position]);
    }
    return true;
  }
}

/** The first of them that one frame holds; at least one. */
function withinFrame(waiting: readonly Spooled[]): readonly Spooled[] {
  let length = 0;
  const end = waiting.findIndex(({ entry }, index) => {
    length += JSON.stringify(entry).length;
    return index > 0 && length > batchLengthMax;
  });
  return end < 0 ? waiting : waiting.slice(0, end);
}

/** Under the number of the entry that it replaces. */
function rejected({ kind, at, actor, detail: { writer } }: EntryDraft): EntryDraft {
  return blankEntry({
    kind: 'indicator.raised',
    id: `rejected.${at}.${kind}`,
    at,
    actor,
    code: 'RECORDER_ENTRY_INVALID',
    detail: { indicator: 'RECORD', kind, ...(writer === undefined ? {} : { writer }) },
  });
}
