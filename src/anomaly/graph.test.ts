// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { InteractionGraph, roundsRaised, roundsStopped, type GraphFinding } from './graph.ts';

const dayMs = 86_400_000;

function walk(graph: InteractionGraph, path: readonly string[], task: string, at: number): readonly GraphFinding[] {
  return path.slice(1).flatMap((to, index) => graph.take({ from: path[index] ?? '', to, task, at: at + index }));
}

describe('the interaction graph', () => {
  test('tells of a circle after five rounds and stops it after ten, once each', () => {
    const graph = new InteractionGraph();
    const found: (GraphFinding & { round: number })[] = [];
    for (let round = 1; round <= 30; round += 1) {
      found.push(...walk(graph, ['a', 'b', 'c', 'a'], 'task', round * 100).map((one) => ({ ...one, round })));
    }
    expect(found).toMatchObject([
      { code: 'ANOMALY_LOOP', score: 45, round: roundsRaised },
      { code: 'ANOMALY_LOOP', score: 65, round: roundsStopped },
    ]);
  });

  test('sees no circle in many messages one way, nor in many tasks', () => {
    const graph = new InteractionGraph();
    for (let round = 0; round < 100; round += 1) {
      expect(walk(graph, ['a', 'b', 'c'], 'task', round)).toEqual([]);
      expect(walk(graph, ['a', 'b', 'a'], `task ${round}`, round)).toEqual([]);
    }
  });

  test('begins to count anew when something comes of the task', () => {
    const graph = new InteractionGraph();
    for (let round = 0; round < 40; round += 1) {
      expect(walk(graph, ['a', 'b', 'a'], 'task', round)).toEqual([]);
      if (round % 4 === 3) graph.progressed('task');
    }
  });

  test('tells of an edge that is new after two weeks, with whom it reaches', () => {
    const graph = new InteractionGraph();
    for (let day = 0; day < 20; day += 1) {
      expect(walk(graph, ['a', 'b'], `a ${day}`, day * dayMs)).toEqual([]);
      expect(walk(graph, ['x', 'y', 'z'], `x ${day}`, day * dayMs)).toEqual([]);
    }
    expect(walk(graph, ['a', 'x'], 'late', 20 * dayMs)).toMatchObject([
      { code: 'ANOMALY_EDGE', agent: 'a', score: 45, what: 'to x, reaches 4 within 5 hops' },
    ]);
    expect(walk(graph, ['a', 'x'], 'later', 20.5 * dayMs)).toEqual([]);
    expect(walk(graph, ['a', 'x'], 'much later', 28 * dayMs)).toMatchObject([{ code: 'ANOMALY_EDGE' }]);
  });

  test('tells once an hour of an agent that turns into a hub', () => {
    const graph = new InteractionGraph();
    for (let day = 0; day < 15; day += 1) {
      for (const to of ['b', 'c', 'd']) walk(graph, ['a', to], `${day} ${to}`, day * dayMs);
    }
    const codes = ['e', 'f', 'g', 'h', 'i', 'j', 'k'].flatMap((to, index) =>
      walk(graph, ['a', to], `hub ${to}`, 15 * dayMs + index).map(({ code }) => code));
    expect(codes.filter((code) => code === 'ANOMALY_HUB')).toHaveLength(1);
  });

  test('tells once an hour of an edge that carries three times its fullest hour', () => {
    const graph = new InteractionGraph();
    const send = (count: number, at: number): readonly string[] => Array.from({ length: count }, (_none, index) =>
      walk(graph, ['a', 'b'], `${at} ${index}`, at + index)).flat().map(({ code, what }) => `${code} ${what}`);
    for (let day = 0; day < 15; day += 1) expect(send(40, day * dayMs)).toEqual([]);
    expect(send(119, 15 * dayMs)).toEqual([]);
    expect(send(400, 15 * dayMs + 3_600_000)).toEqual(['ANOMALY_VOLUME 357 to b in an hour, usually 119']);
    // Never told of little, however much more it is.
    expect(Array.from({ length: 49 }, (_none, index) => walk(graph, ['a', 'quiet'], `${index}`, 16 * dayMs + index))
      .flat().map(({ code }) => code)).toEqual(['ANOMALY_EDGE']);
  });

  test('goes on after a restart where it was, and begins anew with what it cannot read', () => {
    const graph = new InteractionGraph();
    for (let day = 0; day < 20; day += 1) walk(graph, ['a', 'b'], `a ${day}`, day * dayMs);
    const kept = graph.kept('a') ?? '';
    const after = new InteractionGraph();
    expect(after.restore('a', kept)).toBe(true);
    expect(after.kept('a')).toBe(kept);
    expect(walk(after, ['a', 'b'], 'known', 20 * dayMs)).toEqual([]);
    expect(walk(after, ['a', 'c'], 'new', 20 * dayMs)).toMatchObject([{ code: 'ANOMALY_EDGE', what: 'to c, reaches 2 within 5 hops' }]);
    const broken = new InteractionGraph();
    for (const text of ['', '{', '[]', '[2,0,[],0,0,[]]', '[1,"x",[],0,0,[]]', '[1,0,[["b",null,0,0,0]],0,0,[]]', kept.slice(0, -9)]) {
      expect(broken.restore('a', text), text).toBe(false);
    }
    expect(broken.kept('a')).toBeNull();
    expect(graph.kept('nobody')).toBeNull();
  });

  test('keeps a thousand edges of one agent, the latest ones', () => {
    const graph = new InteractionGraph();
    for (let index = 0; index < 3_000; index += 1) graph.take({ from: 'a', to: `n${index}`, task: 't', at: index });
    const after = new InteractionGraph();
    expect(after.restore('a', graph.kept('a') ?? '')).toBe(true);
    expect(after.reach('a')).toBe(1_000);
  });

  test('forgets tasks and edges beyond its bounds, and goes on', () => {
    const graph = new InteractionGraph();
    for (let index = 0; index < 6_000; index += 1) walk(graph, ['a', 'b', 'a'], `task ${index}`, index);
    for (let index = 0; index < 1_000; index += 1) walk(graph, [`n${index}`, `n${index + 1}`], 'wide', index);
    expect(graph.reach('n0')).toBe(5);
  });
});
