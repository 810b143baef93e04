// SPDX-License-Identifier: Apache-2.0
import { setFlagsFromString } from 'node:v8';

/**
 * Option of a child's Node.js: one thread beside the program, for compiling and for what is collected in
 * parallel, instead of four. Four at once took both of two processors from every other process of the mesh, and
 * held hops up for 40 ms at each major collection; can only be said at the start of a process.
 */
export const oneHelperThread = '--v8-pool-size=1';

/**
 * Lets the heap grow to twice what is alive before garbage is collected, instead of up to four
 * times. A bus node remembers ids for a minute, which reaches the old generation and would otherwise
 * lie there for hundreds of megabytes of resident memory before it is swept.
 *
 * Marks what is alive with one thread beside the program instead of up to four: node and sidecars share
 * a machine, and four at once held every hop on two processors up for 20 to 60 ms.
 */
export function keepHeapSmall(): void {
  setFlagsFromString('--heap-growing-percent=100');
  setFlagsFromString('--concurrent-marking-max-worker-num=1');
}
