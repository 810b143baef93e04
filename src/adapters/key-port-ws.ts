// SPDX-License-Identifier: Apache-2.0
import type { KeyPort } from '../protection/held-keys.ts';
import type { BusClient } from './bus-client-ws.ts';

/** Asks the node about keys on the sidecar's own line. */
export function keyPortOf(link: Pick<BusClient, 'ask' | 'onKeyAhead'>): KeyPort {
  return {
    onAhead(listener) {
      link.onKeyAhead = listener;
    },
    async busKey() {
      const answer = await link.ask((number) => ({ kind: 'bus-key', number }));
      return answer?.kind === 'bus-key' ? answer.publicKey : null;
    },
    async release(signed) {
      const answer = await link.ask((number) => ({ kind: 'release', number, signed }));
      if (answer?.kind === 'refused') return { code: answer.code };
      if (answer?.kind !== 'released') return null;
      const { nonce, durationMs, sealed } = answer;
      return { nonce, durationMs, sealed };
    },
  };
}
