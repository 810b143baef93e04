// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { TailTable } from './tail-table.ts';

const seed = [0x9e_37_79_b9, 0x7f_4a_7c_15] as const;
const tail = (text: string, ...numbers: readonly string[]) => ({ text, numbers });

describe('the table of tails', () => {
  it('gives back what was set, in every script', () => {
    const table = new TailTable(seed);
    const texts = ['', 'x', 'naïve', '四千', '🦊'.repeat(80), '\u0000', '\ud800 alone', 'a'.repeat(160)];
    texts.forEach((text, at) => table.set(table.markOf(`s${at}`), tail(text, '4000', 'DE89')));
    texts.forEach((text, at) => expect(table.get(table.markOf(`s${at}`))).toEqual(tail(text, '4000', 'DE89')));
    expect(table.get(table.markOf('another'))).toBeNull();
    table.set(table.markOf('s0'), tail('later'));
    expect(table.get(table.markOf('s0'))).toEqual(tail('later'));
    const four = Array.from({ length: 4 }, (_, at) => `${at}`.repeat(24));
    table.set(table.markOf('s0'), tail('later', ...four));
    expect(table.get(table.markOf('s0'))?.numbers).toEqual(four);
  });

  it('forgets the stream that was quiet longest, and nothing of it comes up in the next one', () => {
    const table = new TailTable(seed);
    for (let stream = 0; stream < 2048; stream += 1) table.set(table.markOf(`${stream}`), tail(`t${stream}`, '123'));
    table.isClean(table.markOf('1'), 'joined');
    table.set(table.markOf('0'), tail('spoke again'));
    table.set(table.markOf('new'), tail('first'));
    expect(table.get(table.markOf('1'))).toBeNull();
    expect(table.get(table.markOf('0'))).toEqual(tail('spoke again'));
    expect(table.get(table.markOf('new'))).toEqual(tail('first'));
    expect(table.wasClean(table.markOf('new'), 'joined')).toBe(false);
    expect(table.wasClean(table.markOf('1'), 'joined')).toBe(false);
    let known = 0;
    for (let stream = 0; stream < 2048; stream += 1) if (table.get(table.markOf(`${stream}`)) !== null) known += 1;
    expect(known).toBe(2047);
  });

  it('knows one clean text of each stream, until another one was', () => {
    const table = new TailTable(seed);
    const stream = table.markOf('stream');
    table.set(stream, tail('a'));
    expect(table.wasClean(stream, '')).toBe(false);
    table.isClean(stream, 'one');
    table.set(stream, tail('b'));
    expect(table.wasClean(stream, 'one')).toBe(true);
    expect(table.wasClean(stream, 'onf')).toBe(false);
    table.isClean(stream, 'two');
    expect(table.wasClean(stream, 'one')).toBe(false);
    table.isClean(table.markOf('unknown'), 'one');
    expect(table.wasClean(table.markOf('unknown'), 'one')).toBe(false);
  });

  it('takes no two of a million streams for one, whatever their secret words are', () => {
    for (const words of [[0, 0], seed] as const) {
      const table = new TailTable(words);
      const marks = new Set<number>();
      for (let at = 0; at < 500_000; at += 1) marks.add(table.markOf(`a b 01J${at.toString(36)} /text`)).add(table.markOf(`${at}`));
      expect(marks.size).toBe(1_000_000);
      expect([...marks].filter((mark) => mark < 1 || !Number.isSafeInteger(mark - 1))).toEqual([]);
    }
  });
});
