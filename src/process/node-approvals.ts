// SPDX-License-Identifier: Apache-2.0
import { WebhookApprover } from '../adapters/approver-webhook.ts';
import { SqliteApprovalStore } from '../adapters/control-store-sqlite.ts';
import { systemRandom } from '../adapters/random-system.ts';
import { deadlineMs } from '../mesh/oversight.ts';
import { mintUlid } from '../message/identifiers.ts';
import { plantProbe, type Approval, type ApprovalsContext } from '../oversight/approvals.ts';
import { OpenedCards } from '../oversight/opened-cards.ts';
import { makeProbe } from '../oversight/probe.ts';
import { Turns } from '../oversight/turns.ts';
import type { NodeFrame } from '../wire/frame.ts';
import type { Plane } from './node-parts.ts';

/** The queue of held actions, wired to the store, the webhooks and the executors' lines. */
export function approvalsOf(plane: Plane): ApprovalsContext {
  const { recorder, clock, database, live, connected } = plane;
  return {
    store: new SqliteApprovalStore(database),
    recorder,
    clock,
    get operators() {
      return plane.operators();
    },
    get pendingMax() {
      return live.mesh.limits.pendingApprovalsMax;
    },
    turns: new Turns(),
    approver: new WebhookApprover(
      () => live.mesh.oversight?.webhooks ?? [], () => plane.console.url,
    ),
    approversOf: (action) => live.mesh.actions.get(action)?.approvers ?? [],
    opened: new OpenedCards(),
    mintId: () => mintUlid(clock, systemRandom),
    settled: (approval) => {
      const frame = decidedFrame(approval);
      if (frame !== null) connected.get(approval.hold.executor)?.tell(frame);
    },
  };
}

/** What an executor hears of a question; nothing while it is open. */
export function decidedFrame(approval: Approval | null): Extract<NodeFrame, { kind: 'decided' }> | null {
  // Nobody hears of a probe: there is no request that it could release.
  if (approval === null || approval.state === 'pending' || approval.probe === true) return null;
  const { modifications = [], decisions } = approval;
  return {
    kind: 'decided',
    message: approval.hold.message,
    approval: approval.id,
    outcome: approval.state,
    decisions: [...modifications, ...decisions].map((made) => made.signed),
  };
}

const dayMs = 86_400_000;
const modelsMax = 50;

type Ground = Pick<Plane, 'live' | 'clock'>;

/**
 * Plants a probe now. False where one waits already, or nothing was asked yet that it could be made of;
 * rejects when it could not be recorded.
 */
export async function plantOne(approvals: ApprovalsContext, { live, clock }: Ground): Promise<boolean> {
  const { store } = approvals;
  if (store.pending().some(({ probe }) => probe === true)) return false;
  const real = store.list(modelsMax).filter(({ probe }) => probe !== true);
  const probe = makeProbe(real.map(({ hold }) => hold), {
    mintId: () => mintUlid(clock, systemRandom),
    bytes: (count) => systemRandom.bytes(count),
    nowMs: clock.nowMs(),
    deadlineMs: (risk) => deadlineMs(risk, live.mesh),
  });
  if (probe !== null) await plantProbe(probe, approvals);
  return probe !== null;
}

/** Plants probes, a few times a day and never two at once. Asked on every sweep. */
export class ProbeSchedule {
  readonly #approvals: ApprovalsContext;
  readonly #ground: Ground;
  #nextAt: number | null = null;

  constructor(approvals: ApprovalsContext, ground: Ground) {
    this.#approvals = approvals;
    this.#ground = ground;
  }

  /** Resolves once a probe that was due is planted; rejects when it could not be recorded. */
  async sweep(): Promise<void> {
    const { live, clock } = this.#ground;
    const perDay = live.mesh.oversight?.probesPerDay ?? 0;
    if (perDay === 0) return;
    const nowMs = clock.nowMs();
    this.#nextAt ??= nowMs + waitMs(perDay);
    if (nowMs < this.#nextAt) return;
    this.#nextAt = nowMs + waitMs(perDay);
    await plantOne(this.#approvals, this.#ground);
  }
}

/** Between half and one and a half times the mean, so that nobody can wait for one. */
function waitMs(perDay: number): number {
  const [high = 0, low = 0] = systemRandom.bytes(2);
  return (dayMs / perDay) * (0.5 + (high * 256 + low) / 65_536);
}
