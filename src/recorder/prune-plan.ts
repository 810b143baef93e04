// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { canonicalize } from '../message/canonical-json.ts';
import { isJsonObject } from '../message/json.ts';
import type { JsonObject, JsonValue } from '../message/json.ts';

/** Positions from the first up to, not including, the second. */
export type PositionRange = readonly [from: number, to: number];

/** What is to be taken out of the log, and by which rule. */
export type PrunePlan = {
  /** Days by risk class, as the mesh file in force said. */
  readonly retentionDays: { readonly [risk: string]: number };
  /** The ages are measured back from here, milliseconds since 1970. */
  readonly at: number;
  /** In order, apart from one another, none empty. */
  readonly ranges: readonly PositionRange[];
};

/** Ranges of one entry: it stays well below the size that an entry may have. */
export const rangesPerEntry = 1500;
/** All entries of one plan are recorded together. */
const rangesMax = 1000 * rangesPerEntry;

export function planDigest(plan: PrunePlan): string {
  return createHash('sha256').update(canonicalize(planJson(plan))).digest('base64url');
}

export function planJson({ retentionDays, at, ranges }: PrunePlan): JsonObject {
  return { retentionDays: { ...retentionDays }, at, ranges: ranges.map((range) => [...range]) };
}

/** Null unless the value is exactly a plan with something in it. */
export function parsePrunePlan(value: JsonValue | undefined): PrunePlan | null {
  if (!isJsonObject(value)) return null;
  const { retentionDays, at, ranges, ...unknown } = value;
  if (Object.keys(unknown).length > 0 || !isJsonObject(retentionDays)) return null;
  const days: { [risk: string]: number } = {};
  for (const [risk, count] of Object.entries(retentionDays)) {
    if (!isPosition(count)) return null;
    days[risk] = count;
  }
  if (!isPosition(at) || !Array.isArray(ranges)) return null;
  if (ranges.length === 0 || ranges.length > rangesMax) return null;
  const parsed: PositionRange[] = [];
  let end = -1;
  for (const range of ranges) {
    const [from, to, ...rest] = Array.isArray(range) ? range : [];
    if (rest.length > 0 || !isPosition(from) || !isPosition(to)) return null;
    if (!(from > end && to > from)) return null;
    parsed.push([from, to]);
    end = to;
  }
  return { retentionDays: days, at, ranges: parsed };
}

export function entriesIn(ranges: readonly PositionRange[]): number {
  return ranges.reduce((sum, [from, to]) => sum + to - from, 0);
}

function isPosition(value: JsonValue | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
