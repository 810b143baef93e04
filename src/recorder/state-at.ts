// SPDX-License-Identifier: Apache-2.0
import { isJsonObject } from '../message/json.ts';
import type { JsonValue } from '../message/json.ts';
import type { RecordedEntry } from './entry.ts';
import type { EntryQuery } from './entry-query.ts';

/** The newest entries that match, newest first. */
export type NewestEntries = (
  query: EntryQuery,
  limit: number,
) => Promise<readonly RecordedEntry[]>;

/** What was in force at one moment, each with the entry that says so. */
export type StateAt = {
  /** Milliseconds since 1970, by the recorder's clock. */
  readonly at: number;
  readonly mesh: {
    readonly running: boolean;
    readonly mode: JsonValue;
    readonly autonomyTier: JsonValue;
    readonly deselected: JsonValue;
    readonly sequence: number;
  } | null;
  readonly policy: {
    readonly version: JsonValue;
    readonly digest: JsonValue;
    readonly sequence: number;
  } | null;
  /** Each control as it last spoke before then. */
  readonly controls: readonly {
    readonly control: string;
    readonly version: string;
    readonly outcome: string;
    readonly at: number;
    readonly sequence: number;
  }[];
  /** Units that PACE had taken out of their primary phase, with the code that did it. */
  readonly phases: readonly {
    readonly unit: string;
    readonly phase: string;
    readonly code: string | null;
    readonly by: string;
    readonly sequence: number;
  }[];
  /** Kills and halts that had not been led back: what each was of, and how far it had come. */
  readonly stops: readonly {
    readonly stop: string;
    readonly kind: string;
    readonly unit: string;
    readonly stage: string;
    readonly sequence: number;
  }[];
  /** Circuit breakers that had opened and not closed again; some of those may have let calls probe. */
  readonly breakers: readonly { readonly breaker: string; readonly sequence: number }[];
  readonly revoked: readonly { readonly subject: string; readonly sequence: number }[];
  /** What the recorder could not do then, and alarms of the hour before. */
  readonly alarms: readonly { readonly code: string; readonly at: number; readonly sequence: number }[];
  /** Orders to keep entries that had not been released. */
  readonly holds: readonly { readonly subject: string; readonly sequence: number }[];
};

/** Entries that are looked through for the controls that spoke last. */
const spokenMax = 400;
const changesMax = 10_000;
const alarmsMs = 3_600_000;

/**
 * Puts together from the record what stood at one moment: which version of the policy, in which mode,
 * which controls of which versions, what PACE had done, which breakers were open, who was revoked, what was held, which alarms there were.
 */
export async function stateAt(at: number, newest: NewestEntries): Promise<StateAt> {
  const until = at + 1;
  const [effective] = await newest({ kind: 'policy.effective', actor: 'node', until }, 1);
  const [started] = await newest({ kind: 'mesh.started', until }, 1);
  const [stopped] = await newest({ kind: 'mesh.stopped', until }, 1);
  const since = at - alarmsMs;
  const alarms = await newest({ kind: 'indicator.raised', until, since }, 100);
  const revoked = await standing(newest, until, 'identity.revoked', 'identity.reinstated', nameIn);
  const holds = await standing(newest, until, 'record.held', 'record.released', (entry) =>
    entry.kind === 'record.held' ? textOf(entry.detail['order']) : textOf(entry.detail['subject']));
  return {
    at,
    mesh: started === undefined ? null : {
      running: stopped === undefined || stopped.sequence < started.sequence,
      mode: started.detail['mode'] ?? null,
      autonomyTier: started.detail['autonomyTier'] ?? null,
      deselected: started.detail['deselected'] ?? [],
      sequence: started.sequence,
    },
    policy: effective === undefined ? null : {
      version: effective.detail['policy'] ?? null,
      digest: effective.detail['digest'] ?? null,
      sequence: effective.sequence,
    },
    controls: controlsIn(await newest({ until }, spokenMax)),
    phases: phasesIn(await newest({ kind: 'pace.changed', until }, changesMax)),
    stops: stopsIn(await newest({ kind: 'pace.stop', until }, changesMax)),
    breakers: breakersIn(await newest({ kind: 'breaker.changed', until }, changesMax)),
    revoked: revoked.map((entry) => ({ subject: nameIn(entry), sequence: entry.sequence })),
    alarms: alarms.map(({ code, recordedAt, sequence }) => ({
      code: code ?? '', at: recordedAt, sequence,
    })),
    holds: holds.map(({ detail, sequence }) => ({ subject: textOf(detail['subject']), sequence })),
  };
}

/** What was begun and not ended: by subject, the newer of the two counts. */
async function standing(
  newest: NewestEntries,
  until: number,
  began: string,
  ended: string,
  subjectOf: (entry: RecordedEntry) => string,
): Promise<readonly RecordedEntry[]> {
  const ends = new Map<string, number>();
  for (const entry of await newest({ kind: ended, until }, changesMax)) {
    const subject = subjectOf(entry);
    ends.set(subject, Math.max(entry.sequence, ends.get(subject) ?? 0));
  }
  const begun = new Map<string, RecordedEntry>();
  for (const entry of await newest({ kind: began, until }, changesMax)) {
    const subject = subjectOf(entry);
    if (!begun.has(subject) && entry.sequence > (ends.get(subject) ?? -1)) begun.set(subject, entry);
  }
  return [...begun.values()];
}

function controlsIn(entries: readonly RecordedEntry[]): StateAt['controls'] {
  const controls = new Map<string, StateAt['controls'][number]>();
  for (const { verdicts, recordedAt, sequence } of entries) {
    for (const { control, version, outcome } of verdicts) {
      if (controls.has(control)) continue;
      controls.set(control, { control, version, outcome, at: recordedAt, sequence });
    }
  }
  return [...controls.values()].sort((a, b) => (a.control < b.control ? -1 : 1));
}

/** The newest change of each unit, where it did not end in the primary phase. */
function phasesIn(entries: readonly RecordedEntry[]): StateAt['phases'] {
  const newest = new Map<string, StateAt['phases'][number]>();
  for (const { detail, code, sequence } of entries) {
    const unit = textOf(detail['unit']);
    if (newest.has(unit)) continue;
    newest.set(unit, { unit, phase: textOf(detail['toPhase']), code, by: textOf(detail['by']), sequence });
  }
  return [...newest.values()].filter(({ phase }) => phase !== 'PRIMARY');
}

/** The newest account of each stop, where that does not say that it is over. */
function stopsIn(entries: readonly RecordedEntry[]): StateAt['stops'] {
  const newest = new Map<string, StateAt['stops'][number] & { readonly isOver: boolean }>();
  for (const { detail, sequence } of entries) {
    const stop = textOf(detail['stop']);
    if (newest.has(stop)) continue;
    newest.set(stop, {
      stop,
      kind: textOf(detail['stopKind']),
      unit: textOf(detail['unit']),
      stage: textOf(detail['stage']),
      sequence,
      isOver: detail['change'] === 'final' || detail['change'] === 'lifted',
    });
  }
  return [...newest.values()].flatMap(({ isOver, ...stop }) => (isOver ? [] : [stop]));
}

function breakersIn(entries: readonly RecordedEntry[]): StateAt['breakers'] {
  const newest = new Map<string, { readonly to: string; readonly sequence: number }>();
  for (const { detail, sequence } of entries) {
    const breaker = textOf(detail['breaker']);
    if (!newest.has(breaker)) newest.set(breaker, { to: textOf(detail['to']), sequence });
  }
  return [...newest].flatMap(([breaker, { to, sequence }]) => (to === 'open' ? [{ breaker, sequence }] : []));
}

function nameIn({ detail }: RecordedEntry): string {
  const { target } = detail;
  if (!isJsonObject(target)) return textOf(detail['agent']);
  return `${textOf(target['kind'])}:${textOf(target['value'])}`;
}

function textOf(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}
