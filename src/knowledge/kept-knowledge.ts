// SPDX-License-Identifier: Apache-2.0
import type { Reader } from './access.ts';
import type { KnowledgeAnswer, KnowledgeAsk } from './asks.ts';
import type { KnowledgeContext } from './context.ts';
import { recall, remember } from './memory.ts';
import { query } from './source.ts';
import { reveal, tokenise } from './tokens.ts';

/** What a sidecar asks for its agent. Rejects where store, keys or recorder fail: nothing was given or kept. */
export function answerAsk(
  ask: KnowledgeAsk,
  reader: Reader,
  kept: KnowledgeContext,
): Promise<KnowledgeAnswer> {
  // A version of the policy that is taken meanwhile holds from the next ask.
  const context = { ...kept, mesh: kept.mesh, startedUs: performance.now() * 1000 };
  switch (ask.kind) {
    case 'remember':
      return remember(ask, reader, context);
    case 'recall':
      return recall(ask, reader, context);
    case 'query':
      return query(ask, reader, context);
    case 'tokenise':
      return tokenise(ask, reader, context);
    case 'reveal':
      return reveal(ask, reader, context);
    default:
      return ask satisfies never;
  }
}
