// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { canonicalize } from './canonical-json.ts';

/** Calls of one executor that are shown at one time, the oldest first. */
export const doubtfulCallsMax = 256;

/**
 * A tool call whose outcome nobody knows (G10), as people see it: names, codes and times, and no
 * value of the request.
 */
export type DoubtfulCall = {
  /** Id of the action request that the call was made for. */
  readonly call: string;
  readonly executor: string;
  readonly requester: string;
  readonly action: string | null;
  readonly tool: string;
  readonly operation: string;
  readonly risk: string;
  readonly task: string | null;
  /** When it was begun, the last time that it was; milliseconds since 1970. */
  readonly since: number;
  /** Why nobody knows. */
  readonly code: string;
};

/**
 * What a settlement is bound to: a person settles the call with exactly these facts, whoever showed
 * them. A call that is tried again has another `since` and so another digest. SHA-256, base64url.
 */
export function doubtfulCallDigest(shown: DoubtfulCall): string {
  const { call, executor, requester, action, tool, operation, risk, task, since, code } = shown;
  const text = canonicalize({
    call, executor, requester, action, tool, operation, risk, task, since, code,
  });
  return createHash('sha256').update(text).digest('base64url');
}
