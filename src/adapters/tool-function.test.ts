// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ToolManifest } from '../mesh/mesh.ts';
import { pinOperations } from '../tool/pins.ts';
import { toolRunnerSuite } from '../tool/tool-runner.suite.ts';
import { FunctionToolRunner } from './tool-function.ts';
import { programFiles } from './tool-program-files.ts';

const source = `
const inputSchema = { type: 'object', properties: { mode: { type: 'string' } } };
const instance = new (class Odd {})();
const run = ({ mode }, { idempotencyKey }) => {
  if (mode === 'throw') throw new Error('secret-in-error');
  if (mode === 'hang') return new Promise(() => {});
  if (mode === 'odd') return { instance };
  if (mode === 'nothing') return undefined;
  if (mode === 'large') return 'x'.repeat(2000);
  return { mode: mode ?? 'none', idempotencyKey };
};
export const operations = {
  act: { description: 'Acts.', inputSchema, run },
  look: { description: 'Looks.', inputSchema, run },
  odd: { description: 'Has no function.', inputSchema },
};
`;

let directory = '';
let module = '';
let hangingModule = '';
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'maso-function-'));
  module = join(directory, 'operations.mjs');
  writeFileSync(module, source);
  hangingModule = join(directory, 'hanging.mjs');
  writeFileSync(hangingModule, source.replace("if (mode === 'hang')", 'if (true)'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function runnerOf(
  operations: readonly string[] = ['act', 'look'],
  pinned = true,
  from = module,
): FunctionToolRunner {
  const inputSchema = { type: 'object', properties: { mode: { type: 'string' } } };
  const manifest: ToolManifest = {
    name: 'local',
    runner: { kind: 'function', module: from },
    guarded: true,
    results: new Map(),
    operations: new Map(
      operations.map((name) => [
        name,
        { name, write: name === 'act', idempotent: false, timeoutMs: 1000 },
      ] as const),
    ),
    pins: pinned
      ? {
          files: programFiles([from], directory),
          operations: pinOperations([
            { operation: 'act', description: 'Acts.', inputSchema },
            { operation: 'look', description: 'Looks.', inputSchema },
          ]),
        }
      : null,
  };
  const bounds = { sizeMax: 1000, depthMax: 16 };
  return new FunctionToolRunner({ manifest, module: from, directory, pins: 'enforce', bounds });
}

async function answerOf(operation: string, mode: string, timeoutMs = 1000) {
  const runner = runnerOf();
  await runner.start();
  return runner.call({ operation, arguments: { mode }, idempotencyKey: 'key-1', timeoutMs });
}

toolRunnerSuite('a module of functions', () => ({
  pinned: () => runnerOf(),
  unpinned: () => runnerOf(['act', 'look'], false),
  hanging: () => runnerOf(['act', 'look'], true, hangingModule),
  arguments: {},
  wrongArguments: { mode: 1 },
}));

describe('a function tool', () => {
  test.each([
    ['throw', 'TOOL_ANSWERED_ERROR'],
    ['odd', 'TOOL_RESULT_NOT_JSON'],
    ['nothing', 'TOOL_RESULT_NOT_JSON'],
    ['large', 'TOOL_RESULT_TOO_LARGE'],
  ])('is doubted after a write and failed after a read: %s', async (mode, reason) => {
    expect(await answerOf('act', mode)).toEqual({ status: 'unknown', reason });
    expect(await answerOf('look', mode)).toEqual({ status: 'failed', reason });
  });

  test('that never ends is in doubt', async () => {
    expect(await answerOf('act', 'hang', 20)).toEqual(
      { status: 'unknown', reason: 'TOOL_TIMEOUT' },
    );
    expect(await answerOf('look', 'hang', 20)).toEqual(
      { status: 'failed', reason: 'TOOL_TIMEOUT' },
    );
  });

  test('is not called before it started, nor with other arguments or operations', async () => {
    const runner = runnerOf();
    const call = { operation: 'act', arguments: {}, idempotencyKey: 'key-1', timeoutMs: 100 };
    expect(await runner.call(call)).toEqual({ status: 'failed', reason: 'TOOL_UNAVAILABLE' });
    await runner.start();
    const wrong = { ...call, arguments: { mode: 1 } };
    expect(await runner.call(wrong)).toEqual({ status: 'failed', reason: 'TOOL_ARGUMENTS' });
    const other = { ...call, operation: 'toString' };
    expect(await runner.call(other)).toEqual({ status: 'failed', reason: 'TOOL_UNKNOWN' });
  });

  test('does not start without pins, or without a function that it must have', async () => {
    await expect(
      runnerOf(['act'], false).start(),
    ).rejects.toMatchObject({ code: 'TOOL_NOT_PINNED' });
    for (const name of ['odd', 'toString', 'absent']) {
      await expect(runnerOf([name]).start()).rejects.toMatchObject(
        { code: 'TOOL_OPERATION_MISSING' },
      );
    }
  });

  test('answers with a copy, and sees the idempotency key', async () => {
    expect(await answerOf('act', 'plain')).toEqual({
      status: 'done',
      value: { mode: 'plain', idempotencyKey: 'key-1' },
    });
  });
});
