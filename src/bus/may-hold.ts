// SPDX-License-Identifier: Apache-2.0
import { edgesBetween } from '../mesh/edge-index.ts';
import type { Mesh } from '../mesh/mesh.ts';
import type { Hold } from '../oversight/hold.ts';

/** Only for itself, and only what the mesh file lets that requester ask of it. */
export function mayHold({ executor, requester, action }: Hold, by: string, mesh: Mesh): boolean {
  return executor === by && edgesBetween(mesh, requester, executor).some(
    ({ mayRequest }) => mayRequest.includes(action),
  );
}
