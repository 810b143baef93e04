// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { MeshRecord } from '../mail-to-bank/story/record.ts';
import { patient, playStory, type Played } from './play.ts';

const state = mkdtempSync(join(tmpdir(), 'maso-'));
let played: Played;

beforeAll(async () => {
  const { stop, result } = await playStory(state);
  await stop();
  played = result;
}, 90_000);

afterAll(() => rmSync(state, { recursive: true, force: true }));

test('agents that read and weigh records work on one token, the clinician sees the name', () => {
  const { records, synthesis, clinic } = played.shown;
  expect(records).toMatch(/^tok_[A-Za-z0-9_-]{22}$/);
  expect(synthesis).toBe(records);
  expect(clinic).toBe(patient);
});

test('whom the trial left out travels with what it found', () => {
  expect(played.caveat).toContain('over 65 with diabetes were left out');
});

test('the name lies nowhere in the state of the mesh in clear, and each look at it is on record', async () => {
  const files = readdirSync(state, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const holding = files.map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => /Ada Example|MRN-0042/.test(readFileSync(file, 'latin1')));
  expect(holding).toEqual([]);
  const looks = (await new MeshRecord(state).entries())
    .filter(({ kind, detail }) => kind === 'knowledge.read' && detail['revealed'] === 1);
  expect(looks.map(({ detail }) => detail['agent'])).toEqual(['clinic']);
});

test('DP-T3.4: what is advised leads back to the document it rests on, step by step', async () => {
  const entries = await new MeshRecord(state).entries();
  const find = (kind: string, fits: (entry: (typeof entries)[number]) => boolean) => {
    const found = entries.find((entry) => entry.kind === kind && fits(entry));
    if (found === undefined) throw new Error(`no ${kind}`);
    return found;
  };
  const taken = find('knowledge.ingested', () => true);
  const looked = find('knowledge.read', ({ detail }) => detail['source'] === 'trials');
  const chart = find('message.outbound', ({ detail }) => detail['schema'] === 'chart/1');
  const advice = find('message.outbound', ({ detail }) => detail['schema'] === 'advice/1');
  const charted = find('tool.outcome', ({ detail }) => detail['tool'] === 'charts');
  // Where from, when, by whom, and what was made of it: at each step, and in the order it happened.
  expect([taken.actor, taken.detail['source']]).toEqual(['operator:local', 'trials']);
  expect([looked.detail['agent'], looked.causedBy.length]).toEqual(['synthesis', 1]);
  expect(advice.causedBy).toEqual(expect.arrayContaining([looked.message, chart.message]));
  expect(chart.causedBy).toContain(charted.message ?? charted.causedBy[0]);
  expect(advice.detail['label']).toMatchObject({
    integrity: 'untrusted', origins: expect.arrayContaining(['knowledge:trials', 'tool:charts']),
  });
  const steps = [taken, charted, chart, looked, advice].map(({ at }) => at);
  expect(steps).toEqual(steps.toSorted((a, b) => a - b));
});
