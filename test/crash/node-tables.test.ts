// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { BatchedDatabase } from '../../src/adapters/sqlite-batch.ts';
import { tablesOf, type TableName } from './node-tables.ts';

const rounds = 4;
/** Of each table; more than that is written now and then, and looking through all takes long. */
const checkedMax = 200;
const writer = new URL('node-tables-writer.ts', import.meta.url).pathname;

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'maso-tables-'));
});
afterEach(() => rm(folder, { recursive: true }));

const acknowledged = (): readonly string[] => {
  const file = join(folder, 'acknowledged');
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : [];
};

async function writeUntilKilled(round: number): Promise<void> {
  const before = acknowledged().length;
  const child = spawn(process.execPath, [writer, folder, String(round)], { stdio: ['ignore', 'ignore', 'pipe'] });
  let errors = '';
  child.stderr.on('data', (text: Buffer) => (errors += text.toString()));
  const ended = new Promise<void>((done) => child.once('exit', () => done()));
  const deadline = Date.now() + 30_000;
  while (acknowledged().length < before + 50 + round * 37 && child.exitCode === null && Date.now() < deadline) {
    await new Promise((done) => setTimeout(done, 5));
  }
  child.kill('SIGKILL');
  await ended;
  expect(child.signalCode, errors).toBe('SIGKILL');
}

it('what judges, intents and bounds were told is kept, however often the node is killed', async () => {
  for (let round = 0; round < rounds; round += 1) {
    await writeUntilKilled(round);
    const database = new BatchedDatabase(join(folder, 'node.sqlite'));
    const tables = tablesOf(database);
    const written = new Map<string, readonly string[]>();
    for (const line of acknowledged()) {
      const [name = '', key] = line.split(' ');
      if (key !== undefined) written.set(name, [...(written.get(name) ?? []), key].slice(-checkedMax));
    }
    expect([...written.keys()].toSorted()).toEqual(Object.keys(tables).toSorted());
    for (const [name, keys] of written) {
      expect(keys.filter((key) => !tables[name as TableName].has(key)), name).toEqual([]);
    }
    database.close();
  }
}, 120_000);
