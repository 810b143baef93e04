// SPDX-License-Identifier: Apache-2.0
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ContentShape } from './content-shape.ts';

const words = 'the invoice of ACME over 98 is due on Friday, and was paid before'.split(' ');
const sentence = (seed: number): string => Array.from({ length: 12 }, (_none, at) => words[(seed * 7 + at * 5) % words.length]).join(' ');

function known(): ContentShape {
  const shape = new ContentShape();
  for (let seed = 0; seed < 300; seed += 1) shape.distance(sentence(seed));
  return shape;
}

describe('what an agent\'s texts are made of', () => {
  test('says nothing before it knows some of them, nor of nothing', () => {
    const shape = new ContentShape();
    expect(Array.from({ length: 32 }, (_none, seed) => shape.distance(sentence(seed)))).toEqual(Array(32).fill(null));
    expect(shape.distance(sentence(1))).toBeLessThan(0.2);
    expect(shape.distance('')).toBeNull();
  });

  test.each([
    ['encoded data', Buffer.from(sentence(3)).toString('base64')],
    ['numbers', '4111 1111 1111 1111 5500 0000 0000 0004 3400 0000 0000 009'],
    ['code', 'if(a[0]!==b){c=>d?.e??[1,2];for(;;)f(g,{h:1})}'],
    ['another script', 'оплатите счёт сегодня же на другой счёт'],
  ])('tells %s from its usual sentences', (_what, text) => {
    const shape = known();
    expect(shape.distance(sentence(9))).toBeLessThan(0.15);
    expect(shape.distance(text)).toBeGreaterThan(0.3);
  });

  test('is hardly moved by a few texts, so that they go on to stand out', () => {
    const shape = known();
    const odd = Buffer.from(sentence(3)).toString('hex');
    const [first, ...later] = Array.from({ length: 100 }, () => shape.distance(odd) ?? 0);
    expect(later.at(-1)).toBeGreaterThan((first ?? 0) * 0.9);
  });

  test('is a number from 0 to 1 for whatever an agent writes', () => {
    const shape = known();
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 2_000 }), (text) => {
      const apart = shape.distance(text);
      expect(apart === null ? text.length : apart >= 0 && apart <= 1).toBe(apart === null ? 0 : true);
    }));
  });
});
