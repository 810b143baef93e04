// SPDX-License-Identifier: Apache-2.0
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readMesh } from '../../src/adapters/mesh-files.ts';
import { pinTools } from '../../src/cli/tools-pin.ts';
import { meshFile } from './story/mesh-process.ts';
import { rightPayments, type PlayedScenario, type PlayedStory } from './story/play.ts';
import { gapsIn, MeshRecord } from './story/record.ts';
import { scenarios } from './story/scenarios.ts';

const run = promisify(execFile);
/** Other users can run what is in this checkout only if they can pass every folder down to it. */
const separates = process.getuid?.() === 0 && isPassable(import.meta.dirname);
const directories: string[] = [];

afterAll(() => {
  for (const directory of directories) rmSync(directory, { recursive: true, force: true });
});

describe('the mesh file of the story', () => {
  test('has no errors, and warns of no more than it says itself', () => {
    const loaded = readMesh(meshFile);
    expect(loaded.ok).toBe(true);
    const codes = loaded.diagnostics.map(({ code }) => code);
    expect(codes).toEqual(['MESH_DEVELOPMENT', 'MESH_OPERATOR_NONE']);
  });

  test('pins its tools as they are', async () => {
    const report = await pinTools({ meshFile, write: false, onProgress: () => {} });
    expect(report.outcome).toBe('unchanged');
  });
});

describe('the story', () => {
  let story: PlayedStory;
  let state = '';

  beforeAll(async () => {
    state = mkdtempSync(join(tmpdir(), 'maso-'));
    directories.push(state);
    story = await play(state);
  }, 120_000);

  test.each(scenarios)('$title: ends as $expected', ({ name, expected, also }) => {
    expect(playedOf(story, name)).toMatchObject({ ending: expected, also });
  });

  test('pays what was ordered, and nothing else', () => {
    expect(story.payments).toEqual(rightPayments);
  });

  test('leaves a record that verifies', () => {
    expect(story.recorder.ok).toBe(true);
    expect(story.recorder.entries).toBeGreaterThan(300);
  });

  test('leaves a record in which nothing began without an end', async () => {
    const entries = await new MeshRecord(state).entries();
    const sent = entries.filter(({ kind }) => kind === 'message.outbound');
    const called = entries.filter(({ kind }) => kind === 'tool.intent');
    expect(sent.length).toBeGreaterThan(60);
    expect(called.length).toBeGreaterThan(30);
    expect(gapsIn(entries)).toEqual([]);
    for (const kind of ['message.admitted', 'message.delivered', 'tool.outcome']) {
      const first = entries.find((one) => one.kind === kind);
      expect(gapsIn(entries.filter((one) => one !== first))).toHaveLength(1);
    }
  });

  test('still shows the good invoice as paid after the replay was refused', async () => {
    const trace = await new MeshRecord(state).trace(playedOf(story, 'good-invoice').trace ?? '');
    expect(trace?.resolution.outcome).toBe('DONE');
    expect(trace?.subject).toMatchObject({
      description: 'pay_invoice',
      risk_classification: 'HIGH',
    });
  });

  test('writes no word of a mail into the record', async () => {
    const entries = JSON.stringify(await new MeshRecord(state).entries());
    for (const word of ['NORTHWIND', 'HARBOUR', 'QUICKPAY', 'GREENFIELD', 'kindly', 'ACME']) {
      expect(entries.includes(word)).toBe(false);
    }
  });

  test.runIf(separates)('gives every agent a uid of its own (needs root, open folders)', () => {
    expect(story.isolation).toBe('uid');
  });
});

describe.runIf(separates)('the story without root (needs root to shed, open folders)', () => {
  test('ends the same, and says that agents are not kept apart', async () => {
    const state = mkdtempSync(join(tmpdir(), 'maso-'));
    directories.push(state);
    await run('chown', ['65534:65534', state]);
    const story = await play(state, { uid: 65_534, gid: 65_534 });
    expect(story.isolation).toBe('none');
    expect(story.scenarios.filter(({ asExpected }) => !asExpected)).toEqual([]);
    expect(story.ok).toBe(true);
  }, 120_000);
});

/** As `npm start` plays it, but it stops at the end. */
async function play(
  state: string,
  identity: { readonly uid?: number; readonly gid?: number } = {},
): Promise<PlayedStory> {
  const program = join(import.meta.dirname, 'run.ts');
  const args = [program, '--once', '--json', '--state', state];
  const options = { ...identity, timeout: 110_000, maxBuffer: 16 * 1024 * 1024 };
  // Exit code 1 says that something ended differently; the tests below say what.
  const { stdout } = await run(process.execPath, args, options).catch(
    (failure: { readonly stdout: string; readonly stderr: string }) => {
      if (failure.stdout === '') throw new Error(failure.stderr);
      return failure;
    },
  );
  const played: PlayedStory = JSON.parse(stdout);
  return played;
}

function isPassable(directory: string): boolean {
  const open = (statSync(directory).mode & 0o001) !== 0;
  const parent = dirname(directory);
  return open && (parent === directory || isPassable(parent));
}

function playedOf(story: PlayedStory, name: string): PlayedScenario {
  const played = story.scenarios.find((one) => one.name === name);
  if (played === undefined) throw new Error(`The story has no scenario ${name}.`);
  return played;
}
