// SPDX-License-Identifier: Apache-2.0
// Writes to the tables of a node's judges, intents and bounds until it is killed, and says what
// resolved: node node-tables-writer.ts FOLDER ROUND
import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { BatchedDatabase } from '../../src/adapters/sqlite-batch.ts';
import { tablesOf, type TableName } from './node-tables.ts';

const [folder = '', round = ''] = process.argv.slice(2);
const tables = tablesOf(new BatchedDatabase(join(folder, 'node.sqlite')));
// The page cache outlives this process, so what is written here before the kill is seen after it.
const acknowledged = openSync(join(folder, 'acknowledged'), 'a');
writeSync(acknowledged, 'start\n');
await Promise.all(Object.keys(tables).map((name) => write(name as TableName)));
closeSync(acknowledged);

async function write(name: TableName): Promise<void> {
  for (let turn = 0; ; turn += 1) {
    const key = `${round}-${turn}`;
    await tables[name].write(key);
    writeSync(acknowledged, `${name} ${key}\n`);
  }
}
