// SPDX-License-Identifier: Apache-2.0
import type { EntryDraft, EntryReceipt, Recorder } from '../recorder/entry.ts';

/**
 * Hands every sign of compromise that is recorded to PACE. Whose sign it is follows from who wrote
 * the entry: a sidecar speaks of its own agent only, so that one that is taken over isolates itself
 * and nobody else; the node alone names another agent.
 */
export class SignWatch implements Recorder {
  readonly #inner: Recorder;
  readonly #onSign: (id: string, agent: string) => void;

  constructor(inner: Recorder, onSign: (id: string, agent: string) => void) {
    this.#inner = inner;
    this.#onSign = onSign;
  }

  record(
    entries: readonly EntryDraft[],
    options?: { readonly privileged?: boolean },
  ): Promise<readonly EntryReceipt[]> {
    for (const entry of entries) {
      if (entry.kind !== 'indicator.raised' || entry.detail['indicator'] !== 'COMPROMISE') continue;
      const agent = agentOf(entry);
      // Not only once it is durable: what isolates an agent does not wait for the disk.
      if (agent !== null) this.#onSign(entry.id, agent);
    }
    return this.#inner.record(entries, options);
  }
}

function agentOf({ actor, detail }: EntryDraft): string | null {
  const [kind = '', name = ''] = actor.split(':');
  if (kind === 'agent' || kind === 'sidecar') return name;
  const { agent } = detail;
  return kind === 'node' && typeof agent === 'string' ? agent : null;
}
