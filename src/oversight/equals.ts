// SPDX-License-Identifier: Apache-2.0
import { canonicalize } from '../message/canonical-json.ts';
import { rulingOf, type Approval } from './approvals.ts';
import type { Hold } from './hold.ts';

/** Questions that may be answered together; each is signed by itself all the same. */
export const equalsMax = 20;

const keys = new WeakMap<Hold, string>();

/**
 * Everything that is asked: who asks whom for what with which values, set off by whom, why it waits, how
 * sure they are, and what has to be vouched for. Message, task, digest and deadline are not in it.
 */
export function questionKey(hold: Hold): string {
  const known = keys.get(hold);
  if (known !== undefined) return known;
  const key = canonicalize([
    hold.requester, hold.executor, hold.action, hold.parameters, hold.risk, hold.reversibility, hold.rootOrigin,
    hold.approvalsNeeded, hold.reasons.toSorted(), [...(hold.modifiedBy ?? [])],
    hold.told === undefined ? null : [hold.told.confidence, [...hold.told.unknowns]],
    (hold.endorse ?? []).map(({ pointer, sources, origins }) => [pointer, [...sources], [...origins]]),
  ]);
  keys.set(hold, key);
  return key;
}

/** The question with how far it was decided. Two with one key are equal for whoever decides. */
export function equalKey(approval: Approval): string {
  const { approvedBy, level } = rulingOf(approval);
  return canonicalize([questionKey(approval.hold), level, [...approvedBy].sort()]);
}

/** Finds, among those that wait, the others that are equal to one. Linear in what waits, once. */
export function equalsAmong(pending: readonly Approval[]): (approval: Approval) => readonly Approval[] {
  const byRequester = Map.groupBy(pending, ({ hold }) => hold.requester);
  return (approval) => {
    if (approval.state !== 'pending') return [];
    const near = byRequester.get(approval.hold.requester) ?? [];
    return near
      .filter((other) => other.id !== approval.id && equalKey(other) === equalKey(approval))
      .slice(0, equalsMax - 1);
  };
}

/**
 * Whether equals may be released together: what cannot be undone, is CRITICAL, or needs a person's word
 * for a value is looked at one by one. Denying together is always allowed: it does nothing.
 */
export function mayReleaseTogether({ hold }: Approval): boolean {
  return hold.reversibility !== 'irreversible' && hold.risk !== 'CRITICAL' && hold.approvalsNeeded === 1 &&
    (hold.endorse ?? []).length === 0;
}
