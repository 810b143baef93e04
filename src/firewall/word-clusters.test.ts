// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { FeatureReader } from './features.ts';
import { WordClusters } from './word-clusters.ts';

function tableOf(groups: { readonly [word: string]: number }): Uint8Array {
  const rows = Object.entries(groups).map(([word, group]) => [hashOf(word), group] as const).sort(([a], [b]) => a - b);
  const bytes = new Uint8Array(rows.length * 6);
  const view = new DataView(bytes.buffer);
  rows.forEach(([hash, group], index) => {
    view.setUint32(index * 4, hash, true);
    view.setUint16(rows.length * 4 + index * 2, group, true);
  });
  return bytes;
}

function hashOf(word: string): number {
  let hash = 0x811c9dc5;
  for (const character of word) hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193);
  return hash >>> 0;
}

describe('groups of words', () => {
  it('are no table unless every word has its group', () => {
    expect(WordClusters.parse(new Uint8Array(7))).toBeNull();
    expect(WordClusters.parse(new Uint8Array(0))?.of(1)).toBe(0);
  });

  it('are found again for every word, and 0 for others', () => {
    const words = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`word${index}`, index + 1]));
    const clusters = WordClusters.parse(tableOf(words));
    expect(clusters?.count).toBe(500);
    for (const [word, group] of Object.entries(words)) expect(clusters?.of(hashOf(word))).toBe(group);
    expect(clusters?.of(hashOf('other'))).toBe(0);
  });

  it('make texts alike that differ in a word of one group', () => {
    const clusters = WordClusters.parse(tableOf({ send: 1, forward: 1, bake: 2, it: 3, now: 4 }));
    const idsOf = (text: string): Set<number> => new Set(new FeatureReader(18, clusters).read(text, 'email').ids);
    const shared = (a: Set<number>, b: Set<number>): number => [...a].filter((id) => b.has(id)).length;
    const send = idsOf('send it now');
    expect(shared(send, idsOf('forward it now'))).toBeGreaterThan(shared(send, idsOf('bake it now')));
  });
});
