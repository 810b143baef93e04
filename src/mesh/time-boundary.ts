// SPDX-License-Identifier: Apache-2.0
import type { OISpecFile } from './oispec-file.ts';
import type { TimeBoundary } from './oispec.ts';

const unbounded: TimeBoundary = { notBeforeMs: null, notAfterMs: null, durationMs: null };

/** ISO 8601 date and time of day with an offset, as RFC 3339 writes it. */
const instant = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,3})?(Z|[+-]\d{2}:\d{2})$/;
/** ISO 8601 duration without years and months, whose length depends on when. */
const duration = /^P(?:(\d{1,4})D)?(?:T(?=\d)(?:(\d{1,4})H)?(?:(\d{1,5})M)?(?:(\d{1,7})S)?)?$/;

/**
 * What an OISpec's `time_boundary` says: members, or the framework's text, which is an ISO 8601
 * duration of a task (`PT30M`) or an interval (`2026-01-01T00:00:00Z/2026-02-01T00:00:00Z`).
 * Other text is an error of the file (`MESH_TIME_BOUNDARY`): nothing could hold it.
 */
export function timeBoundaryOf(given: OISpecFile['parameters']['time_boundary']): TimeBoundary {
  if (given === undefined) return unbounded;
  if (typeof given === 'string') return parseInterval(given) ?? unbounded;
  const { max_duration_seconds: seconds, not_before: from, not_after: until } = given;
  return {
    notBeforeMs: from === undefined ? null : Date.parse(from),
    notAfterMs: until === undefined ? null : Date.parse(until),
    durationMs: seconds === undefined ? null : seconds * 1000,
  };
}

/** Null for text that is neither a duration nor an interval that begins before it ends. */
export function parseInterval(text: string): TimeBoundary | null {
  const parts = duration.exec(text);
  if (parts !== null) {
    const [, days = '0', hours = '0', minutes = '0', seconds = '0'] = parts;
    const lasts = ((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60 + Number(seconds);
    return lasts > 0 ? { ...unbounded, durationMs: lasts * 1000 } : null;
  }
  const [from = '', until = '', ...others] = text.split('/');
  if (others.length > 0 || !instant.test(from) || !instant.test(until)) return null;
  const notBeforeMs = Date.parse(from);
  const notAfterMs = Date.parse(until);
  return notBeforeMs < notAfterMs ? { ...unbounded, notBeforeMs, notAfterMs } : null;
}
