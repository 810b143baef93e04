// SPDX-License-Identifier: Apache-2.0
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { diceOf, mutate } from './mutate.ts';
import { targets } from './targets.ts';

export type FuzzReport = {
  readonly seed: number;
  readonly executions: { readonly [target: string]: number };
  /** Target, mutated input (base64) and error of each failure; at most ten are kept. */
  readonly failures: readonly string[];
  readonly slowestMs: number;
  /** Growth after the start: of what is reachable, and of the process. */
  readonly heapGrownMiB: number;
  readonly residentGrownMiB: number;
};

/** A sixth of a minute's work. */
const settledAfter = 200_000;

/** Feeds mutated vectors and noise to every parser of outside bytes, in turn, until `isDone`. */
export function fuzz(seed: number, isDone: (executions: number) => boolean): FuzzReport {
  const dice = diceOf(seed);
  const all = targets();
  const executions = new Map(all.map((target) => [target.name, 0]));
  const failures: string[] = [];
  let slowestMs = 0;
  let total = 0;
  let settled: Memory | null = null;
  while (!isDone(total) && failures.length < 10) {
    for (const target of all) {
      const input = mutate(target.seeds, dice);
      const startedMs = performance.now();
      try {
        target.run(input);
      } catch (error) {
        failures.push(`${target.name}: ${String(error)}: ${input.toString('base64')}`);
      }
      slowestMs = Math.max(slowestMs, performance.now() - startedMs);
      executions.set(target.name, (executions.get(target.name) ?? 0) + 1);
      total += 1;
    }
    // Compiled code, caches and the nursery have their size by now; from here on memory may not grow.
    if (settled === null && total >= settledAfter) settled = settledMemory();
  }
  const now = settledMemory();
  const heapGrownMiB = now.heapMiB - (settled ?? now).heapMiB;
  const residentGrownMiB = now.residentMiB - (settled ?? now).residentMiB;
  const counts = Object.fromEntries(executions);
  return { seed, executions: counts, failures, slowestMs, heapGrownMiB, residentGrownMiB };
}

type Memory = { readonly heapMiB: number; readonly residentMiB: number };

/** Memory after a full collection. */
function settledMemory(): Memory {
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  collect();
  collect();
  // The engine gives pages back on another thread, which a busy machine lets wait.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_000);
  const { heapUsed, rss } = process.memoryUsage();
  return { heapMiB: Math.round(heapUsed / 2 ** 20), residentMiB: Math.round(rss / 2 ** 20) };
}

const heapGrownMiBMax = 8;
/** The engine widens its nursery while it works hard and does not give it back at once. */
const residentGrownMiBMax = 128;

function main(): void {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '60' },
      seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    },
  });
  const endsAtMs = performance.now() + Number(values.seconds) * 1000;
  const report = fuzz(Number(values.seed), () => performance.now() >= endsAtMs);
  console.log(JSON.stringify(report, null, 2));
  const grown =
    report.heapGrownMiB > heapGrownMiBMax || report.residentGrownMiB > residentGrownMiBMax;
  if (report.failures.length > 0 || grown) process.exitCode = 1;
}

if (import.meta.main) main();
