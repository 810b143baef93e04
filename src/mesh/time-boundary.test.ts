// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { parseInterval, timeBoundaryOf } from './time-boundary.ts';

describe('parseInterval', () => {
  it.each([
    'until the work is done', '', 'P', 'PT', 'PT0S', 'P1Y', 'P1M', '-PT5M', 'PT30M/PT1H',
    '2026-01-01T00:00:00Z', '2026-01-01/2026-02-01', '2026-02-01T00:00:00Z/2026-01-01T00:00:00Z',
    '2026-01-01T00:00:00Z/2026-01-01T00:00:00Z', '2026-13-01T00:00:00Z/2027-01-01T00:00:00Z',
    '2026-01-01T00:00:00Z/2026-02-01T00:00:00Z/x',
  ])('holds nothing that says %j', (text) => {
    expect(parseInterval(text)).toBe(null);
  });

  it('reads a duration as the time of a task', () => {
    expect(parseInterval('PT30M')).toMatchObject({ durationMs: 30 * 60_000, notAfterMs: null });
    expect(parseInterval('P1DT2H3M4S')?.durationMs).toBe(((26 * 60 + 3) * 60 + 4) * 1000);
  });

  it('reads an interval as two instants', () => {
    expect(parseInterval('2026-01-01T00:00:00Z/2026-01-02T00:00:00+01:00')).toEqual({
      notBeforeMs: Date.UTC(2026, 0, 1), notAfterMs: Date.UTC(2026, 0, 1, 23), durationMs: null,
    });
  });
});

describe('timeBoundaryOf', () => {
  it('takes the members of a map', () => {
    const given = { max_duration_seconds: 1.5, not_after: '2026-01-01T00:00:00Z' };
    expect(timeBoundaryOf(given)).toEqual({
      notBeforeMs: null, notAfterMs: Date.UTC(2026, 0, 1), durationMs: 1500,
    });
  });
});
