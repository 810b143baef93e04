// SPDX-License-Identifier: Apache-2.0
import { edgesBetween } from '../mesh/edge-index.ts';
import type { Outgoing } from '../message/envelope.ts';
import type { SidecarContext } from './context.ts';

/** The only domain in which an edge leads to the recipient; null when none or several do. */
export function onlyDomain(outgoing: Outgoing, context: SidecarContext): string | null {
  const domains = new Set<string>();
  for (const edge of edgesBetween(context.mesh, context.agent.name, outgoing.to)) {
    domains.add(edge.domain);
  }
  const [first] = domains;
  return domains.size === 1 && first !== undefined ? first : null;
}
