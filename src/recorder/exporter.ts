// SPDX-License-Identifier: Apache-2.0
import type { Outcome } from '../review/verdict.ts';
import type { EntryKind } from './entry.ts';

/**
 * An entry as it may leave the mesh. Made of an entry by an allow-list, never by leaving things out:
 * names that the mesh file declares, codes of the tables, counts, durations and ids that the mesh
 * minted. No text that an agent chose, no path, no digest, no version (G9). Whoever may read more
 * finds the entry itself by `log` and `sequence`.
 */
export type ExportedEntry = {
  /** Name of the log; with `sequence` the reference to the entry itself. */
  readonly log: string;
  readonly sequence: number;
  readonly kind: EntryKind;
  /** Milliseconds since 1970, on the writer's clock; the start of the minute where masked. */
  readonly atMs: number;
  /** When the recorder accepted it; the start of the minute where masked. */
  readonly recordedAtMs: number;
  readonly actor: {
    readonly kind: 'agent' | 'sidecar' | 'operator' | 'node' | 'unknown';
    /** Null where masked, or where the mesh file declares no such name. */
    readonly name: string | null;
  };
  /** W3C trace id of the task, 32 hexadecimal digits; null outside of tasks. */
  readonly traceId: string | null;
  /** W3C span id, 16 hexadecimal digits; the same each time the entry is exported. */
  readonly spanId: string;
  readonly parentSpanId: string | null;
  /** What the sender's own tracing said it belongs to: shown as a link, never believed. */
  readonly link: { readonly traceId: string; readonly spanId: string } | null;
  readonly outcome: Outcome | null;
  readonly code: string | null;
  readonly tookUs: number | null;
  readonly verdicts: readonly ExportedVerdict[];
  readonly facts: ExportedFacts;
  /** Refusals that an entry stands for, by code; empty for every other entry. */
  readonly counted: { readonly [code: string]: number };
  /** True where the domain masks metadata: no names of agents, no ids, times by the minute. */
  readonly masked: boolean;
};

export type ExportedVerdict = {
  readonly control: string;
  readonly outcome: Outcome;
  readonly tookUs: number;
  /** Codes of its findings, each once, at most 16. */
  readonly codes: readonly string[];
};

/** What a step was about; a fact that the entry does not have, or may not show, is absent. */
export type ExportedFacts = {
  readonly task?: string;
  readonly message?: string;
  readonly approval?: string;
  readonly from?: string;
  readonly to?: string;
  readonly agent?: string;
  readonly requester?: string;
  readonly operator?: string;
  readonly domain?: string;
  readonly schema?: string;
  readonly type?: string;
  readonly action?: string;
  readonly tool?: string;
  readonly operation?: string;
  readonly risk?: string;
  readonly isolation?: string;
  readonly source?: string;
  readonly classification?: string;
  readonly integrity?: string;
  readonly indicator?: string;
  readonly hop?: number;
  readonly approvalsNeeded?: number;
  readonly write?: boolean;
};

/**
 * How a delivery ended. `ok` only when the destination has confirmed all of it, or confirmed it and
 * said how many of it it will not keep (`rejected`). `retryAfterMs` is what the destination asked
 * for, or null.
 */
export type Delivery =
  | { readonly ok: true; readonly rejected: number }
  | { readonly ok: false; readonly code: string; readonly retryAfterMs: number | null };

/**
 * Where entries go besides the log: an observability backend, a SIEM, a file.
 *
 * - `deliver` takes entries in the order of the log and resolves when the destination has confirmed
 *   them, or with a code when it has not. It never rejects and never answers `ok` on a guess: what
 *   was not confirmed comes again, whole or in other batches, so a destination may see an entry
 *   twice, and tells by `log` and `sequence`.
 * - One delivery at a time. When `signal` fires, it lets go and resolves at once with a code.
 * - It holds nothing of a batch once it has resolved, so memory is bounded by one batch.
 * - `close` ends what is open. Idempotent; after it `deliver` resolves with a code.
 */
export interface Exporter {
  /** Entries of one delivery, at most. */
  readonly batchEntriesMax: number;
  deliver(entries: readonly ExportedEntry[], signal: AbortSignal): Promise<Delivery>;
  close(): Promise<void>;
}

/** Where an exporter stands in which log: `next` is the first entry that is not confirmed yet. */
export type CursorPlace = { readonly log: string; readonly next: number };

/**
 * Keeps the place of one exporter. `save` resolves when it is durable and rejects when it is not;
 * after a crash `load` gives a place that was saved, the last one or, if the crash was in between,
 * the one before. Null where there is none, or none that can be read: then all is delivered again.
 */
export interface ExportCursor {
  load(): Promise<CursorPlace | null>;
  save(place: CursorPlace): Promise<void>;
}
