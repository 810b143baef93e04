// SPDX-License-Identifier: Apache-2.0
import type { AllotmentAsk } from '../bounds/ask.ts';
import { MemoryProgressStore } from '../intent/progress-memory.ts';
import { MemoryLedgerStore } from '../bounds/ledger-memory.ts';
import type { HandOver, LineageStore } from '../bounds/lineage.ts';
import type { ActionManifest, Agent, BlastRadius, Mesh } from '../mesh/mesh.ts';
import { mintUlid } from '../message/identifiers.ts';
import type { Approval } from '../oversight/approvals.ts';
import type { EntryDraft, Recorder } from '../recorder/entry.ts';
import type { AllotmentsContext } from './allotments.ts';

/** What tests of the owner of the bounds share: a mesh with two executors of one action. */
export const hourMs = 3_600_000;
export const startMs = 1_800_000_000_000;

export const limits = { cap: 1000, ownMoney: 700, ownCalls: 12, subtreeMoney: 900, taskMoney: 500 };

export class MemoryLineage implements LineageStore {
  readonly steps: HandOver[] = [];

  handedBy(task: string, to: string): readonly string[] {
    return this.steps.filter((step) => step.task === task && step.to === to).map(({ by }) => by);
  }

  everHandedBy(to: string): readonly string[] {
    return [...new Set(this.steps.filter((step) => step.to === to).map(({ by }) => by))];
  }

  async add(steps: readonly HandOver[]): Promise<void> {
    this.steps.push(...steps);
  }

  async prune(): Promise<void> {
    // Tests are shorter than what is kept.
  }
}

/** `desk` hands work to `triage` and `helper`; both ask `payments` and `vault` for payments. */
export function boundedMesh(
  sample: Mesh,
  change: Partial<Mesh['bounds']> = {},
  windowMs = hourMs,
): Mesh {
  const payments = need(sample.agents.get('payments'));
  const triage = need(sample.agents.get('triage'));
  const desk = need(sample.agents.get('desk'));
  const pay = need(sample.actions.get('pay_invoice'));
  const none: BlastRadius = new Map();
  const within = (most: number) => [{ windowMs, most }];
  const own: BlastRadius = new Map([
    ['money', within(limits.ownMoney)], ['calls', within(limits.ownCalls)],
  ]);
  const subtree: BlastRadius = new Map([['money', within(limits.subtreeMoney)]]);
  const agents = new Map<string, Agent>([
    ['desk', { ...desk, bounds: { own: none, subtree } }],
    ['triage', { ...triage, bounds: { own, subtree: none } }],
    ['helper', { ...triage, name: 'helper', bounds: { own, subtree: none } }],
    ['payments', { ...payments, bounds: { own: none, subtree: none } }],
    ['vault', { ...payments, name: 'vault', bounds: { own: none, subtree: none } }],
  ]);
  const edges = ['triage', 'helper'].flatMap((from) => ['payments', 'vault'].map((to) => ({
    from, to, domain: 'billing', schemas: [], mayRequest: ['pay_invoice', 'check_payment'],
  })));
  const capped: ActionManifest = {
    ...pay,
    caps: new Map([['amount', { windows: within(limits.cap) }]]),
    impact: new Map([['money', 'amount']]),
  };
  return {
    ...sample,
    agents,
    edges,
    actions: new Map([...sample.actions, ['pay_invoice', capped]]),
    bounds: {
      ...sample.bounds,
      task: new Map([['money', limits.taskMoney]]),
      escalateAt: 1,
      ...change,
    },
  };
}

export function need<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error('the sample has changed');
  return value;
}

export function taskAt(atMs: number, number = 0): string {
  const bytes = (count: number): Uint8Array => new Uint8Array(count).fill(number);
  return mintUlid({ nowMs: () => atMs }, { bytes });
}

export type Owner = {
  readonly context: AllotmentsContext;
  readonly lineage: MemoryLineage;
  readonly entries: EntryDraft[];
  /** Tasks that were ended, with the workflow that they broke. */
  readonly ended: string[];
  /** Phases that were put before judges. */
  readonly judged: string[];
  /** By message. */
  readonly approvals: Map<string, Approval>;
};

export function ownerOf(
  mesh: Mesh,
  nowMs: () => number,
  ledger: AllotmentsContext['ledger'] = new MemoryLedgerStore(),
): Owner {
  const entries: EntryDraft[] = [];
  const approvals = new Map<string, Approval>();
  const lineage = new MemoryLineage();
  const ended: string[] = [];
  const judged: string[] = [];
  const recorder: Recorder = {
    record: async (drafts) => {
      entries.push(...drafts);
      return drafts.map(() => ({ sequence: 0 }));
    },
  };
  let minted = 0;
  const mintId = (): string => `entry-${++minted}`;
  return {
    context: {
      mesh, ledger, lineage, spawnedBy: () => [], delegateOf: () => 'agent:vault', recorder, clock: { nowMs }, mintId,
      progress: {
        mesh, store: new MemoryProgressStore(), recorder, clock: { nowMs },
        endTask: (task, workflow) => ended.push(`${task} ${workflow}`),
        askJudges: async ({ workflow, phase }) => void judged.push(`${workflow} ${phase}`),
      },
      approvals: { byMessage: (message) => approvals.get(message) ?? null },
    },
    lineage,
    entries,
    approvals,
    ended,
    judged,
  };
}

export function payAsk(amount: number, change: Partial<AllotmentAsk> = {}): AllotmentAsk {
  return {
    holder: 'r1',
    requester: 'triage',
    task: taskAt(startMs),
    action: 'pay_invoice',
    operation: 'bank.transfer',
    idempotencyKey: change.holder ?? 'r1',
    calls: 1,
    amounts: { amount },
    charges: [],
    released: false,
    ...change,
  };
}

/** What people said about an ask of `payments` that waited because a sum was half used. */
export function approvalOf(
  ask: AllotmentAsk,
  change: { readonly state?: Approval['state']; readonly hold?: Partial<Approval['hold']> } = {},
): Approval {
  return {
    id: 'a1',
    state: change.state ?? 'approved',
    heldAt: startMs,
    decisions: [],
    hold: {
      message: ask.holder,
      task: ask.task,
      executor: 'payments',
      requester: ask.requester,
      rootOrigin: `agent:${ask.requester}`,
      action: ask.action ?? '',
      risk: 'HIGH',
      reversibility: 'irreversible',
      parameters: {},
      digest: 'd',
      approvalsNeeded: 1,
      reasons: ['BOUNDS_HALF_REACHED'],
      expiresAt: startMs + hourMs,
      ...change.hold,
    },
  };
}
