// SPDX-License-Identifier: Apache-2.0
import type { BusConnection } from '../bus/connection.ts';
import { parentOf, type Child } from '../control/child.ts';
import type { ChildGrant } from '../control/enrolment.ts';
import { parseSpiffeId } from '../identity/spiffe-id.ts';

/** What a spawned agent may be issued now; null where none lives under its name. */
export function grantOf(
  child: Child | null,
  connected: ReadonlyMap<string, BusConnection>,
): ChildGrant | null {
  if (child === null) return null;
  const parent = parentOf(child);
  const peer = connected.get(parseSpiffeId(parent)?.name ?? '')?.peer;
  // A parent that is away just now: its line may come back, and nothing is issued until then.
  const parentExpiresAt = peer?.spiffeId === parent ? peer.expiresAtMs : 0;
  const { instance, spiffeId, lineage } = child;
  return { instance, spiffeId, lineage, parentExpiresAt };
}
