// SPDX-License-Identifier: Apache-2.0
import type { SpiffeId } from '../identity/spiffe-id.ts';
import { svidMsMax } from '../identity/svid-lifetime.ts';
import { actionsOf, isPrivileged } from './duties.ts';
import type { Agent, Mesh } from './mesh.ts';

/** Privileged identities live at most 15 minutes (DESIGN 6.4, IA-1.3). */
export const privilegedSvidMsMax = 900_000;

/**
 * True for who executes HIGH or CRITICAL actions, also over edges that may be opened, and for who may
 * spawn others or change workflows.
 */
export function isPrivilegedAgent(mesh: Mesh, agent: Agent): boolean {
  if ((agent.spawn ?? null) !== null || (agent.mayChange ?? []).length > 0) return true;
  const closed = (mesh.closedEdges ?? []).filter(({ to }) => to === agent.name)
    .flatMap(({ mayRequest }) => mayRequest.flatMap((name) => mesh.actions.get(name) ?? []));
  return [...actionsOf(mesh, agent.name), ...closed].some(isPrivileged);
}

/** How long an SVID of this agent may live, in milliseconds; the stricter bound wins. */
export function credentialLifetimeMs(mesh: Mesh, agent: Agent): number {
  return isPrivilegedAgent(mesh, agent)
    ? Math.min(mesh.credentialRotationIntervalMs, privilegedSvidMsMax)
    : mesh.credentialRotationIntervalMs;
}

/**
 * The bound for every identity of a mesh, as authority and verifiers ask for it. Looked up once per
 * agent. Names that the mesh file does not know are refused elsewhere, with a code of their own.
 */
export function svidLifetimes(mesh: Mesh): (id: SpiffeId) => number {
  const known = new Map<string, number>();
  return ({ kind, name }) => {
    const agent = kind === 'agent' ? mesh.agents.get(name) : undefined;
    if (agent === undefined) return Math.min(mesh.credentialRotationIntervalMs, svidMsMax);
    const lifetimeMs = known.get(name) ?? credentialLifetimeMs(mesh, agent);
    known.set(name, lifetimeMs);
    return lifetimeMs;
  };
}

/**
 * The same for a mesh whose policy changes while it runs: what was issued under the version that this
 * process started on is good until it ends, and its renewal is what the version in force says.
 */
export function liveLifetimes(mesh: () => Mesh): (id: SpiffeId) => number {
  const atStart = svidLifetimes(mesh());
  let known = mesh();
  let lifetimes = atStart;
  return (id) => {
    const now = mesh();
    if (now !== known) [known, lifetimes] = [now, svidLifetimes(now)];
    return Math.max(atStart(id), lifetimes(id));
  };
}
