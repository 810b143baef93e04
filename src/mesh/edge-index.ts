// SPDX-License-Identifier: Apache-2.0
import type { Edge, Mesh } from './mesh.ts';

type Edges = Pick<Mesh, 'edges'>;
type Index = {
  /** By `FROM TO`. */
  readonly between: Map<string, Edge[]>;
  readonly from: Map<string, Edge[]>;
  readonly to: Map<string, Edge[]>;
};

const indexes = new WeakMap<readonly Edge[], Index>();

/**
 * The edges from one agent to another, in the order of the mesh file. Looked up: what a hop costs does
 * not grow with the fleet. A mesh is read-only, so its index is made once.
 */
export function edgesBetween({ edges }: Edges, from: string, to: string): readonly Edge[] {
  return indexOf(edges).between.get(`${from} ${to}`) ?? [];
}

/** All edges that begin at an agent, in the order of the mesh file. */
export function edgesFrom({ edges }: Edges, from: string): readonly Edge[] {
  return indexOf(edges).from.get(from) ?? [];
}

/** All edges that end at an agent, in the order of the mesh file. */
export function edgesTo({ edges }: Edges, to: string): readonly Edge[] {
  return indexOf(edges).to.get(to) ?? [];
}

function indexOf(edges: readonly Edge[]): Index {
  const known = indexes.get(edges);
  if (known !== undefined) return known;
  const index: Index = { between: new Map(), from: new Map(), to: new Map() };
  for (const edge of edges) {
    add(index.between, `${edge.from} ${edge.to}`, edge);
    add(index.from, edge.from, edge);
    add(index.to, edge.to, edge);
  }
  indexes.set(edges, index);
  return index;
}

function add(index: Map<string, Edge[]>, key: string, edge: Edge): void {
  const known = index.get(key);
  if (known === undefined) index.set(key, [edge]);
  else known.push(edge);
}
