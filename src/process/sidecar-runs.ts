// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { writeOwnerOnly } from '../adapters/credential-file.ts';
import { runsMax } from '../wire/frame.ts';

const fileName = 'runs.json';
const stored = z.array(z.string().length(26)).max(runsMax);

/**
 * Adds this run to the list of the state directory and gives the list, the newest last. By it a node
 * tells a sidecar that was started again from one that was started from a copy. On disk before the
 * first connection: a run that the node saw must never be missing.
 */
export async function beginRun(stateDirectory: string, run: string): Promise<readonly string[]> {
  const file = join(stateDirectory, fileName);
  const runs = [...(await earlierRuns(file)), run].slice(-runsMax);
  await writeOwnerOnly(file, Buffer.from(JSON.stringify(runs)));
  return runs;
}

async function earlierRuns(file: string): Promise<readonly string[]> {
  try {
    return stored.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch {
    // Absent at the first start. Damaged, the node takes this for a copy, and the sidecar joins anew.
    return [];
  }
}
