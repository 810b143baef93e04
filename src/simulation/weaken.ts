// SPDX-License-Identifier: Apache-2.0
import type { AllotmentAnswer } from '../bounds/allot.ts';
import type { PaceView } from '../pace/pace-view.ts';
import type { Compliance } from '../policy/comply.ts';
import type { EntryDraft, Recorder } from '../recorder/entry.ts';
import type { SchemaRegistry } from '../scanner/schema-registry.ts';
import type { SidecarStore } from '../sidecar/ports.ts';
import type { LeaseView } from '../sidecar/standing.ts';
import type { IntentStore } from '../tool/intent-store.ts';
import { overlay } from './overlay.ts';

/**
 * Guards that a simulation can break on purpose, to see that the checks turn red: a check that never
 * fails proves nothing. Each breaks one port; the code around it is the same.
 */
export const weaknesses = [
  'dedupe', 'schema', 'sources', 'lease', 'bounds', 'record', 'intents', 'log', 'leak',
] as const;
export type Weakness = (typeof weaknesses)[number];

export class Weakening {
  readonly #broken: Weakness | null;

  constructor(broken: Weakness | null) {
    this.#broken = broken;
  }

  is(weakness: Weakness): boolean {
    return this.#broken === weakness;
  }

  /** The sidecar takes every delivery for a new message. */
  store(store: SidecarStore): SidecarStore {
    if (!this.is('dedupe')) return store;
    return overlay(store, { receive: (message) => ({ ...store.receive(message), isNew: true }) });
  }

  /** Whatever has a form passes, at the bus and at both sidecars, whatever its schema says. */
  schemas(schemas: SchemaRegistry): SchemaRegistry {
    return this.is('schema') ? overlay(schemas, { check: () => [] }) : schemas;
  }

  /** No policy speaks against anything. */
  compliance(compliance: Compliance): Compliance {
    if (!this.is('sources')) return compliance;
    return { review: (request) => ({ ...compliance.review(request), outcome: 'GO', findings: [] }) };
  }

  lease(lease: LeaseView): LeaseView {
    return this.is('lease') ? { isValid: () => true, coversPrivileged: () => true } : lease;
  }

  pace(pace: PaceView): PaceView {
    return this.is('lease') ? { clamp: () => ({ phase: 'PRIMARY', allows: 'all' }) } : pace;
  }

  /** The owner of caps grants whatever is asked. */
  async allot(ask: () => Promise<AllotmentAnswer>): Promise<AllotmentAnswer> {
    const answer = await ask();
    return this.is('bounds') ? { outcome: 'granted', probe: false } : answer;
  }

  /** Says that a step is on record before it is; or writes down what it is about. */
  recorder(recorder: Recorder): Recorder {
    if (this.is('record')) {
      return {
        record: async (entries, options) => {
          recorder.record(entries, options).catch(() => undefined);
          return entries.map(() => ({ sequence: 0 }));
        },
      };
    }
    if (!this.is('leak')) return recorder;
    return { record: (entries, options) => recorder.record(entries.map(leaking), options) };
  }

  /** A crash takes what the gate had written down. */
  intents(intents: IntentStore): IntentStore {
    if (!this.is('intents')) return intents;
    return overlay(intents, {
      begin: async (intent) => {
        const begun = await intents.begin(intent);
        return begun.state === 'in-doubt' || begun.state === 'running' ? { state: 'new' } : begun;
      },
      markInDoubt: (key) => intents.forget(key),
    });
  }
}

function leaking(entry: EntryDraft): EntryDraft {
  return entry.kind === 'message.admitted'
    ? { ...entry, detail: { ...entry.detail, note: 'CANARY-as-a-careless-entry-would' } }
    : entry;
}
