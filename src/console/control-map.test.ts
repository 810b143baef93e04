// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { controlMap } from './control-map.ts';
import type { MapFacts, Station } from './station.ts';

const facts: MapFacts = {
  deselected: new Map(), seen: new Map([['scanner', 12]]), firewall: true, judge: false, pace: false,
  observer: false, workflows: 0, recorder: 'ready', witnesses: 1, witnessed: true, exporters: 1, webhooks: 0,
  probesPerDay: 0, caps: true, knowledge: 1, memory: true, isolation: true, oispecs: 3, agents: 3, operators: 2,
  tools: { all: 2, pinned: 2 },
};

function station(id: string, change: Partial<MapFacts> = {}): Station {
  const found = controlMap({ ...facts, ...change }).flatMap(({ stations }) => stations).find((one) => one.id === id);
  if (found === undefined) throw new Error(`no station ${id}`);
  return found;
}

describe('the map of controls', () => {
  test('names each control once, in the line of its domain', () => {
    const lines = controlMap(facts);
    const ids = lines.flatMap(({ stations }) => stations.map(({ id }) => id));
    expect(new Set(ids).size).toBe(ids.length);
    // 199 controls of the framework's ten domains, 15 of extraction and 24 of environment.
    const counts = Object.fromEntries(lines.map(({ id, stations }) => [id, stations.length]));
    expect(counts).toEqual({
      PG: 22, IA: 14, DP: 15, EC: 35, OB: 18, SC: 12, PA: 19, OI: 18, ENV: 24, AT: 25, MC: 21, EI: 15,
    });
    for (const { id, stations } of lines) for (const one of stations) expect(one.id.startsWith(`${id}-`)).toBe(true);
  });

  test('puts the controls of a line in the order of their numbers', () => {
    const execution = controlMap(facts).find(({ id }) => id === 'EC')?.stations.map(({ id }) => id) ?? [];
    const [from, to] = [execution.indexOf('EC-2.6'), execution.indexOf('EC-2.10')];
    expect(execution.slice(from, to + 1)).toEqual(['EC-2.6', 'EC-2.7', 'EC-2.7a', 'EC-2.8', 'EC-2.9', 'EC-2.10']);
  });

  test('says failing of what should act and does not', () => {
    expect(station('OB-1.1', { recorder: 'unavailable' }).state).toBe('failing');
    expect(station('OB-2.1', { witnessed: false }).state).toBe('failing');
    expect(station('EC-1.1', { operators: 0 }).state).toBe('failing');
    expect(station('EC-2.2', { isolation: false }).state).toBe('failing');
    expect(station('OB-1.1').state).toBe('on');
  });

  test('does not call on what nobody configured, nor what is not there', () => {
    expect(station('EC-2.5').state).toBe('off');
    expect(station('PG-2.1', { firewall: false }).state).toBe('off');
    expect(station('OB-2.1', { witnesses: 0 }).state).toBe('partly');
    expect(station('OB-2.2').says).not.toBe(station('OB-2.2', { observer: true }).says);
    expect([station('OI-1.2').state, station('OI-1.2', { workflows: 1 }).state]).toEqual(['off', 'on']);
  });

  test('shows a deselection with its reason and name before anything else', () => {
    const deselected = new Map([['PG-2.1', { by: 'alice', reason: 'no free text here' }]]);
    expect(station('PG-2.1', { deselected })).toMatchObject({ state: 'deselected', says: 'no free text here (alice)' });
  });

  test('counts the evidence that was seen, and none where none can be', () => {
    expect(station('PG-1.1').seen).toBe(12);
    expect(station('PG-2.2').seen).toBeNull();
  });
});
