// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import type { Label } from '../message/envelope.ts';
import { canonicalize } from '../message/canonical-json.ts';
import type { JsonValue } from '../message/json.ts';
import { beliefsAfter, type Belief, type Told } from './belief.ts';
import { cleanLabel, joinLabels } from './label.ts';

/**
 * Everything that one agent process has been given, as far as its label and causes go. It belongs
 * to the process incarnation: a new task does not clean it, only a new process does. The digest is
 * a hash chain over all inputs in order, so that a sidecar cannot later leave one out.
 */
export type AgentContext = {
  readonly label: Label;
  /** SHA-256, base64url; see `absorb`. */
  readonly digest: string;
  readonly count: number;
  /**
   * Agents whose instructions were delivered to the process, directly or through others: ascending,
   * at most 32, or `*` alone for more. The right to request is what all of them have (G4).
   */
  readonly principals: readonly string[];
  /** What it was told with how sure that is, by task; absent is nothing. */
  readonly beliefs?: readonly Belief[];
};

/** One thing that is about to be handed to the agent: a message or a tool result. */
export type ContextInput = {
  readonly id: string;
  readonly label: Label;
  /** Who speaks through it with a wish of its own; absent means nobody. */
  readonly principals?: readonly string[];
  /** Absent where nothing was said of how sure it is, and nothing was read by oneself. */
  readonly told?: Told;
};

/** The context of a process that has read nothing; its digest is the hash of no bytes. */
export const freshContext: AgentContext = {
  label: cleanLabel,
  digest: createHash('sha256').digest('base64url'),
  count: 0,
  principals: [],
};

/**
 * The context after one more input. The label is the join of both, so it never falls; the digest is
 * SHA-256 over the RFC 8785 form of `[previous digest, id, label]`. The caller makes the result
 * durable before the agent sees the input.
 */
export function absorb(context: AgentContext, input: ContextInput): AgentContext {
  const { classification, integrity, origins } = input.label;
  const link: JsonValue = [context.digest, input.id, { classification, integrity, origins }];
  return {
    label: joinLabels(context.label, input.label),
    digest: createHash('sha256').update(canonicalize(link)).digest('base64url'),
    count: context.count + 1,
    principals: joinPrincipals(context.principals, input.principals ?? []),
    ...(input.told === undefined ? beliefsOf(context) : { beliefs: beliefsAfter(context.beliefs ?? [], input.told) }),
  };
}

function beliefsOf({ beliefs }: AgentContext): { readonly beliefs?: readonly Belief[] } {
  return beliefs === undefined ? {} : { beliefs };
}

const principalsMax = 32;

/** A set too large to list is one that nobody can vouch for. */
function joinPrincipals(a: readonly string[], b: readonly string[]): readonly string[] {
  if (b.length === 0) return a;
  const joined = [...new Set([...a, ...b])].sort();
  return joined.includes('*') || joined.length > principalsMax ? ['*'] : joined;
}
