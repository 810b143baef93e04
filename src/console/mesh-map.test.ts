// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { aloneMax, meshMap, type MapAgent, type MapEdge } from './mesh-map.ts';

const agent = (name: string, change: Partial<MapAgent> = {}): MapAgent => ({
  name, role: 'RETRIEVER', zone: 'outside', template: null, originator: false, tools: [], state: 'up', ...change,
});
const everything = { zone: null, type: null, search: '' };
const many = [
  ...Array.from({ length: 9_000 }, (_, index) => agent(`reader-${index}`, { template: 'reader' })),
  ...Array.from({ length: 1_000 }, (_, index) => agent(`payer-${index}`, { role: 'EXECUTOR', zone: 'core' })),
  agent('lead', { role: 'ORCHESTRATOR', zone: 'core', state: 'stopped' }),
];
const ways: readonly MapEdge[] = [
  ...Array.from({ length: 9_000 }, (_, index) => ({ from: `reader-${index}`, to: 'lead', mayRequest: [] })),
  ...Array.from({ length: 1_000 }, (_, index) => ({ from: 'lead', to: `payer-${index}`, mayRequest: ['pay'] })),
];

describe('the map of a mesh', () => {
  test('shows few agents one by one, with the ways between them', () => {
    const map = meshMap([agent('a'), agent('b', { state: 'away' })], [{ from: 'a', to: 'b', mayRequest: ['pay'] }], everything);
    expect(map.places.map(({ key, state, isGroup }) => [key, state, isGroup])).toEqual([['a', 'up', false], ['b', 'away', false]]);
    expect(map.links).toEqual([{ from: 'a', to: 'b', edges: 1, actions: ['pay'] }]);
  });

  test('shows ten thousand as one box for each type in each zone', () => {
    const map = meshMap(many, ways, everything);
    expect(map.places.map(({ title, zone, state }) => [title, zone, state])).toEqual([
      ['9000 × reader', 'outside', 'up'], ['1000 × executor', 'core', 'up'], ['1 × orchestrator', 'core', 'stopped'],
    ]);
    expect(map.links.map(({ from, to, edges }) => [from, to, edges])).toEqual([
      ['outside|reader', 'core|ORCHESTRATOR', 9_000], ['core|ORCHESTRATOR', 'core|EXECUTOR', 1_000],
    ]);
    expect(map.members).toHaveLength(200);
    expect(JSON.stringify(map).length).toBeLessThan(60_000);
  });

  test('opens a zone and a type, with neighbours as boxes so that no way ends in nothing', () => {
    const map = meshMap(many, ways, { zone: 'core', type: 'ORCHESTRATOR', search: '' });
    expect(map.places.map(({ key, isGroup, near }) => [key, isGroup, near])).toEqual([
      ['lead', false, false], ['outside|reader', true, true], ['core|EXECUTOR', true, true],
    ]);
    const ends = new Set(map.places.map(({ key }) => key));
    expect(map.links.every(({ from, to }) => ends.has(from) && ends.has(to))).toBe(true);
  });

  test('finds one among ten thousand by its name', () => {
    const map = meshMap(many, ways, { ...everything, search: 'READER-8999' });
    expect([map.matching, map.agents, map.members[0]?.name]).toEqual([1, 10_001, 'reader-8999']);
  });

  test('draws the last agents that fit one by one, and one more as a box', () => {
    const fits = Array.from({ length: aloneMax }, (_, index) => agent(`a${index}`));
    expect(meshMap(fits, [], everything).places).toHaveLength(aloneMax);
    expect(meshMap([...fits, agent('more')], [], everything).places).toHaveLength(1);
  });

  test('counts by zone who is away and who is stopped', () => {
    expect(meshMap(many, [], everything).zones).toEqual([
      { zone: 'outside', agents: 9_000, away: 0, stopped: 0 }, { zone: 'core', agents: 1_001, away: 0, stopped: 1 },
    ]);
  });
});
