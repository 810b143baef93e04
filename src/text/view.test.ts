// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { derive, Rewrite } from './view.ts';
import type { View } from './view.ts';

const seed = 20_261_122;

function rewritten(from: string, draw: () => number): { readonly view: View; readonly rewrite: Rewrite } {
  const rewrite = new Rewrite(from);
  let position = Math.floor(draw() * 500);
  while (position < from.length - 10) {
    const end = position + Math.floor(draw() * 6);
    // Signs that the text does not hold, or nothing at all.
    rewrite.add(position, end, '#'.repeat(Math.floor(draw() * 4)));
    position = end + Math.floor(draw() ** 4 * 900);
  }
  const whole: View = { text: from, steps: [], spanOf: (start, until) => ({ start, end: until }) };
  const view = derive(whole, 'escapes', rewrite);
  if (view === null) throw new Error('nothing was replaced');
  return { view, rewrite };
}

describe('what a rewrite writes', () => {
  it('points every character that was copied to where it stands in the source, over gaps as well', () => {
    let state = seed;
    const draw = (): number => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
    for (let round = 0; round < 60; round += 1) {
      const from = Array.from({ length: 4000 }, () => String.fromCharCode(0x61 + Math.floor(draw() * 26))).join('');
      const { view } = rewritten(from, draw);
      const wrong = Array.from(view.text, (sign, position) => {
        const { start, end } = view.spanOf(position, position + 1);
        return sign === '#' || sign === '\n' || (from.charAt(start) === sign && end === start + 1);
      }).filter((isRight) => !isRight);
      expect(wrong, `round ${round}, seed ${seed}`).toEqual([]);
    }
  });

  it('points what was written anew to all that it stands for', () => {
    const rewrite = new Rewrite(`${'a'.repeat(1000)}%41%42${'b'.repeat(1000)}`);
    rewrite.add(1000, 1006, 'AB');
    const whole: View = { text: '', steps: [], spanOf: (start, end) => ({ start, end }) };
    const view = derive(whole, 'escapes', rewrite);
    const place = view?.text.indexOf('AB') ?? -1;
    expect(view?.text).toBe(`${'a'.repeat(200)}AB${'b'.repeat(200)}`);
    expect(view?.spanOf(place, place + 1)).toEqual({ start: 1000, end: 1006 });
    expect(view?.spanOf(place - 2, place + 4)).toEqual({ start: 998, end: 1008 });
    expect([...(view?.seams ?? [])]).toEqual([place, place + 2]);
  });
});
