// SPDX-License-Identifier: Apache-2.0
import type { PolicySource } from '../../src/bus/line-policy.ts';

/** A node that runs on version 1 of the policy, and never had another. */
export function standingPolicy(digest: string): PolicySource {
  return {
    version: 1,
    missing: (held) => (held === digest ? [] : null),
    after: () => [],
    switching: () => null,
  };
}
