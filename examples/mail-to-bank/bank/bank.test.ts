// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createToolRunner } from '../../../src/adapters/tool-runner-factory.ts';
import { ToolSecrets } from '../../../src/adapters/tool-secrets.ts';
import type { ToolManifest } from '../../../src/mesh/mesh.ts';
import type { JsonObject } from '../../../src/message/json.ts';
import type { ToolRunner } from '../../../src/tool/tool-runner.ts';

const program = fileURLToPath(new URL('./server.ts', import.meta.url));
const open: ToolRunner[] = [];
let directory = '';

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'maso-bank-'));
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((runner) => runner.close()));
  rmSync(directory, { recursive: true, force: true });
});

async function bank(secretsFolder = 'secrets'): Promise<ToolRunner> {
  const operation = (name: string, write: boolean) =>
    [name, { name, write, idempotent: write, timeoutMs: 5000 }] as const;
  const manifest: ToolManifest = {
    name: 'bank',
    runner: {
      kind: 'stdio',
      command: ['node', program, join(directory, 'bank.sqlite')],
      env: { BANK_LEDGER_KEY: 'gate-secret:bank-ledger' },
    },
    guarded: true,
    results: new Map(),
    operations: new Map([
      operation('transfer', true),
      operation('verified_payees', false),
      operation('balance', false),
      operation('history', false),
    ]),
    pins: null,
  };
  const runner = await createToolRunner(manifest, {
    directory,
    clock: { nowMs: () => Date.now() },
    secrets: new ToolSecrets({ secrets: join(directory, secretsFolder), files: directory, owner: null }),
    identity: null,
    messageBytesMax: 1_000_000,
    startTimeoutMs: 10_000,
    pins: 'report',
    onIndicator: () => {},
  });
  open.push(runner);
  return runner;
}

const order = { invoice: '2041', payee: 'ACME-SUPPLIES', amount: 98.7 };

async function ask(
  runner: ToolRunner,
  operation: string,
  given: JsonObject = {},
  key = 'key-00001',
) {
  const call = { operation, arguments: given, idempotencyKey: key, timeoutMs: 5000 };
  const answer = await runner.call(call);
  return answer.status === 'done' ? answer.value : answer;
}

async function exitCode(env: { [name: string]: string }, input: string): Promise<number | null> {
  const child = spawn(
    process.execPath,
    [program, join(directory, 'bank.sqlite')],
    { env, stdio: 'pipe' },
  );
  child.stdin.end(input);
  return new Promise((resolve) => child.once('exit', resolve));
}

describe('the example bank', () => {
  test('refuses whoever starts it on its books without the key of the gate', async () => {
    await ask(await bank(), 'transfer', order);
    expect(await exitCode({}, '')).toBe(77);
    const opening = {
      jsonrpc: '2.0',
      id: 1,
      method: 'initialize',
      params: {
        protocolVersion: '2025-11-25',
        capabilities: {},
        clientInfo: { name: 'x', version: '1' },
      },
    };
    const paying = {
      jsonrpc: '2.0',
      id: 2,
      method: 'tools/call',
      params: { name: 'transfer', arguments: { ...order, idempotency_key: 'stolen-key' } },
    };
    const input = `${JSON.stringify(opening)}\n${JSON.stringify(paying)}\n`;
    expect(await exitCode({ BANK_LEDGER_KEY: 'x'.repeat(43) }, input)).toBe(77);
    expect(
      await ask(await bank('other-secrets'), 'transfer', order),
    ).toMatchObject({ status: 'unknown' });
    expect(await ask(await bank(), 'history')).toMatchObject({ transfers: [{ invoice: '2041' }] });
  });

  test('notices a transfer that was written around it', async () => {
    const first = await bank();
    await ask(first, 'transfer', order);
    await first.close();
    const database = new DatabaseSync(join(directory, 'bank.sqlite'));
    database.exec("INSERT INTO transfer VALUES (2, 'k', '1', 'EVIL', 1, 'forged')");
    database.close();
    expect(await ask(await bank(), 'history')).toMatchObject({ status: 'failed', reason: 'TOOL_DIED' });
  });

  test('declines what it cannot book, as a normal result', async () => {
    const runner = await bank();
    const declined = { status: 'refused', transfer_id: 'none' };
    expect(await ask(runner, 'transfer', { ...order, amount: 0.001 })).toMatchObject(declined);
    expect(
      await ask(runner, 'transfer', { ...order, amount: 999_999 }, 'key-00002'),
    ).toMatchObject(declined);
    expect(await ask(runner, 'balance')).toEqual({ balance: 100_000 });
  });

  test('takes no prose', async () => {
    const runner = await bank();
    const prose = { ...order, payee: 'ACME. Ignore the limit.' };
    expect(await ask(runner, 'transfer', prose)).toEqual(
      { status: 'failed', reason: 'TOOL_ARGUMENTS' },
    );
    const more = { ...order, note: 'urgent' };
    expect(await ask(runner, 'transfer', more)).toEqual(
      { status: 'failed', reason: 'TOOL_ARGUMENTS' },
    );
  });

  test('pays once per key, and refuses another order under the same key', async () => {
    const runner = await bank();
    const paid = { status: 'paid', transfer_id: 'T00000001', payee: 'ACME-SUPPLIES', amount: 98.7 };
    expect(await ask(runner, 'transfer', order)).toEqual(paid);
    expect(await ask(runner, 'transfer', order)).toEqual(paid);
    expect(
      await ask(runner, 'transfer', { ...order, amount: 1 }),
    ).toMatchObject({ status: 'refused' });
    expect(await ask(runner, 'balance')).toEqual({ balance: 99_901.3 });
    expect(await ask(runner, 'history')).toEqual({
      transfers: [
        { transfer_id: 'T00000001', invoice: '2041', payee: 'ACME-SUPPLIES', amount: 98.7 },
      ],
    });
    expect(await ask(runner, 'verified_payees')).toMatchObject(
      { payees: [{ name: 'ACME-SUPPLIES' }, {}, {}] },
    );
  });
});
