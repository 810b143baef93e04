// SPDX-License-Identifier: Apache-2.0
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { DataFragments } from './data-fragments.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const mib = 1_048_576;

describe('the ends of recent messages', () => {
  it('are kept without the messages, however long a hostile agent makes them', () => {
    const fragments = new DataFragments([1, 2]);
    collect();
    const before = process.memoryUsage().heapUsed;
    for (let stream = 0; stream < 256; stream += 1) {
      // A number at the front and prose at the end: both are cut from a text of half a mebibyte.
      const text = `4000-0000-0000-${1000 + stream} ${String.fromCharCode(97 + (stream % 26)).repeat(mib / 2)}`;
      fragments.joinWith(fragments.placesOf(`task ${stream}`).of(null), Buffer.from(text).toString('latin1'));
    }
    collect();
    expect((process.memoryUsage().heapUsed - before) / mib).toBeLessThan(16);
    expect(fragments.joinWith(fragments.placesOf('task 255').of(null), '-0002')?.text).toContain('4000000000001255');
  });
});
