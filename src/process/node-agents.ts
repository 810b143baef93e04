// SPDX-License-Identifier: Apache-2.0
import type { SqliteIssuedChains } from '../adapters/control-store-sqlite.ts';
import type { BusConnection } from '../bus/connection.ts';
import { breakerOfAgent, usedByAgent, type AllotmentsContext } from '../control/allotments.ts';
import type { Child } from '../control/child.ts';
import type { Children } from '../control/children.ts';
import { readCertificatesPem, spiffeIdOf } from '../identity/certificate.ts';
import type { RevocationChange, RevocationList } from '../identity/revocation.ts';
import { parseSpiffeId } from '../identity/spiffe-id.ts';
import type { Mesh } from '../mesh/mesh.ts';
import { isResident } from '../mesh/spawn.ts';
import type { JsonObject } from '../message/json.ts';

export type AgentsContext = {
  readonly mesh: Mesh;
  readonly connected: ReadonlyMap<string, BusConnection>;
  readonly revocations: RevocationList;
  readonly chains: SqliteIssuedChains;
  readonly children: Children;
  readonly allotments: AllotmentsContext;
};

/** Every agent of the mesh file with its live instance, for operators. */
export function listAgents(context: AgentsContext): readonly JsonObject[] {
  return [...context.mesh.agents.values()]
    .filter((agent) => isResident(agent) || context.children.of(agent.name) !== null)
    .map(({ name }) => summaryOf(name, context));
}

/** One agent with the revocations and the unexpired certificates of its instances; null: unknown. */
export function showAgent(name: string, context: AgentsContext): JsonObject | null {
  if (!context.mesh.agents.has(name)) return null;
  return {
    ...summaryOf(name, context),
    breaker: breakerOfAgent(name, context.allotments),
    bounds: usedByAgent(name, context.allotments),
    revocations: context.revocations
      .changes()
      .filter((change) => namesAgent(change, name, context))
      .map(({ version, op, target, id, at }) => ({ version, op, target: { ...target }, id, at })),
    certificates: context.chains.all().flatMap((chain) => certificateOf(chain, name, context)),
  };
}

function summaryOf(name: string, context: AgentsContext): JsonObject {
  const { mesh, connected, revocations, children } = context;
  const agent = mesh.agents.get(name);
  const line = connected.get(name) ?? null;
  const peer = line?.peer ?? null;
  const id = peer === null ? null : parseSpiffeId(peer.spiffeId);
  return {
    name,
    role: agent?.role ?? null,
    sponsor: agent?.sponsor ?? null,
    instance: id?.kind === 'agent' ? id.instance : null,
    spiffeId: peer?.spiffeId ?? null,
    isolation: line?.isolation ?? null,
    connectedSince: line?.connectedSince ?? null,
    expiresAt: peer?.expiresAtMs ?? null,
    thumbprint: peer?.thumbprint ?? null,
    revoked: revocations.isNameRevoked(name),
    lineage: lineageOf(children.of(name)),
    children: peer === null ? [] : children.below(peer.spiffeId).map((child) => child.name),
  };
}

function lineageOf(child: Child | null): JsonObject | null {
  if (child === null) return null;
  const { template, by, startedAt, lineage } = child;
  const { ancestors, task, endsAt, depthLeft, scope } = lineage;
  const { tools, requests, clearance } = scope;
  return {
    template, by, startedAt, task, endsAt, depthLeft, clearance,
    ancestors: [...ancestors], tools: [...tools], requests: [...requests],
  };
}

function namesAgent(change: RevocationChange, name: string, context: AgentsContext): boolean {
  const { kind, value } = change.target;
  switch (kind) {
    case 'agent':
      return value === name;
    case 'instance':
      return parseSpiffeId(value)?.name === name;
    case 'certificate': {
      const [leaf] = readCertificatesPem(context.chains.chainOf(value) ?? '') ?? [];
      return leaf !== undefined && spiffeIdOf(leaf)?.name === name;
    }
    case 'mandate':
    case 'task':
      return false;
    default:
      return kind satisfies never;
  }
}

function certificateOf(
  issued: { readonly thumbprint: string; readonly chain: string; readonly expiresAtMs: number },
  name: string,
  { revocations }: AgentsContext,
): readonly JsonObject[] {
  const [leaf] = readCertificatesPem(issued.chain) ?? [];
  const id = leaf === undefined ? null : spiffeIdOf(leaf);
  if (leaf === undefined || id?.kind !== 'agent' || id.name !== name) return [];
  const { thumbprint, expiresAtMs } = issued;
  const revoked = revocations.isRevoked({ name, spiffeId: id.text, thumbprint });
  const serial = leaf.serialNumber.toLowerCase();
  return [{ thumbprint, serial, spiffeId: id.text, expiresAt: expiresAtMs, revoked }];
}
