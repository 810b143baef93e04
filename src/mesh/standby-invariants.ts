// SPDX-License-Identifier: Apache-2.0
import { edgesBetween, edgesTo } from './edge-index.ts';
import type { Problems } from './problems.ts';
import type { Edge } from './mesh.ts';

/**
 * A message for an isolated agent goes to its standby along an edge of its own: whoever has none there is
 * refused instead, which is best known before it happens.
 */
export function standbyProblems(problems: Problems): void {
  const { mesh } = problems.placed;
  for (const { name: workflow, standbys } of mesh.pace?.workflows.values() ?? []) {
    for (const [agent, standby] of standbys) {
      const cut = edgesTo(mesh, agent).filter((edge) =>
        edge.from !== standby && !edgesBetween(mesh, edge.from, standby).some((other) => carries(other, edge)));
      if (cut.length === 0) continue;
      const senders = [...new Set(cut.map(({ from }) => from))].join(', ');
      problems.at('MESH_PACE_STANDBY_UNREACHED', 'warning',
        ['security_mesh', 'workflows', workflow, 'pace', 'standbys', agent],
        `What ${senders} may send to ${agent} cannot go to its standby ${standby}.`);
    }
  }
}

function carries(other: Edge, edge: Edge): boolean {
  return other.domain === edge.domain &&
    edge.schemas.every((schema) => other.schemas.includes(schema)) &&
    edge.mayRequest.every((action) => other.mayRequest.includes(action));
}
