// SPDX-License-Identifier: Apache-2.0
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import {
  hostileManifest,
  hostileServer,
  serverDirectory,
} from '../../test/tool-servers/hostile-manifest.ts';
import type { ToolManifest } from '../mesh/mesh.ts';
import type { ToolCall, ToolIndicator, ToolRunner } from '../tool/tool-runner.ts';
import { stdioToolRunner } from './tool-mcp-stdio.ts';
import type { StdioRunnerOptions } from './tool-mcp-stdio.ts';
import { toolRunnerSuite } from '../tool/tool-runner.suite.ts';
import { programFiles } from './tool-program-files.ts';

const open: ToolRunner[] = [];
const folders: string[] = [];
let indicators: ToolIndicator[] = [];
let nowMs = 0;

afterEach(async () => {
  await Promise.all(open.splice(0).map((runner) => runner.close()));
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
  indicators = [];
  nowMs = 0;
});

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'maso-tool-'));
  folders.push(path);
  return path;
}

function runnerOf(manifest: ToolManifest, change: Partial<StdioRunnerOptions> = {}): ToolRunner {
  if (manifest.runner.kind !== 'stdio') throw new Error('a stdio tool is expected');
  const runner = stdioToolRunner({
    manifest,
    command: manifest.runner.command,
    env: manifest.runner.env,
    directory: serverDirectory,
    identity: null,
    messageBytesMax: 1024 * 1024,
    startTimeoutMs: 10_000,
    pins: 'enforce',
    clock: { nowMs: () => nowMs },
    onIndicator: (indicator) => indicators.push(indicator),
    ...change,
  });
  open.push(runner);
  return runner;
}

function call(operation: 'act' | 'look', change: Partial<ToolCall> = {}): ToolCall {
  return { operation, arguments: { x: 1 }, idempotencyKey: 'key-0001', timeoutMs: 5000, ...change };
}

toolRunnerSuite('an MCP server over stdio', () => ({
  pinned: () => runnerOf(hostileManifest('good')),
  unpinned: () => runnerOf({ ...hostileManifest('good'), pins: null }),
  hanging: () => runnerOf(hostileManifest('hang')),
  arguments: { x: 1 },
  wrongArguments: { x: 'one' },
}));
test('a call that may not begin any more, once the tool was there, is not handed over', async () => {
  const runner = runnerOf(hostileManifest('good'));
  let asked = 0;
  const mayBegin = (): boolean => {
    asked += 1;
    return false;
  };
  expect(await runner.call(call('act', { mayBegin }))).toEqual({ status: 'failed', reason: 'TOOL_ADMISSION_LATE' });
  expect(asked).toBe(1);
  expect(await runner.call(call('look'))).toMatchObject({ status: 'done' });
});

describe('an MCP tool over stdio does not start', () => {
  test.each([
    ['changed-description', 'TOOL_PIN_MISMATCH'],
    ['changed-schema', 'TOOL_PIN_MISMATCH'],
    ['missing-operation', 'TOOL_OPERATION_MISSING'],
  ])('with %s', async (behaviour, code) => {
    const runner = runnerOf(hostileManifest(behaviour));
    await expect(runner.start()).rejects.toMatchObject({ code });
    expect(await runner.call(call('act'))).toEqual(
      { status: 'failed', reason: 'TOOL_UNAVAILABLE' },
    );
    nowMs += 60_000;
    expect(await runner.call(call('act'))).toEqual({ status: 'failed', reason: code });
  });

  test('without pins', async () => {
    const runner = runnerOf({ ...hostileManifest('good'), pins: null });
    await expect(runner.start()).rejects.toMatchObject({ code: 'TOOL_NOT_PINNED' });
  });

  test('when a program file, or a file that it imports, was changed or added', async () => {
    const directory = folder();
    const entry = join(directory, 'server.ts');
    copyFileSync(hostileServer, join(directory, 'inner.ts'));
    writeFileSync(entry, "import './inner.ts';\n");
    const command = ['node', entry, 'good'];
    const files = programFiles(command, directory);
    expect(Object.keys(files)).toEqual([join(directory, 'inner.ts'), entry]);
    const { operations } = hostileManifest('good').pins ?? { operations: {} };
    const manifest: ToolManifest = {
      ...hostileManifest('good'),
      runner: { kind: 'stdio', command, env: {} },
      pins: { files, operations },
    };
    await runnerOf(manifest, { directory }).start();
    const changed = { code: 'TOOL_PROGRAM_CHANGED' };
    writeFileSync(join(directory, 'inner.ts'), `${readFileSync(hostileServer, 'utf8')}\n//\n`);
    await expect(runnerOf(manifest, { directory }).start()).rejects.toMatchObject(changed);
    copyFileSync(hostileServer, join(directory, 'inner.ts'));
    writeFileSync(join(directory, 'more.ts'), '');
    writeFileSync(entry, "import './inner.ts';\nimport './more.ts';\n");
    await expect(runnerOf(manifest, { directory }).start()).rejects.toMatchObject(changed);
  });

  test('when its command names no program file, or does not exist', async () => {
    const manifest = hostileManifest('good');
    for (const command of [['no-such-tool', '-y'], ['/nonexistent/tool'], []]) {
      const runner = runnerOf(manifest, { command });
      await expect(runner.start()).rejects.toMatchObject({ code: 'TOOL_START_FAILED' });
    }
  });

  test('when it does not answer in time', async () => {
    const runner = runnerOf(hostileManifest('mute'), { startTimeoutMs: 300 });
    await expect(runner.start()).rejects.toMatchObject({ code: 'TOOL_START_FAILED' });
  });
});

describe('an MCP tool over stdio is doubted after a write and failed after a read', () => {
  test.each([
    ['garbage', 'TOOL_PROTOCOL'],
    ['duplicate-keys', 'TOOL_PROTOCOL'],
    ['die', 'TOOL_DIED'],
    ['big', 'TOOL_RESULT_TOO_LARGE'],
    ['endless-line', 'TOOL_RESULT_TOO_LARGE'],
    ['abyss', 'TOOL_PROTOCOL'],
    ['error-result', 'TOOL_ANSWERED_ERROR'],
    ['protocol-error', 'TOOL_ANSWERED_ERROR'],
    ['flood', 'TOOL_PROTOCOL'],
  ])('when it shows %s', async (behaviour, reason) => {
    const runner = runnerOf(hostileManifest(behaviour));
    expect(await runner.call(call('act'))).toEqual({ status: 'unknown', reason });
    nowMs += 60_000;
    expect(await runner.call(call('look'))).toEqual({ status: 'failed', reason });
    expect(JSON.stringify(indicators)).not.toContain('secret');
  });

  test('when it hangs', async () => {
    const runner = runnerOf(hostileManifest('hang'));
    await runner.start();
    const brief = { timeoutMs: 50 };
    expect(await runner.call(call('act', brief))).toEqual(
      { status: 'unknown', reason: 'TOOL_TIMEOUT' },
    );
    expect(await runner.call(call('look', brief))).toEqual(
      { status: 'failed', reason: 'TOOL_TIMEOUT' },
    );
  });
});

describe('an MCP tool over stdio', () => {
  test('is never asked with arguments or operations outside its pins', async () => {
    const count = join(folder(), 'calls');
    writeFileSync(count, '');
    const runner = runnerOf(hostileManifest('good', count));
    await runner.start();
    const wrong = call('act', { arguments: { x: 'one' } });
    expect(await runner.call(wrong)).toEqual({ status: 'failed', reason: 'TOOL_ARGUMENTS' });
    const other = { ...call('act'), operation: 'toString' };
    expect(await runner.call(other)).toEqual({ status: 'failed', reason: 'TOOL_UNKNOWN' });
    expect(readFileSync(count, 'utf8')).toBe('');
  });

  test('is offered no sampling, elicitation or roots, and asking is an indicator', async () => {
    const runner = runnerOf(hostileManifest('ask'));
    expect(await runner.call(call('look'))).toEqual({
      status: 'done',
      value: { replies: ['a', 'b', 'c'].map((id) => ({ id, code: -32601 })) },
    });
    expect(indicators.filter((one) => one.code === 'TOOL_BACK_CHANNEL')).toHaveLength(3);
  });

  test('keeps its pinned operations when it announces others, an indicator', async () => {
    const runner = runnerOf(hostileManifest('list-changed'));
    expect(await runner.call(call('look'))).toMatchObject({ status: 'done' });
    expect(indicators).toContainEqual({ tool: 'hostile', code: 'TOOL_LIST_CHANGED' });
  });

  test('inherits nothing of the environment', async () => {
    process.env['MASO_TEST_SECRET'] = 'x';
    const runner = runnerOf(hostileManifest('environment'), { env: { GIVEN: '1' } });
    const answer = await runner.call(call('look'));
    expect(answer).toMatchObject({ status: 'done', value: { names: ['GIVEN', 'PATH'] } });
  });

  test.runIf(process.getuid?.() === 0)('runs under its own uid', async () => {
    const directory = folder();
    const runner = runnerOf(hostileManifest('environment'), {
      identity: { uid: 65_534, gid: 65_534 },
      directory: '/',
    });
    const answer = await runner.call(call('look'));
    expect(directory).not.toBe('');
    expect(answer).toMatchObject({ status: 'done', value: { uid: 65_534 } });
  });

  test('gets the idempotency key where it declares to take one', async () => {
    const manifest = hostileManifest('good');
    const act = { name: 'act', write: true, idempotent: true, timeoutMs: 1000 };
    const runner = runnerOf({ ...manifest, operations: new Map([['act', act]]) });
    const answer = await runner.call(call('act'));
    expect(answer).toMatchObject({ value: { given: { x: 1, idempotency_key: 'key-0001' } } });
  });

  test('may write as much to stderr as it likes', async () => {
    const runner = runnerOf(hostileManifest('noisy'));
    expect(await runner.call(call('look'))).toMatchObject({ status: 'done' });
  });

  test('is started again after it died, but not before the pause is over', async () => {
    const count = join(folder(), 'calls');
    const runner = runnerOf(hostileManifest('die', count));
    expect(await runner.call(call('act'))).toMatchObject({ status: 'unknown' });
    expect(await runner.call(call('act'))).toEqual(
      { status: 'failed', reason: 'TOOL_UNAVAILABLE' },
    );
    nowMs += 250;
    expect(await runner.call(call('act'))).toMatchObject({ status: 'unknown' });
    nowMs += 250;
    expect(await runner.call(call('act'))).toEqual(
      { status: 'failed', reason: 'TOOL_UNAVAILABLE' },
    );
    nowMs += 250;
    expect(await runner.call(call('act'))).toMatchObject({ status: 'unknown' });
    expect(readFileSync(count, 'utf8')).toBe('call\n'.repeat(3));
    expect(indicators.filter((one) => one.code === 'TOOL_DIED')).toHaveLength(3);
  });

  test('is replaced after three calls in a row ran out of time', async () => {
    const runner = runnerOf(hostileManifest('hang'));
    await runner.start();
    for (let turn = 0; turn < 3; turn += 1) await runner.call(call('look', { timeoutMs: 30 }));
    expect(indicators).toContainEqual({ tool: 'hostile', code: 'TOOL_DIED' });
  });

  test('ends with its runner, and calls under way end as unknown', async () => {
    const runner = runnerOf(hostileManifest('hang'));
    await runner.start();
    const pending = runner.call(call('act'));
    await new Promise(setImmediate);
    await runner.close();
    expect(await pending).toMatchObject({ status: 'unknown' });
    expect(await runner.call(call('act'))).toEqual(
      { status: 'failed', reason: 'TOOL_UNAVAILABLE' },
    );
  });

  test('hands a deep result to the gate, which refuses it with a code of its own', async () => {
    const runner = runnerOf(hostileManifest('deep'));
    expect(await runner.call(call('look'))).toMatchObject({ status: 'done' });
  });
});
