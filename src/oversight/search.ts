// SPDX-License-Identifier: Apache-2.0
import type { Approval, ApprovalStore } from './approvals.ts';

export type ApprovalQuery = {
  /** Words that must all stand in the question, whatever their case; empty means every question. */
  readonly text: string;
  /** `pending`: what waits, the nearest deadline first; `all`: the newest first. */
  readonly state: 'pending' | 'all';
  /** From 1 up. */
  readonly limit: number;
};

export type ApprovalsFound = {
  readonly approvals: readonly Approval[];
  /** All that match; `approvals` holds at most `limit` of them. */
  readonly total: number;
};

/** Questions that were decided are looked for among the newest only. */
const decidedMax = 2_000;

/** Finds questions by id, agent, action, origin, code and parameter. Linear in what waits. */
export function searchApprovals(store: ApprovalStore, query: ApprovalQuery): ApprovalsFound {
  const words = query.text.toLowerCase().split(/\s+/).filter((word) => word !== '').slice(0, 8);
  const all = query.state === 'pending'
    ? [...store.pending()].sort((a, b) => a.hold.expiresAt - b.hold.expiresAt)
    : store.list(Math.max(decidedMax, query.limit));
  const found = words.length === 0 ? all : all.filter((approval) => {
    const text = textOf(approval);
    return words.every((word) => text.includes(word));
  });
  return { approvals: found.slice(0, query.limit), total: found.length };
}

const texts = new WeakMap<Approval, string>();

function textOf(approval: Approval): string {
  const known = texts.get(approval);
  if (known !== undefined) return known;
  const { id, state, hold } = approval;
  const { message, task, executor, requester, rootOrigin, action, risk, reasons } = hold;
  const text = [
    id, state, message, task, executor, requester, rootOrigin, action, risk, ...reasons,
    JSON.stringify(hold.parameters),
  ].join(' ').toLowerCase();
  texts.set(approval, text);
  return text;
}
