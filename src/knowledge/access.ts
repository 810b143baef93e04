// SPDX-License-Identifier: Apache-2.0
import type { RevocationView } from '../identity/revocation.ts';
import { flowsTo } from '../label/label.ts';
import type { Agent, Mesh } from '../mesh/mesh.ts';
import { exchangeRefusal, type Exchange } from '../protection/exchange.ts';
import type { Protection } from '../protection/protection.ts';
import type { ItemFacts } from './item.ts';

/** Who asks; nothing of it is the agent's own word. */
export type Reader = {
  readonly agent: Agent;
  /** Of the certificate of its sidecar. */
  readonly credential: Exchange['credential'];
  readonly attested: () => boolean;
};

export type AccessContext = {
  readonly mesh: Pick<Mesh, 'domains'>;
  readonly protection: Pick<Protection, 'refusal'>;
  readonly revocations: Pick<RevocationView, 'isMandateRevoked'>;
};

/** Whether the policy of the domain lets this agent read or write in it now (seed 003). */
export function domainRefusal(
  domain: string,
  { agent, credential, attested }: Reader,
  nowMs: number,
  { mesh, protection }: AccessContext,
): string | null {
  const exchange = { credential, roles: [agent.role], attested };
  return exchangeRefusal(mesh.domains.get(domain), exchange, nowMs, protection)?.code ?? null;
}

/** What of an item decides who may be given it. */
export type Audience = Pick<
  ItemFacts, 'label' | 'roles' | 'readers' | 'mandate' | 'expiresAt' | 'writtenAt' | 'state'
>;

/**
 * Whether this reader may be given this item now. What was allowed when it was kept counts as well as
 * what is allowed now, and the stricter wins: a role that the domain gained later reads nothing older.
 */
export function mayRead(
  item: Audience,
  { agent }: Reader,
  nowMs: number,
  { revocations }: AccessContext,
): boolean {
  const { label, roles, readers, mandate, expiresAt } = item;
  return (
    nowMs < expiresAt &&
    flowsTo(label.classification, agent.clearance) &&
    roles.includes(agent.role) &&
    (readers === null || readers.includes(agent.name)) &&
    !(mandate !== null && revocations.isMandateRevoked(mandate))
  );
}
