// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest';
import type { PlayedStory } from './play.ts';
import { summaryLines } from './print.ts';

const scenario = {
  title: '', tookMs: 1, name: 'poisoned-mail-other-amount', expected: 'SIDECAR_TOOL_NOT_PERMITTED', trace: null, also: [],
};
const story: PlayedStory = {
  scenarios: [
    { ...scenario, ending: 'SIDECAR_TOOL_NOT_PERMITTED', asExpected: true },
    { ...scenario, ending: 'DONE', asExpected: false },
  ],
  payments: [], gaps: [], recorder: { ok: true, entries: 1 }, bus: '', state: '', console: null, waiting: null,
  isolation: 'uid', readyMs: 1, tookMs: 1, ok: false,
};

it('keeps the table of what was expected and seen within 80 columns, and shows what was seen instead', () => {
  const lines = summaryLines(story);
  expect(lines.filter((line) => line.length > 80)).toEqual([]);
  expect(lines[2]).toMatch(/^ok .* the same$/);
  expect(lines[3]).toMatch(/^FAIL .* DONE$/);
});
