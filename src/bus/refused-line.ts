// SPDX-License-Identifier: Apache-2.0
import type { PeerIdentity } from '../identity/credential.ts';
import { blankEntry } from '../recorder/blank-entry.ts';
import type { EntryDraft } from '../recorder/entry.ts';

/** The account of a connection that the node ends, with an indicator where it is evidence. */
export function refusedLineEntries(
  peer: PeerIdentity,
  code: string,
  indicator: 'COMPROMISE' | null,
  at: { readonly boot: string; readonly nowMs: number },
): readonly EntryDraft[] {
  const refused = blankEntry({
    kind: 'identity.refused',
    id: `${at.boot}.${peer.thumbprint}.${at.nowMs}.${code}`,
    at: at.nowMs,
    actor: 'node',
    outcome: 'NO-GO',
    code,
    detail: { agent: peer.name, connection: 'dropped' },
  });
  if (indicator === null) return [refused];
  const raised: EntryDraft = {
    ...refused,
    kind: 'indicator.raised',
    id: `${refused.id}.indicator`,
    causedBy: [refused.id],
    outcome: null,
    detail: { agent: peer.name, indicator, connection: 'dropped' },
  };
  return [refused, raised];
}
