// SPDX-License-Identifier: Apache-2.0
import { isJsonObject } from '../message/json.ts';
import type { EntryDraft, EntryKind } from './entry.ts';

/**
 * Refusals and the indicators they raise have quotas of their own: a flood of refusals must not
 * hide the indicator that names its source.
 */
export type QuotaLane = 'refusals' | 'indicators';

export type RefusalQuotaLimits = {
  /** Bytes of entries that one lane may write in one window. */
  readonly bytesMax: number;
  readonly windowMs: number;
};

/**
 * Pure state: what was written in this window, and what was counted instead since the last digest.
 */
export type RefusalQuotaState = {
  readonly windowStartedAt: number;
  readonly bytesUsed: { readonly [lane in QuotaLane]: number };
  readonly counts: ReadonlyMap<string, number>;
  /** When the oldest counted refusal was folded; null when nothing is counted. */
  readonly countedSince: number | null;
};

export type RefusalDigest = {
  readonly counts: ReadonlyMap<string, number>;
  readonly since: number;
};

const lanes: { readonly [kind in EntryKind]?: QuotaLane } = {
  'message.refused': 'refusals',
  'identity.refused': 'refusals',
  'refusals.counted': 'refusals',
  'indicator.raised': 'indicators',
};

/**
 * Distinct codes in one digest; the rest is counted as `OTHER`, so a digest stays one small entry.
 */
const codesMax = 64;
const codePattern = /^[A-Z][A-Z0-9_]{0,63}$/;

export const emptyQuota: RefusalQuotaState = {
  windowStartedAt: 0,
  bytesUsed: { refusals: 0, indicators: 0 },
  counts: new Map(),
  countedSince: null,
};

/** The lane that an attacker can flood with entries of this kind; null for all others. */
export function quotaLane(kind: EntryKind): QuotaLane | null {
  return lanes[kind] ?? null;
}

/**
 * Asks to write an entry of so many bytes. The first one that does not fit closes the lane for the
 * rest of the window, so that small refusals cannot slip through behind large ones. A clock that
 * goes back opens nothing.
 */
export function askQuota(
  state: RefusalQuotaState,
  limits: RefusalQuotaLimits,
  lane: QuotaLane,
  bytes: number,
  nowMs: number,
): { readonly state: RefusalQuotaState; readonly write: boolean } {
  const current = rollWindow(state, limits, nowMs);
  const used = current.bytesUsed[lane] + bytes;
  const write = used <= limits.bytesMax;
  const bytesUsed = { ...current.bytesUsed, [lane]: write ? used : limits.bytesMax };
  return { state: { ...current, bytesUsed }, write };
}

/** Whether the lane is closed for now: then the size of an entry need not even be computed. */
export function isLaneClosed(
  state: RefusalQuotaState,
  limits: RefusalQuotaLimits,
  lane: QuotaLane,
  nowMs: number,
): boolean {
  return rollWindow(state, limits, nowMs).bytesUsed[lane] >= limits.bytesMax;
}

/** Counts an entry instead of writing it. A digest that another process counted is added up. */
export function foldRefusal(
  state: RefusalQuotaState,
  draft: EntryDraft,
  nowMs: number,
): RefusalQuotaState {
  return mergeCounts(state, { counts: countsOf(draft), since: nowMs });
}

/** Takes what was counted, to be written as one entry; null when there is nothing. */
export function takeDigest(state: RefusalQuotaState): {
  readonly state: RefusalQuotaState;
  readonly digest: RefusalDigest | null;
} {
  if (state.countedSince === null) return { state, digest: null };
  return {
    state: { ...state, counts: new Map(), countedSince: null },
    digest: { counts: state.counts, since: state.countedSince },
  };
}

/** Puts back a digest that could not be made durable: its counts go into the next one. */
export function mergeCounts(state: RefusalQuotaState, digest: RefusalDigest): RefusalQuotaState {
  const counts = new Map(state.counts);
  for (const [code, count] of digest.counts) {
    const key = counts.has(code) || counts.size < codesMax - 1 ? code : 'OTHER';
    counts.set(key, Math.min((counts.get(key) ?? 0) + count, Number.MAX_SAFE_INTEGER));
  }
  const countedSince = Math.min(state.countedSince ?? digest.since, digest.since);
  return { ...state, counts, countedSince };
}

function rollWindow(
  state: RefusalQuotaState,
  limits: RefusalQuotaLimits,
  nowMs: number,
): RefusalQuotaState {
  if (!(nowMs - state.windowStartedAt >= limits.windowMs)) return state;
  return { ...state, windowStartedAt: nowMs, bytesUsed: emptyQuota.bytesUsed };
}

function countsOf(draft: EntryDraft): ReadonlyMap<string, number> {
  const counted = draft.detail['counts'];
  if (draft.kind !== 'refusals.counted' || !isJsonObject(counted)) {
    return new Map([[codeKey(draft.code ?? ''), 1]]);
  }
  const counts = new Map<string, number>();
  for (const [code, count] of Object.entries(counted)) {
    if (typeof count !== 'number' || !Number.isSafeInteger(count) || count < 1) continue;
    const key = codeKey(code);
    counts.set(key, Math.min((counts.get(key) ?? 0) + count, Number.MAX_SAFE_INTEGER));
  }
  return counts.size === 0 ? new Map([[codeKey(draft.code ?? ''), 1]]) : counts;
}

function codeKey(code: string): string {
  return codePattern.test(code) ? code : 'OTHER';
}
