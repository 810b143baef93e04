// SPDX-License-Identifier: Apache-2.0
import { carriesInstructions, mayAssign } from './assignment.ts';
import type { Agent, Mesh } from './mesh.ts';

/** Agents that can come to hold what this one is given: itself, and whom it may instruct. */
export function holdersFrom(mesh: Mesh, first: Agent, hopsMax: number): readonly string[] {
  const holders = new Set([first.name]);
  let edgeOfReach = [{ agent: first, hopsLeft: hopsMax }];
  while (edgeOfReach.length > 0) {
    const next: typeof edgeOfReach = [];
    for (const { agent, hopsLeft } of edgeOfReach) {
      const { canDelegate = false, maxDelegationDepth = 0 } = agent.oispec ?? {};
      const hops = canDelegate ? Math.min(hopsLeft, maxDelegationDepth) : 0;
      if (hops <= 0) continue;
      for (const name of instructedBy(mesh, agent.name)) {
        const delegate = mesh.agents.get(name);
        if (delegate === undefined || delegate.role === 'EXECUTOR' || holders.has(name)) continue;
        holders.add(name);
        next.push({ agent: delegate, hopsLeft: hops - 1 });
      }
    }
    edgeOfReach = next;
  }
  return [...holders];
}

/** Agents to whom an edge of this one carries instructions that it may give. */
function instructedBy(mesh: Mesh, agent: string): ReadonlySet<string> {
  const carried = mesh.edges.filter((edge) =>
    edge.from === agent && carriesInstructions(mesh, edge) && mayAssign(mesh, agent, edge.to));
  return new Set(carried.map((edge) => edge.to));
}

/** Originators whose tasks can give this agent a mandate, itself among them; none: nobody's can. */
export function originatorsFor(mesh: Mesh, agent: string, hopsMax: number): readonly string[] {
  const reaches = (originator: Agent): boolean =>
    originator.name === agent ||
    [...instructedBy(mesh, originator.name)].some((name) => {
      const delegate = mesh.agents.get(name);
      return delegate !== undefined && holdersFrom(mesh, delegate, hopsMax).includes(agent);
    });
  return [...mesh.agents.values()]
    .filter((one) => one.originator && reaches(one))
    .map(({ name }) => name);
}
