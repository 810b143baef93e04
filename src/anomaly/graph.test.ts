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

  test('forgets tasks and edges beyond its bounds, and goes on', () => {
    const graph = new InteractionGraph();
    for (let index = 0; index < 6_000; index += 1) walk(graph, ['a', 'b', 'a'], `task ${index}`, index);
    for (let index = 0; index < 1_000; index += 1) walk(graph, [`n${index}`, `n${index + 1}`], 'wide', index);
    expect(graph.reach('n0')).toBe(5);
  });
});
