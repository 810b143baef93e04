// SPDX-License-Identifier: Apache-2.0
import type { JoinTokenRecord, JoinTokenStore } from './join-token.ts';

/** A `JoinTokenStore` for tests: nothing in it outlives the process, so no node may use it. */
export function memoryJoinTokenStore(): JoinTokenStore {
  const records = new Map<string, JoinTokenRecord>();
  const spent = new Set<string>();
  return {
    add(record) {
      records.set(record.secretDigest, record);
      return Promise.resolve();
    },
    consume(secretDigest, agent, nowMs) {
      const record = records.get(secretDigest);
      if (record === undefined) return Promise.resolve('IDENTITY_JOIN_TOKEN_UNKNOWN');
      if (spent.has(secretDigest)) return Promise.resolve('IDENTITY_JOIN_TOKEN_SPENT');
      if (!(nowMs < record.expiresAtMs)) return Promise.resolve('IDENTITY_JOIN_TOKEN_EXPIRED');
      spent.add(secretDigest);
      const own = record.agent === agent;
      return Promise.resolve(own ? 'ACCEPTED' : 'IDENTITY_JOIN_TOKEN_WRONG_AGENT');
    },
  };
}
