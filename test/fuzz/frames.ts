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
  /** Growth once settled: of what is reachable, buffers included, and of the most the process ever held. */
  readonly reachableGrownMiB: number;
  readonly residentPeakGrownMiB: number;
};

/** A good third of a minute's work. */
const settledAfter = 400_000;

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
  const reachableGrownMiB = now.reachableMiB - (settled ?? now).reachableMiB;
  const residentPeakGrownMiB = now.residentPeakMiB - (settled ?? now).residentPeakMiB;
  const counts = Object.fromEntries(executions);
  return { seed, executions: counts, failures, slowestMs, reachableGrownMiB, residentPeakGrownMiB };
}

type Memory = { readonly reachableMiB: number; readonly residentPeakMiB: number };

/**
 * What is reachable after a full collection, and the most the process held so far. Not what it
 * holds at this moment: the engine gives some 300 MiB back now or a minute later, as it likes.
 */
function settledMemory(): Memory {
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  collect();
  collect();
  const { heapUsed, external } = process.memoryUsage();
  const peakKiB = process.resourceUsage().maxRSS;
  return {
    reachableMiB: Math.round((heapUsed + external) / 2 ** 20),
    residentPeakMiB: Math.round(peakKiB / 2 ** 10),
  };
}

const reachableGrownMiBMax = 8;
/** For what no collection sees, as memory of libraries in C; a leak of 200 bytes an execution passes it. */
const residentPeakGrownMiBMax = 128;

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
    report.reachableGrownMiB > reachableGrownMiBMax ||
    report.residentPeakGrownMiB > residentPeakGrownMiBMax;
  if (report.failures.length > 0 || grown) process.exitCode = 1;
}

if (import.meta.main) main();
