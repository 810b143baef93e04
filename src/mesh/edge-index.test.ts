// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest';
import { sampleMesh } from '../../test/mesh-files/sample.ts';
import { edgesBetween, edgesFrom, edgesTo } from './edge-index.ts';

it('gives the edges of this direction, in the order of the file, and no others', () => {
  const mesh = sampleMesh();
  const [edge] = mesh.edges;
  if (edge === undefined) throw new Error('no edge');
  const more = { ...mesh, edges: [...mesh.edges, { ...edge, domain: 'other' }] };
  expect(edgesBetween(mesh, edge.from, edge.to)).toEqual([edge]);
  expect(edgesBetween(more, edge.from, edge.to).map(({ domain }) => domain)).toEqual([edge.domain, 'other']);
  expect(edgesBetween(mesh, edge.to, edge.from)).toEqual([]);
  expect(edgesBetween(mesh, 'constructor', '__proto__')).toEqual([]);
  expect(edgesFrom(mesh, 'constructor')).toEqual([]);
  expect(edgesTo(mesh, '__proto__')).toEqual([]);
  for (const agent of mesh.agents.keys()) {
    expect(edgesFrom(more, agent)).toEqual(more.edges.filter(({ from }) => from === agent));
    expect(edgesTo(more, agent)).toEqual(more.edges.filter(({ to }) => to === agent));
  }
});
