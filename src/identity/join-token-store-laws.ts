// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import type { JoinTokenStore } from './join-token.ts';

/** One behaviour that every `JoinTokenStore` must have; `check` rejects when it has not. */
export type JoinTokenStoreLaw = {
  readonly behaviour: string;
  readonly check: (store: JoinTokenStore) => Promise<void>;
};

const digest = 'a'.repeat(43);
const token = { secretDigest: digest, agent: 'triage', expiresAtMs: 1_000 };

/** The port's shared suite: every implementation runs each law on a fresh store. */
export const joinTokenStoreLaws: readonly JoinTokenStoreLaw[] = [
  {
    behaviour: 'refuses a secret that it never saw',
    check: async (store) => {
      assert.equal(await store.consume(digest, 'triage', 0), 'IDENTITY_JOIN_TOKEN_UNKNOWN');
    },
  },
  {
    behaviour: 'refuses a token from the millisecond it expires',
    check: async (store) => {
      await store.add(token);
      assert.equal(await store.consume(digest, 'triage', 1_000), 'IDENTITY_JOIN_TOKEN_EXPIRED');
    },
  },
  {
    behaviour: 'refuses a token when the time is not a number',
    check: async (store) => {
      await store.add(token);
      assert.equal(await store.consume(digest, 'triage', NaN), 'IDENTITY_JOIN_TOKEN_EXPIRED');
    },
  },
  {
    behaviour: 'refuses another agent and spends the token on the attempt',
    check: async (store) => {
      await store.add(token);
      assert.equal(await store.consume(digest, 'bank', 1), 'IDENTITY_JOIN_TOKEN_WRONG_AGENT');
      assert.equal(await store.consume(digest, 'triage', 1), 'IDENTITY_JOIN_TOKEN_SPENT');
    },
  },
  {
    behaviour: 'accepts a token once and calls it spent ever after, expired or not',
    check: async (store) => {
      await store.add(token);
      assert.equal(await store.consume(digest, 'triage', 999), 'ACCEPTED');
      assert.equal(await store.consume(digest, 'triage', 999), 'IDENTITY_JOIN_TOKEN_SPENT');
      assert.equal(await store.consume(digest, 'triage', 2_000), 'IDENTITY_JOIN_TOKEN_SPENT');
    },
  },
  {
    behaviour: 'accepts one of many uses at the same time',
    check: async (store) => {
      await store.add(token);
      const uses = Array.from({ length: 20 }, () => store.consume(digest, 'triage', 1));
      const answers = await Promise.all(uses);
      assert.equal(answers.filter((answer) => answer === 'ACCEPTED').length, 1);
      assert.equal(answers.filter((answer) => answer === 'IDENTITY_JOIN_TOKEN_SPENT').length, 19);
    },
  },
  {
    behaviour: 'keeps tokens apart',
    check: async (store) => {
      const other = { ...token, secretDigest: 'b'.repeat(43), agent: 'bank' };
      await store.add(token);
      await store.add(other);
      assert.equal(await store.consume(digest, 'triage', 1), 'ACCEPTED');
      assert.equal(await store.consume(other.secretDigest, 'bank', 1), 'ACCEPTED');
    },
  },
];
