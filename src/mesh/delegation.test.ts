// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest';
import { sampleMesh } from '../../test/mesh-files/sample.ts';
import { originatorsFor } from './delegation.ts';
import type { Agent, Mesh } from './mesh.ts';

const base = sampleMesh();
const like = base.agents.get('triage') as Agent;

it('names the originators whose tasks can give an agent a mandate, and nobody for others', () => {
  const agent = (name: string, originator: boolean): [string, Agent] => [name, {
    ...like, name, originator, oispec: null,
  }];
  const agents = new Map([agent('desk', true), agent('a', false), agent('b', false)]);
  const schemas: Mesh['schemas'] = new Map([
    ['order/1', { id: 'order/1', type: 'instruction', schema: {} }],
  ]);
  const edge = (from: string, to: string) =>
    ({ from, to, domain: 'work', schemas: ['order/1'], mayRequest: [] });
  const mesh: Mesh = { ...base, agents, schemas, edges: [edge('desk', 'a'), edge('a', 'b')] };
  expect(originatorsFor(mesh, 'desk', 1)).toEqual(['desk']);
  expect(originatorsFor(mesh, 'a', 1)).toEqual(['desk']);
  // Its OISpec lets `a` pass nothing on.
  expect(originatorsFor(mesh, 'b', 1)).toEqual([]);
});
