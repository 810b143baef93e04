// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { isJsonObject, type JsonObject, type JsonValue } from '../message/json.ts';
import type { RecordedEntry } from '../recorder/entry.ts';
import type { Approval } from './approvals.ts';
import type { Hold } from './hold.ts';

/** The question that a probe was made of: its message and its task. */
export type ProbeModel = { readonly message: string; readonly task: string };

export type Probe = { readonly hold: Hold; readonly of: ProbeModel };

/** Randomness and ids come in, so that a test can say which probe it gets. */
export type ProbeMaking = {
  readonly mintId: () => string;
  readonly bytes: (count: number) => Uint8Array;
  readonly nowMs: number;
  readonly deadlineMs: (risk: Hold['risk']) => number;
};

/**
 * A case that looks like what people are asked, and that nobody who looks would release: a real
 * question with an amount far above and a name that no source gave. Null while there was no real
 * question to make it of. It names a message that no executor has and a digest of nothing, so that
 * no signature over it could release anything, whoever carries it.
 */
export function makeProbe(real: readonly Hold[], making: ProbeMaking): Probe | null {
  const suited = real.filter(({ parameters }) => Object.values(parameters).some(isTelling));
  const [at = 0] = making.bytes(1);
  const model = suited[at % Math.max(1, suited.length)];
  if (model === undefined) return null;
  const { parameters, changed } = distorted(model.parameters);
  const digest = createHash('sha256').update('maso probe').update(making.bytes(32));
  const hold: Hold = {
    ...model,
    message: making.mintId(),
    task: making.mintId(),
    parameters,
    digest: digest.digest('base64url'),
    endorse: changed.map((pointer) => ({
      pointer, sources: [], origins: [model.rootOrigin],
    })),
    reasons: [...new Set([...model.reasons, 'POLICY_ENDORSEMENT_REQUIRED'])].slice(0, 32),
    expiresAt: making.nowMs + making.deadlineMs(model.risk),
    causedBy: [],
    modifiedBy: undefined,
  };
  return { hold, of: { message: model.message, task: model.task } };
}

function isTelling(value: JsonValue): boolean {
  return typeof value === 'number' || (typeof value === 'string' && /[a-z]{4}/i.test(value));
}

/** Numbers grow by a factor, and the first name gets letters that are easy to overlook. */
function distorted(
  parameters: JsonObject,
): { readonly parameters: JsonObject; readonly changed: readonly string[] } {
  const changed: string[] = [];
  const result: { [name: string]: JsonValue } = {};
  for (const [name, value] of Object.entries(parameters)) {
    result[name] = value;
    if (typeof value === 'number') result[name] = Math.round(value * 970) / 100;
    else if (typeof value === 'string' && isTelling(value) && changed.length === 0) {
      result[name] = misspelt(value);
    } else continue;
    changed.push(`/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`);
  }
  return { parameters: result, changed };
}

/** One letter doubled in the middle. */
function misspelt(text: string): string {
  const middle = Math.floor(text.length / 2);
  return text.slice(0, middle) + (text[middle] ?? '') + text.slice(middle);
}

/** What people are shown: that it is a probe only once it was answered. */
export function shownApproval(approval: Approval): Approval {
  const { probe: _probe, probeOf: _of, ...shown } = approval;
  return approval.state === 'pending' ? shown : approval;
}

/**
 * What the record would have of a probe's request, were there one: the steps of the question that it was
 * made of up to where people were asked, under the probe's own ids and times. It is shown to whoever
 * looks at a probe that waits, so that a card without a past gives none away; nothing of it is recorded.
 */
export function stepsOfProbe(
  probe: Approval,
  of: ProbeModel,
  entries: readonly RecordedEntry[],
): readonly RecordedEntry[] {
  const heldAt = entries.findIndex(({ kind, message }) => kind === 'approval.held' && message === of.message);
  const isReview = ({ kind, message }: RecordedEntry): boolean =>
    kind === 'request.reviewed' && message === of.message;
  const before = heldAt < 0 ? entries : entries.slice(0, heldAt + 1);
  // Sidecar and node record apart: the review that led to the question may come after it.
  const late = before.some(isReview) ? undefined : entries.slice(before.length).find(isReview);
  const own = late === undefined ? before : [...before.slice(0, -1), late, ...before.slice(-1)];
  const laterMs = probe.heldAt - (own.at(-1)?.at ?? probe.heldAt);
  const asked = own.at(-1)?.detail['approval'];
  const names = new Map([[of.message, probe.hold.message], [of.task, probe.hold.task]]);
  if (typeof asked === 'string') names.set(asked, probe.id);
  const renamed = (text: string): string => {
    let result = text;
    for (const [from, to] of names) result = result.replaceAll(from, to);
    return result;
  };
  return own.map((entry) => ({
    ...entry,
    id: renamed(entry.id),
    at: entry.at + laterMs,
    recordedAt: entry.recordedAt + laterMs,
    task: entry.task === null ? null : renamed(entry.task),
    message: entry.message === null ? null : renamed(entry.message),
    causedBy: entry.causedBy.map(renamed),
    detail: renamedIn(entry.detail, renamed),
  }));
}

function renamedIn(value: JsonObject, renamed: (text: string) => string): JsonObject {
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, renamedValue(member, renamed)]),
  );
}

function renamedValue(value: JsonValue, renamed: (text: string) => string): JsonValue {
  if (typeof value === 'string') return renamed(value);
  if (Array.isArray(value)) return value.map((one: JsonValue) => renamedValue(one, renamed));
  return isJsonObject(value) ? renamedIn(value, renamed) : value;
}
