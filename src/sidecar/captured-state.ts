// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '../message/json.ts';
import type { SidecarContext } from './context.ts';
import type { InboxState } from './ports.ts';

const idsMax = 64;
const waiting: readonly InboxState[] = ['pending', 'handed', 'working', 'judging', 'held'];

/**
 * What an agent stood in when it was stopped, for whoever looks into it later: digests, labels, counts
 * and ids, no value (G9). On record it can be changed by nobody. Tier 2 and 3 of PACE ask for it before
 * anything is ended.
 */
export function capturedState({ store, gate }: Pick<SidecarContext, 'store' | 'gate'>): JsonObject {
  const incarnation = store.incarnation();
  const read = incarnation === null ? null : store.context(incarnation.id);
  const inbox: { [state: string]: JsonObject } = {};
  for (const state of waiting) {
    const messages = store.messages(state, idsMax + 1);
    if (messages.length === 0) continue;
    inbox[state] = { ids: messages.slice(0, idsMax).map(({ body }) => body.id), more: messages.length > idsMax };
  }
  const doubtful = gate.inDoubt();
  return {
    incarnation: incarnation?.id ?? null,
    read: read === null ? null : {
      digest: read.digest,
      count: read.count,
      label: { ...read.label, origins: [...read.label.origins] },
      principals: [...read.principals],
    },
    mandates: incarnation === null ? 0 : store.mandates(incarnation.id).length,
    inbox,
    inDoubt: doubtful.slice(0, idsMax).map(({ requestId }) => requestId),
  };
}
