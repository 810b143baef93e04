// SPDX-License-Identifier: Apache-2.0
import { randomFillSync } from 'node:crypto';
import type { Random } from '../message/clock.ts';

/** Drawn at once, because a draw costs far more than its bytes. */
const poolBytes = 4096;
const pool = Buffer.alloc(poolBytes);
let used = poolBytes;

/**
 * The operating system's random source. Throws when it fails; never gives weaker bytes, and no byte
 * twice: what is given is wiped from the pool.
 */
export const systemRandom: Random = {
  bytes: (count) => {
    if (count > poolBytes) return randomFillSync(Buffer.alloc(count));
    if (used + count > poolBytes) {
      randomFillSync(pool);
      used = 0;
    }
    const given = Buffer.from(pool.subarray(used, used + count));
    pool.fill(0, used, used + count);
    used += count;
    return given;
  },
};
