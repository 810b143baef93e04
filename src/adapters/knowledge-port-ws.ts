// SPDX-License-Identifier: Apache-2.0
import type { KnowledgePort } from '../sidecar/knowledge.ts';
import type { BusClient } from './bus-client-ws.ts';

/** Asks the node about knowledge and memory on the sidecar's own line. */
export function knowledgePortOf(link: Pick<BusClient, 'ask'>): KnowledgePort {
  return {
    async ask(ask) {
      const answer = await link.ask((number) => ({ kind: 'knowledge', number, ask }));
      if (answer?.kind === 'refused') return { ok: false, code: answer.code };
      return answer?.kind === 'known' ? { ok: true, items: answer.items } : null;
    },
  };
}
