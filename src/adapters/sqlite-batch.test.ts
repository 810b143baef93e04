// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { beforeEach, expect, it } from 'vitest';
import { BatchedDatabase, type BatchSchedule } from './sqlite-batch.ts';

const row = 'x'.repeat(64 * 1024);

let folder: string;
let later: (() => void)[];
let database: BatchedDatabase;

const schedule: BatchSchedule = {
  soon: () => undefined,
  later: (flush) => {
    later.push(flush);
    return () => void later.splice(later.indexOf(flush), 1);
  },
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'maso-batch-'));
  later = [];
  database = new BatchedDatabase(join(folder, 'file.sqlite'), schedule);
  database.database.exec('CREATE TABLE note (text TEXT)');
  return () => {
    database.close();
    rmSync(folder, { recursive: true, force: true });
  };
});

function insert(rows: number): void {
  const statement = database.database.prepare('INSERT INTO note VALUES (?)');
  for (let at = 0; at < rows; at += 1) {
    void database.write(() => statement.run(row));
    database.flush();
  }
}

const fileBytes = (): number => statSync(join(folder, 'file.sqlite')).size;
const logBytes = (): number => statSync(join(folder, 'file.sqlite-wal')).size;

it('copies its log into the file after a commit was answered, not within it', () => {
  insert(50);
  expect(later).toEqual([]);
  insert(20);
  expect(later).toHaveLength(1);
  expect(fileBytes()).toBeLessThan(row.length);
  later.shift()?.();
  expect(fileBytes()).toBeGreaterThan(70 * row.length);
  const lengthBefore = logBytes();
  insert(50);
  expect(logBytes()).toBe(lengthBefore);
});

it('copies it within a commit where the event loop gives it no turn', () => {
  insert(300);
  expect(later).toHaveLength(1);
  expect(fileBytes()).toBeGreaterThan(row.length);
  expect(logBytes()).toBeLessThan(300 * row.length);
});

it('keeps what was committed and not copied', () => {
  insert(70);
  const again = new DatabaseSync(join(folder, 'file.sqlite'), { readOnly: true });
  expect(again.prepare('SELECT count(*) AS n FROM note').get()).toEqual({ n: 70 });
  again.close();
});

it('goes on where its log cannot be copied', () => {
  insert(70);
  const exec = database.database.exec.bind(database.database);
  database.database.exec = (statements) => {
    if (statements.includes('wal_checkpoint')) throw new Error('disk I/O error');
    exec(statements);
  };
  expect(() => later.shift()?.()).not.toThrow();
  insert(32);
  expect(later).toHaveLength(1);
});

it('answers what was committed where nobody can tell how long its log is', async () => {
  const mute = new DatabaseSync(join(folder, 'mute.sqlite'));
  mute.exec('CREATE TABLE note (text TEXT)');
  const prepare = mute.prepare.bind(mute);
  let asked = 0;
  mute.prepare = (sql) => {
    const statement = prepare(sql);
    if (!sql.includes('wal_checkpoint')) return statement;
    statement.get = () => {
      asked += 1;
      throw new Error('disk I/O error');
    };
    return statement;
  };
  const batched = new BatchedDatabase(mute, schedule);
  for (let at = 0; at < 31; at += 1) {
    void batched.write(() => mute.exec(`INSERT INTO note VALUES ('before')`));
    batched.flush();
  }
  expect(asked).toBe(0);
  const written = batched.write(() => mute.exec(`INSERT INTO note VALUES ('kept')`));
  const refused = batched.write(() => mute.exec('INSERT INTO nowhere VALUES (1)'));
  const missing = expect(refused).rejects.toThrow();
  expect(() => batched.flush()).not.toThrow();
  await written;
  await missing;
  expect([asked, later]).toEqual([1, []]);
  batched.close();
});

it('copies nothing once it is closed', () => {
  insert(70);
  database.close();
  expect(later).toEqual([]);
});
