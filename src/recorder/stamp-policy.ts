// SPDX-License-Identifier: Apache-2.0
import type { EntryDraft, EntryReceipt, Recorder } from './entry.ts';

/** Every entry says under which version of the policy its step was taken; what says so is kept. */
export function stampPolicy(
  entries: readonly EntryDraft[],
  version: number,
): readonly EntryDraft[] {
  return entries.map((entry) =>
    Object.hasOwn(entry.detail, 'policy')
      ? entry
      : { ...entry, detail: { ...entry.detail, policy: version } },
  );
}

/** A recorder that stamps what goes through it. */
export class PolicyStampingRecorder implements Recorder {
  readonly #recorder: Recorder;
  readonly #version: () => number;

  constructor(recorder: Recorder, version: () => number) {
    this.#recorder = recorder;
    this.#version = version;
  }

  record(
    entries: readonly EntryDraft[],
    options?: { readonly privileged?: boolean },
  ): Promise<readonly EntryReceipt[]> {
    return this.#recorder.record(stampPolicy(entries, this.#version()), options);
  }
}
