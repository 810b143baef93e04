// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from 'node:fs';
import { setPriority } from 'node:os';

const threads = '/proc/self/task';
/** What Node calls the threads on which V8 marks garbage and compiles. */
const collector = 'V8Worker';
/** The least that Linux knows; raising it takes no rights. */
const least = 19;

/**
 * Lets the engine's own threads run only where no message waits for the core: a major collection
 * marks on several threads at once, and on a machine of two cores it held up every other process of
 * the mesh for some 60 ms. Gives how many threads heed it: none outside Linux, where nothing changes.
 */
export function letOthersRunFirst(): number {
  let heeding = 0;
  for (const thread of ownThreads()) {
    try {
      if (readFileSync(`${threads}/${thread}/comm`, 'utf8').trim() !== collector) continue;
      // On Linux a thread's number stands where a process's does, and means that thread alone.
      setPriority(Number(thread), least);
      heeding += 1;
    } catch {
      // The thread has ended, or the host forbids it: collections disturb more, and nothing breaks.
      continue;
    }
  }
  return heeding;
}

function ownThreads(): readonly string[] {
  try {
    return readdirSync(threads);
  } catch {
    // No /proc: not Linux.
    return [];
  }
}
