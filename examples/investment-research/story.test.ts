// SPDX-License-Identifier: Apache-2.0
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readMesh } from '../../src/adapters/mesh-files.ts';
import { coverageOf } from '../../src/mesh/workflow.ts';
import { meshFile, type Played, type PlayedStory } from './story/play.ts';
import { scenarios } from './story/scenarios.ts';

const state = mkdtempSync(join(tmpdir(), 'maso-'));
let story: PlayedStory;

afterAll(() => rmSync(state, { recursive: true, force: true }));

beforeAll(async () => {
  const program = join(import.meta.dirname, 'run.ts');
  const options = { timeout: 110_000, maxBuffer: 16 * 1024 * 1024 };
  // Exit code 1 says that an order ended differently; the tests below say which.
  const { stdout } = await promisify(execFile)(process.execPath, [program, '--json', '--state', state], options)
    .catch((failure: { readonly stdout: string; readonly stderr: string }) => {
      if (failure.stdout === '') throw new Error(failure.stderr);
      return failure;
    });
  story = JSON.parse(stdout) as PlayedStory;
}, 120_000);

test('the mesh file has no errors, and somebody answers for each criterion of the workflow', () => {
  const loaded = readMesh(meshFile);
  if (!loaded.ok) throw new Error(loaded.diagnostics.map(({ code }) => code).join(' '));
  expect(coverageOf(loaded.mesh).map(({ coveredBy }) => coveredBy.length)).toEqual([1, 1, 1]);
});

test.each(scenarios)('$ticker: $title', ({ ticker, status, codes, done, judged, whole }) => {
  const played = story.scenarios.find((one: Played) => one.ticker === ticker);
  expect(played?.seen).toEqual({ status, codes, done, judged, whole });
});

test('whoever has to correct the first report finds what its figures reached', () => {
  expect(story.reached.published).toBe(true);
  expect(story.reached.messages).toBeGreaterThan(6);
});

test('the workflow has a word on every order, and the record verifies', () => {
  expect(new Set(story.workflows.map(({ task }) => task)).size).toBe(scenarios.length);
  expect(story.recorder.ok).toBe(true);
});
