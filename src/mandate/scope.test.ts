// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { sampleMesh } from '../../test/mesh-files/sample.ts';
import type { Agent, Edge, Mesh } from '../mesh/mesh.ts';
import type { OISpec } from '../mesh/oispec.ts';
import { mandateBounds } from './mandate.ts';
import { performRightsOf, requestRightsOf } from './scope.ts';

const base = sampleMesh();
const like = base.agents.get('desk') as Agent;
const spec = base.agents.get('payments')?.oispec as OISpec;

function meshOf(delegating: number, edges: readonly Edge[], change: Partial<OISpec> = {}): Mesh {
  const oispec = {
    ...spec, canDelegate: delegating > 0, maxDelegationDepth: delegating, prohibitedActions: [],
    ...change,
  };
  const agent = (name: string, role: Agent['role']): Agent => ({ ...like, name, role, oispec });
  const agents = ['a', 'b', 'c'].map((name) => agent(name, 'ORCHESTRATOR'));
  const all = [...agents, agent('e', 'EXECUTOR')].map((one) => [one.name, one] as const);
  const schemas: Mesh['schemas'] = new Map([
    ['order/1', { id: 'order/1', type: 'instruction', schema: {} }],
    ['note/1', { id: 'note/1', type: 'data', schema: {} }],
  ]);
  return { ...base, agents: new Map(all), edges, schemas };
}
const edge = (from: string, to: string, schemas: string[], mayRequest: string[] = []): Edge => ({
  from, to, domain: 'work', schemas, mayRequest,
});
const asks = [edge('a', 'e', [], ['pay']), edge('b', 'e', [], ['refund']), edge('c', 'e', [], ['erase'])];
const namesOf = (mesh: Mesh, hops: number): readonly string[] =>
  requestRightsOf(mesh, mesh.agents.get('a') as Agent, hops).map(({ action }) => action);

describe('the widest mandate that can be used', () => {
  it('is the agent\'s own edges where its OISpec lets it pass nothing on', () => {
    expect(namesOf(meshOf(0, [...asks, edge('a', 'b', ['order/1'])]), 2)).toEqual(['pay']);
  });

  it('goes on over instructions, as far as the hops and the OISpecs reach', () => {
    const edges = [...asks, edge('a', 'b', ['order/1']), edge('b', 'c', ['order/1'])];
    expect(namesOf(meshOf(3, edges), 0)).toEqual(['pay']);
    expect(namesOf(meshOf(3, edges), 1)).toEqual(['pay', 'refund']);
    expect(namesOf(meshOf(3, edges), 2)).toEqual(['pay', 'refund', 'erase']);
    expect(namesOf(meshOf(1, edges), 2)).toEqual(['pay', 'refund']);
  });

  it('does not go over data, into executors or around circles', () => {
    const edges = [...asks, edge('a', 'b', ['note/1']), edge('a', 'e', ['order/1']), edge('a', 'a', ['order/1'])];
    expect(namesOf(meshOf(3, edges), 3)).toEqual(['pay']);
  });

  it('leaves out what the delegate\'s OISpec prohibits, and fits into a mandate', () => {
    expect(namesOf(meshOf(0, asks, { prohibitedActions: ['pay'] }), 1)).toEqual([]);
    const many = Array.from({ length: 40 }, (_, index) => `act_${index}`);
    const rights = namesOf(meshOf(0, [edge('a', 'e', [], many)]), 1);
    expect(rights).toHaveLength(mandateBounds.rightsMax);
  });

  it('lets an executor perform what the originator\'s edge and its own OISpec name', () => {
    const mesh = meshOf(0, [edge('a', 'e', [], ['pay', 'erase'])], { permittedActions: ['pay'] });
    const executor = mesh.agents.get('e') as Agent;
    expect(performRightsOf(mesh, 'a', executor).map(({ action }) => action)).toEqual(['pay']);
    expect(performRightsOf(mesh, 'b', executor)).toEqual([]);
  });
});
