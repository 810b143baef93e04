// SPDX-License-Identifier: Apache-2.0
import { holdersFrom } from '../mesh/delegation.ts';
import type { Agent, Mesh } from '../mesh/mesh.ts';
import { depthDefault, mandateBounds, noLimits } from './mandate.ts';
import type { PerformRight, RequestRight } from './mandate.ts';

/**
 * The widest rights to request that a mandate can give an agent and that could ever be used: what
 * its own `may_request` edges name, then those of the agents that it may pass work on to, as far as
 * the OISpecs on the way and the depth let it. What its OISpec prohibits is left out. At most as
 * many as a mandate holds, the agent's own first.
 */
export function requestRightsOf(
  mesh: Mesh,
  delegate: Agent,
  hopsMax: number = depthDefault - 1,
): readonly RequestRight[] {
  const prohibited = new Set(delegate.oispec?.prohibitedActions ?? []);
  const rights = new Map<string, RequestRight>();
  for (const holder of holdersFrom(mesh, delegate, hopsMax)) {
    for (const edge of mesh.edges) {
      if (edge.from !== holder) continue;
      for (const action of edge.mayRequest) {
        if (prohibited.has(action)) continue;
        const right = { right: 'request', executor: edge.to, action } as const;
        rights.set(`${edge.to} ${action}`, { ...right, constraints: {}, limits: noLimits });
      }
    }
  }
  return [...rights.values()].slice(0, mandateBounds.rightsMax);
}

/** What an originator may have an executor perform for it: its own edges and the OISpec's actions. */
export function performRightsOf(
  mesh: Mesh,
  originator: string,
  executor: Agent,
): readonly PerformRight[] {
  const permitted = new Set(executor.oispec?.permittedActions ?? []);
  const actions = new Set(
    mesh.edges
      .filter((edge) => edge.from === originator && edge.to === executor.name)
      .flatMap((edge) => edge.mayRequest)
      .filter((action) => permitted.has(action)),
  );
  return [...actions].slice(0, mandateBounds.rightsMax).map((action) => ({
    right: 'perform', action, constraints: {}, limits: noLimits,
  }));
}
