// SPDX-License-Identifier: Apache-2.0
import { forbidCoreDumps } from '../adapters/core-dumps.ts';
import { letOthersRunFirst } from '../adapters/collector-threads.ts';
import { keepHeapSmall } from '../process/heap.ts';
import type { CommandIo } from './check.ts';

/** First thing in every long-lived process that holds keys of its own, and carries messages. */
export function settleProcess(io: CommandIo): void {
  keepHeapSmall();
  letOthersRunFirst();
  if (forbidCoreDumps()) return;
  io.err('warning: a crash may leave keys in a core file: run with `ulimit -c 0`, or install prlimit (util-linux).');
}
