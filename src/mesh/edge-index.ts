// SPDX-License-Identifier: Apache-2.0
import type { Edge, Mesh } from './mesh.ts';

const indexes = new WeakMap<readonly Edge[], ReadonlyMap<string, readonly Edge[]>>();

/**
 * The edges from one agent to another, in the order of the mesh file. Looked up: what a hop costs does
 * not grow with the fleet. A mesh is read-only, so its index is made once.
 */
export function edgesBetween({ edges }: Pick<Mesh, 'edges'>, from: string, to: string): readonly Edge[] {
  const index = indexes.get(edges) ?? indexOf(edges);
  return index.get(`${from} ${to}`) ?? [];
}

function indexOf(edges: readonly Edge[]): ReadonlyMap<string, readonly Edge[]> {
  const index = new Map<string, Edge[]>();
  for (const edge of edges) {
    const key = `${edge.from} ${edge.to}`;
    const known = index.get(key);
    if (known === undefined) index.set(key, [edge]);
    else known.push(edge);
  }
  indexes.set(edges, index);
  return index;
}
