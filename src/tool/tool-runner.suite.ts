// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../message/json.ts';
import type { ToolCall, ToolRunner } from './tool-runner.ts';

/** Runners of one kind over a tool with a write `act` and a read `look`, both named by its manifest. */
export type RunnerHarness = {
  readonly pinned: () => ToolRunner;
  readonly unpinned: () => ToolRunner;
  /** Its tool is as pinned, and never answers a call. */
  readonly hanging: () => ToolRunner;
  /** What both operations take. */
  readonly arguments: JsonObject;
  /** What their input schema refuses. */
  readonly wrongArguments: JsonObject;
};

/** What every `ToolRunner` does, whatever its tool is. The harness closes the runners it made. */
export function toolRunnerSuite(name: string, harness: () => RunnerHarness): void {
  const call = (change: Partial<ToolCall> = {}): ToolCall => ({
    operation: 'act',
    arguments: harness().arguments,
    idempotencyKey: 'key-0001',
    timeoutMs: 5_000,
    ...change,
  });
  const started = async (runner: ToolRunner): Promise<ToolRunner> => {
    await runner.start();
    return runner;
  };

  describe(`${name} as a tool runner`, () => {
    it('does not start a tool that nobody pinned', async () => {
      await expect(harness().unpinned().start()).rejects.toMatchObject({ code: 'TOOL_NOT_PINNED' });
    });

    it('describes the operations that the manifest names, and calls them', async () => {
      const runner = harness().pinned();
      const described = await runner.start();
      expect(described.map(({ operation }) => operation).toSorted()).toEqual(['act', 'look']);
      expect(await runner.call(call())).toMatchObject({ status: 'done' });
      expect(await runner.call(call({ operation: 'look' }))).toMatchObject({ status: 'done' });
    });

    it('does nothing for an operation or for arguments that were never declared', async () => {
      const runner = await started(harness().pinned());
      for (const operation of ['other', 'toString', '__proto__']) {
        const answer = await runner.call(call({ operation }));
        expect(answer).toEqual({ status: 'failed', reason: 'TOOL_UNKNOWN' });
      }
      const wrong = await runner.call(call({ arguments: harness().wrongArguments }));
      expect(wrong).toEqual({ status: 'failed', reason: 'TOOL_ARGUMENTS' });
    });

    it('doubts a write that is late, and takes back a read', async () => {
      const runner = await started(harness().hanging());
      const late = { reason: 'TOOL_TIMEOUT' };
      expect(await runner.call(call({ timeoutMs: 200 }))).toEqual({ status: 'unknown', ...late });
      const read = await runner.call(call({ operation: 'look', timeoutMs: 200 }));
      expect(read).toEqual({ status: 'failed', ...late });
    });

    it('leaves no call hanging when it is closed, and doubts the write under way', async () => {
      const runner = await started(harness().hanging());
      const underWay = runner.call(call({ timeoutMs: 60_000 }));
      await new Promise((resolve) => setImmediate(resolve));
      await runner.close();
      expect(await underWay).toMatchObject({ status: 'unknown' });
    });
  });
}
