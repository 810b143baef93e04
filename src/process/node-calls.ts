// SPDX-License-Identifier: Apache-2.0
import { systemRandom } from '../adapters/random-system.ts';
import { SqliteSettlementStore } from '../adapters/settlement-store-sqlite.ts';
import type { BatchedDatabase } from '../adapters/sqlite-batch.ts';
import type { LedgerStore } from '../bounds/ledger.ts';
import type { BusConnection } from '../bus/connection.ts';
import type { CallsPort } from '../bus/calls-port.ts';
import {
  settlementHeard, takeSettlement, type Settlement, type SettlementsContext,
} from '../control/settlements.ts';
import type { Operator } from '../mesh/mesh.ts';
import type { Clock } from '../message/clock.ts';
import type { DoubtfulCall } from '../message/doubtful-call.ts';
import { mintUlid } from '../message/identifiers.ts';
import type { JsonObject } from '../message/json.ts';
import { Turns } from '../oversight/turns.ts';
import type { Recorder } from '../recorder/entry.ts';
import type { NodeFrame, SidecarFrame } from '../wire/frame.ts';
import { faultOf } from './fault.ts';
import type { LivePolicy } from './live-policy.ts';
import type { NodeRollback } from './node-rollback.ts';

export type CallsFoundations = {
  readonly live: LivePolicy;
  readonly recorder: Recorder;
  readonly clock: Clock;
  readonly database: BatchedDatabase;
  readonly operators: () => ReadonlyMap<string, Operator>;
  readonly connected: ReadonlyMap<string, BusConnection>;
  readonly log: (line: string) => void;
};

export function callsOf(foundations: CallsFoundations, ledger: LedgerStore): NodeCalls {
  const { live, recorder, clock, database, connected, log } = foundations;
  const context = {
    get mesh() {
      return live.mesh;
    },
    get operators() {
      return foundations.operators();
    },
    store: new SqliteSettlementStore(database),
    ledger,
    recorder,
    clock,
    turns: new Turns(),
    mintId: () => mintUlid(clock, systemRandom),
  };
  return new NodeCalls(context, connected, (failure) => log(`node: calls: ${faultOf(failure)}`));
}

export function callsPortOf(calls: NodeCalls, rollback: NodeRollback): CallsPort {
  return {
    heardOfCalls: (executor, frame) => {
      if (frame.kind === 'call-undone') rollback.heard(executor, frame);
      else calls.heardOfCalls(executor, frame);
    },
    owedTo: (executor) => [...calls.settlementsFor(executor), ...rollback.owedTo(executor)],
  };
}

type Heard = Extract<SidecarFrame, { kind: 'calls' | 'call-settled' }>;

const listTimeoutMs = 2_000;
/** An executor records the settlement before it answers. */
const settleTimeoutMs = 10_000;

/** Asks connected executors for their calls in doubt, and brings them what people say of those. */
export class NodeCalls {
  readonly #context: SettlementsContext;
  readonly #connected: ReadonlyMap<string, BusConnection>;
  readonly #report: (failure: unknown) => void;
  /** What each executor said last: one that is away can be settled too. Bounded by the mesh. */
  readonly #last = new Map<string, readonly DoubtfulCall[]>();
  readonly #lists = new Map<string, (calls: readonly DoubtfulCall[]) => void>();
  readonly #settling = new Map<string, (settlement: Settlement) => void>();
  #number = 0;

  constructor(
    context: SettlementsContext,
    connected: ReadonlyMap<string, BusConnection>,
    report: (failure: unknown) => void,
  ) {
    this.#context = context;
    this.#connected = connected;
    this.#report = report;
  }

  /** `connected` is false where the executor did not answer, and it is what it said last. */
  async list(): Promise<readonly JsonObject[]> {
    const present = [...this.#connected.keys()];
    const answered = new Set<string>();
    await Promise.all(present.map(async (executor) => {
      if ((await this.#ask(executor)) !== null) answered.add(executor);
    }));
    return [...this.#last].flatMap(([executor, calls]) =>
      calls.map((call) => ({ ...call, connected: answered.has(executor) })));
  }

  /** `waiting` where the executor is away, or has not answered; it is told when it is back. */
  async settle(signed: string): Promise<{ readonly code: string | null; readonly state: string }> {
    const taken = await takeSettlement(signed, this.#context);
    if (!taken.ok) return { code: taken.code, state: 'refused' };
    const { settlement } = taken;
    if (settlement.state !== 'waiting') return settlement;
    const { id, executor } = settlement;
    const connection = this.#connected.get(executor);
    if (connection === undefined) return { code: null, state: 'waiting' };
    const answer = within(settleTimeoutMs, (resolve: (heard: Settlement) => void) => {
      this.#settling.set(id, resolve);
      connection.tell(frameOf(settlement));
    });
    const heard = await answer.finally(() => this.#settling.delete(id));
    return { code: heard?.code ?? null, state: heard?.state ?? 'waiting' };
  }

  heardOfCalls(executor: string, frame: Heard): void {
    if (frame.kind === 'calls') {
      this.#lists.get(`${executor} ${frame.number}`)?.(
        frame.calls.map((call) => ({ ...call, executor })),
      );
      return;
    }
    settlementHeard(executor, frame.settlement, frame.code, this.#context).then(
      (settlement) => {
        if (settlement !== null) this.#settling.get(settlement.id)?.(settlement);
      },
      (failure: unknown) => this.#report(failure),
    );
  }

  settlementsFor(executor: string): readonly Extract<NodeFrame, { kind: 'settle-call' }>[] {
    return this.#context.store.waiting(executor).map(frameOf);
  }

  async #ask(executor: string): Promise<readonly DoubtfulCall[] | null> {
    const number = ++this.#number;
    const asked = `${executor} ${number}`;
    const calls = await within(listTimeoutMs, (resolve: (calls: readonly DoubtfulCall[]) => void) => {
      this.#lists.set(asked, resolve);
      this.#connected.get(executor)?.tell({ kind: 'list-calls', number });
    });
    this.#lists.delete(asked);
    if (calls !== null) this.#last.set(executor, calls);
    return calls;
  }
}

function frameOf({ id, signed }: Settlement): Extract<NodeFrame, { kind: 'settle-call' }> {
  return { kind: 'settle-call', settlement: id, signed };
}

/** Null when nothing came in time. */
function within<Value>(
  timeoutMs: number,
  start: (resolve: (value: Value) => void) => void,
): Promise<Value | null> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(null), timeoutMs);
    start((value) => {
      clearTimeout(timer);
      resolve(value);
    });
  });
}
