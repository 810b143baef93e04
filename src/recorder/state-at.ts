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
 * which controls of which versions, who was revoked, what was held, which alarms there were.
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

function nameIn({ detail }: RecordedEntry): string {
  const { target } = detail;
  if (!isJsonObject(target)) return textOf(detail['agent']);
  return `${textOf(target['kind'])}:${textOf(target['value'])}`;
}

function textOf(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}
