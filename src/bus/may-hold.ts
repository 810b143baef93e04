// SPDX-License-Identifier: Apache-2.0
import type { Mesh } from '../mesh/mesh.ts';
import type { Hold } from '../oversight/hold.ts';

/** Only for itself, and only what the mesh file lets that requester ask of it. */
export function mayHold({ executor, requester, action }: Hold, by: string, mesh: Mesh): boolean {
  return executor === by && mesh.edges.some(
    ({ from, to, mayRequest }) =>
      from === requester && to === executor && mayRequest.includes(action),
  );
}
