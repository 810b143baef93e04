// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import { unitsPerOne } from '../bounds/charge.ts';
import { SqliteLedgerStore } from './bounds-store-sqlite.ts';
import { BatchedDatabase } from './sqlite-batch.ts';

const program = new URL('../../test/mesh-harness/allot-forever.ts', import.meta.url).pathname;
const most = 500;
const kills = 6;

/** Runs an owner, kills it once it has granted so many, and returns what it said was granted. */
async function life(path: string, number: number, grants: number): Promise<readonly string[]> {
  const owner = spawn(process.execPath, [program, path, String(most), `life${number}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const granted: string[] = [];
  for await (const line of createInterface({ input: owner.stdout })) {
    if (line !== 'full') granted.push(line);
    if (granted.length === grants) owner.kill('SIGKILL');
  }
  if (owner.exitCode === null && owner.signalCode === null) await once(owner, 'exit');
  return granted;
}

test('an owner that is killed has forgotten no grant that it answered, and exceeds no limit', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'maso-bounds-kill-'));
  const path = join(directory, 'node.sqlite');
  try {
    const granted = new Set<string>();
    for (let number = 0; number < kills; number += 1) {
      for (const id of await life(path, number, 40)) granted.add(id);
    }
    expect(granted.size).toBeGreaterThanOrEqual(kills * 40);
    for (const id of await life(path, kills, Infinity)) granted.add(id);
    const { view } = new SqliteLedgerStore(new BatchedDatabase(path));
    const used = view.sum('agent/triage/money/3600000', 0) / unitsPerOne;
    // What was charged and never answered may stay; nothing that was answered is missing.
    expect(used).toBe(most);
    expect(granted.size).toBeLessThanOrEqual(most);
    expect(granted.size).toBeGreaterThan(most - kills * 8);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}, 120_000);
