// SPDX-License-Identifier: Apache-2.0
import { forbidCoreDumps } from '../adapters/core-dumps.ts';
import { keepHeapSmall } from '../process/heap.ts';
import type { CommandIo } from './check.ts';

/** First thing in every long-lived process that holds keys of its own. */
export function settleProcess(io: CommandIo): void {
  keepHeapSmall();
  if (forbidCoreDumps()) return;
  io.err('warning: a crash may leave keys in a core file: run with `ulimit -c 0`, or install prlimit (util-linux).');
}
