// SPDX-License-Identifier: Apache-2.0
import type { PeerIdentity } from '../identity/credential.ts';
import type { ChildScope, Lineage } from '../identity/svid-statement.ts';
import { isPrivileged } from '../mesh/duties.ts';
import type { Agent, Mesh, SpawnRight } from '../mesh/mesh.ts';
import { isSameWay, lowerClearance } from '../mesh/spawn.ts';
import { flowsTo } from '../label/label.ts';
import type { SpawnRequest } from '../wire/frame.ts';
import type { ControlCode } from './codes.ts';

/** What a parent may pass on at most, to whomever it spawns. */
export type Grantable = {
  readonly tools: readonly string[];
  /** Null: nothing but its own edges bounds what it may request. */
  readonly requests: readonly string[] | null;
  readonly clearance: Agent['clearance'];
};

export type Spawner = {
  readonly peer: Pick<PeerIdentity, 'name' | 'spiffeId' | 'lineage'>;
  readonly agent: Agent;
  readonly right: SpawnRight;
  readonly grantable: Grantable;
};

export type ScopeAnswer =
  | { readonly ok: true; readonly scope: ChildScope; readonly grantable: Grantable }
  | { readonly ok: false; readonly code: ControlCode };

/** Shorter lives end before their sidecar serves. */
export const childLifetimeMsMin = 5_000;

/**
 * What the parent itself may pass on: what it holds, and the tools its right names, never more than
 * those who stand above it could have.
 */
export function grantableOf(agent: Agent, right: SpawnRight, above: Grantable | null): Grantable {
  const tools = new Set([...agent.tools, ...right.tools]);
  if (above === null) {
    return { tools: [...tools], requests: null, clearance: agent.clearance };
  }
  return {
    tools: [...tools].filter((tool) => above.tools.includes(tool)),
    requests: above.requests,
    clearance: lowerClearance(agent.clearance, above.clearance),
  };
}

/**
 * The child's scope: what its template has, what its parent may pass on, and what was asked for. What
 * is asked for beyond the two is refused, and not quietly cut off: whoever asks for it is mistaken, or
 * was taken over.
 */
export function scopeFor(
  request: SpawnRequest,
  template: Agent,
  spawner: Spawner,
  mesh: Mesh,
): ScopeAnswer {
  const { grantable } = spawner;
  const tools = template.tools.filter((tool) => grantable.tools.includes(tool));
  const requests = requestsFor(template, spawner, mesh);
  const clearance = lowerClearance(template.clearance, grantable.clearance);
  const wider =
    isWider(request.tools, tools) ||
    isWider(request.requests, requests) ||
    (request.clearance !== null && !flowsTo(request.clearance, clearance)) ||
    (request.lifetimeMs ?? 0) > (template.template?.lifetimeMs ?? 0);
  if (wider) return { ok: false, code: 'CONTROL_SPAWN_WIDER' };
  const scope = {
    tools: request.tools ?? tools,
    requests: request.requests ?? requests,
    clearance: request.clearance ?? clearance,
  };
  // Its own children get what it could have used, or passed on, and nothing that it was denied.
  const passed = grantable.tools.filter(
    (tool) => !template.tools.includes(tool) || scope.tools.includes(tool),
  );
  return { ok: true, scope, grantable: { ...scope, tools: passed } };
}

/** Generations that may stand below the child; null where none may stand below the parent. */
export function depthBelow(right: SpawnRight, lineage: Lineage | null): number | null {
  if (lineage === null) return right.depthMax - 1;
  return lineage.depthLeft < 1 ? null : Math.min(right.depthMax - 1, lineage.depthLeft - 1);
}

/** Whether a person has to release it (DESIGN 6.1, by autonomy tier). */
export function needsApproval(
  mesh: Mesh,
  right: SpawnRight,
  scope: ChildScope,
  lineage: Lineage | null,
): boolean {
  if (right.approval === 'required' || mesh.autonomyTier === 1) return true;
  if (mesh.autonomyTier === 3) return false;
  return lineage !== null || mayHarm(mesh, scope);
}

export function mayHarm(mesh: Mesh, scope: ChildScope): boolean {
  return scope.requests.some((name) => {
    const action = mesh.actions.get(name);
    return action === undefined || isPrivileged(action);
  });
}

/** Actions that the template may request, where its parent may request them on the same way. */
function requestsFor(template: Agent, { agent, grantable }: Spawner, mesh: Mesh): readonly string[] {
  const parent = agent.name;
  const asked = mesh.edges.filter(({ from }) => from === template.name);
  const names = [...new Set(asked.flatMap((edge) => edge.mayRequest))];
  return names.filter((name) => {
    const ways = asked.filter((edge) => edge.mayRequest.includes(name));
    const held = ways.every((edge) =>
      mesh.edges.some((own) => isSameWay(own, edge, parent) && own.mayRequest.includes(name)));
    return held && (grantable.requests?.includes(name) ?? true);
  });
}

function isWider(asked: readonly string[] | null, held: readonly string[]): boolean {
  return asked !== null && asked.some((name) => !held.includes(name));
}
