// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { realGate, writeFields } from '../../test/tool-servers/gate-process.ts';
import { hostileManifest, serverDirectory } from '../../test/tool-servers/hostile-manifest.ts';
import { exampleIntent, intentStoreSuite } from '../../test/tool-servers/intent-store-suite.ts';
import { SqliteIntentStore } from './tool-intents-sqlite.ts';

intentStoreSuite('SQLite', () => new SqliteIntentStore(new DatabaseSync(':memory:')));

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'maso-intents-'));
  folders.push(path);
  return path;
}

async function until(condition: () => boolean): Promise<void> {
  const giveUpAt = Date.now() + 20_000;
  while (!condition()) {
    if (Date.now() > giveUpAt) throw new Error('the condition never came true');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

test('keeps intents, ends and doubt when its process ends', async () => {
  const path = join(folder(), 'sidecar.sqlite');
  const first = new DatabaseSync(path);
  const store = new SqliteIntentStore(first);
  await store.begin(exampleIntent());
  await store.begin(exampleIntent({ key: 'second' }));
  await store.markInDoubt('second', 'TOOL_TIMEOUT');
  const second = new DatabaseSync(path);
  const again = new SqliteIntentStore(second);
  expect(again.openIntents()).toEqual([exampleIntent()]);
  expect(again.inDoubt()).toMatchObject([{ key: 'second', code: 'TOOL_TIMEOUT' }]);
  first.close();
  second.close();
});

test('sets the connection so that a statement that returned is on disk', () => {
  const database = new DatabaseSync(join(folder(), 'sidecar.sqlite'));
  database.exec('PRAGMA synchronous = OFF');
  const store = new SqliteIntentStore(database);
  expect(store.openIntents()).toEqual([]);
  expect(database.prepare('PRAGMA synchronous').get()).toEqual({ synchronous: 2 });
  expect(database.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' });
  database.close();
});

test('refuses a row that somebody edited', async () => {
  const database = new DatabaseSync(':memory:');
  const store = new SqliteIntentStore(database);
  await store.begin(exampleIntent());
  const code = expect.objectContaining({ code: 'TOOL_STORE_UNAVAILABLE' }) as Error;
  for (const edit of ['{}', 'not json', '[]', '{"risk":"NONE"}']) {
    database.prepare('UPDATE tool_intent SET intent = ?').run(edit);
    expect(() => store.openIntents()).toThrow(code);
  }
});

test('refuses to begin on a disk that cannot be written', async () => {
  const path = join(folder(), 'sidecar.sqlite');
  const database = new DatabaseSync(path);
  const store = new SqliteIntentStore(database);
  database.exec('PRAGMA query_only = ON');
  await expect(store.begin(exampleIntent())).rejects.toThrow();
  database.close();
});

test('kill -9 between intent and outcome leaves IN-DOUBT, and no second call', async () => {
  const directory = folder();
  const databasePath = join(directory, 'sidecar.sqlite');
  const countFile = join(directory, 'calls');
  const program = join(serverDirectory, 'gate-process.ts');
  const holder = spawn(process.execPath, [program, databasePath, countFile], { stdio: 'ignore' });
  const ended = new Promise((resolve) => holder.once('exit', resolve));
  await until(() => existsSync(countFile));
  holder.kill('SIGKILL');
  await ended;

  const manifest = hostileManifest('good', countFile);
  const { gate, admission, runner, entries, database } = realGate(databasePath, manifest);
  const doubtful = await gate.recover();
  expect(doubtful).toMatchObject(
    [{ requestId: 'request-1', code: 'TOOL_INTERRUPTED', operation: 'act' }],
  );
  expect(entries.map((entry) => [entry.kind, entry.id])).toEqual([
    ['tool.in-doubt', 'request-1.tool.in-doubt'],
  ]);
  const again = await gate.call(admission.admit(writeFields));
  expect(again).toMatchObject({ status: 'IN-DOUBT', code: 'TOOL_INTERRUPTED' });
  expect(readFileSync(countFile, 'utf8')).toBe('call\n');
  const other = admission.admit(
    { ...writeFields, id: 'request-2', idempotencyKey: 'k2', outputSchema: null },
  );
  expect(await gate.call(other)).toMatchObject({ status: 'DONE' });
  expect(readFileSync(countFile, 'utf8')).toBe('call\n'.repeat(2));
  await runner.close();
  database.close();
});

test.each([
  ['prose', 'TOOL_RESULT_SCHEMA'],
  ['deep', 'TOOL_RESULT_TOO_DEEP'],
  ['big', 'TOOL_RESULT_TOO_LARGE'],
  ['die', 'TOOL_DIED'],
  ['garbage', 'TOOL_PROTOCOL'],
])('a write to a tool that shows %s ends IN-DOUBT through the whole gate', async (
  behaviour,
  code,
) => {
  const databasePath = join(folder(), 'sidecar.sqlite');
  const {
    gate,
    admission,
    runner,
    entries,
    database,
  } = realGate(databasePath, hostileManifest(behaviour));
  await gate.recover();
  const outcome = await gate.call(admission.admit(writeFields));
  expect(outcome).toMatchObject({ status: 'IN-DOUBT', code, result: null });
  expect(entries.map((entry) => entry.kind)).toEqual(['tool.intent', 'tool.in-doubt']);
  expect(JSON.stringify(entries)).not.toContain('EVIL');
  await runner.close();
  database.close();
});
