// SPDX-License-Identifier: Apache-2.0
import { actionValidMs, readsMax, readValidMs, type AllotmentAsk } from '../bounds/ask.ts';
import { askingOf, boundsSubtrees, countedAmount, countedParameters } from '../bounds/bounds-of.ts';
import type { CallEnd } from '../bounds/breaker.ts';
import { unitsOf, type Charge } from '../bounds/charge.ts';
import { isConditioned } from '../intent/watched.ts';
import type { ActionManifest, Mesh } from '../mesh/mesh.ts';
import type { ActionRequest } from '../message/action-request.ts';
import type { Clock } from '../message/clock.ts';
import type { EnvelopeBody } from '../message/envelope.ts';
import type { Decision } from '../tool/gate-outcome.ts';
import type { BusLink, SidecarStore } from './ports.ts';

/** What the owner of the bounds said, or what holds while it cannot be asked. */
export type Allotted =
  | {
      readonly outcome: 'granted';
      /** The call begins no later, milliseconds since 1970. */
      readonly beginBeforeMs: number;
      /** Hears how the call ended; durable when it resolves, and told until it is heard. */
      readonly ended: (ran: Pick<Decision, 'status' | 'code'> | null) => Promise<void>;
    }
  | {
      readonly outcome: 'refused' | 'escalate';
      readonly code: string;
      readonly bound: string;
      /** What else people are to decide on with it. */
      readonly also?: readonly string[] | undefined;
    };

type Refused = Extract<Allotted, { readonly outcome: 'refused' | 'escalate' }>;

type ReadBlock = {
  readonly ask: AllotmentAsk;
  readonly untilMs: number;
  left: number;
  probe: boolean;
};

/** Operations of tasks that an agent reads at one time; the oldest gives its rest back. */
const blocksMax = 64;
const reportsPerFrame = 64;
const interruptedMax = 2_048;

/** A read that ended so says nothing against its tool. */
const toolFaults: ReadonlySet<string | null> = new Set([
  'TOOL_TIMEOUT', 'TOOL_DIED', 'TOOL_UNAVAILABLE', 'TOOL_PROTOCOL', 'TOOL_INTERRUPTED',
]);

export type AllotmentsOptions = {
  readonly agent: string;
  readonly mesh: Mesh;
  readonly store: Pick<SidecarStore, 'queueReport' | 'reports' | 'dropReports' | 'messages'>;
  readonly link: Pick<BusLink, 'allot' | 'settle'>;
  readonly clock: Clock;
};

/**
 * The sidecar's side of the bounds: asks the one owner before a tool runs, and tells it afterwards
 * what did not run. Nothing is asked before everything told was heard, so that no report of an
 * earlier run can give back what a later one was allotted. While the owner is away an action that
 * anything bounds is refused; reads go on within what was allotted ahead.
 */
export class Allotments {
  readonly #options: AllotmentsOptions;
  readonly #blocks = new Map<string, ReadBlock>();
  readonly #asking = new Map<string, Promise<Refused | null>>();
  /** Requests that a crash interrupted: each may hold an allotment that nobody remembers here. */
  readonly #interrupted: Set<string>;
  #draining: Promise<boolean> | null = null;

  constructor(options: AllotmentsOptions) {
    this.#options = options;
    const working = options.store.messages('working', interruptedMax);
    this.#interrupted = new Set(working.map(({ body }) => body.id));
  }

  /** For one action request; `released` when enough people let it go on. */
  async forAction(
    body: EnvelopeBody,
    request: ActionRequest,
    manifest: ActionManifest,
    charges: readonly Charge[],
    released: boolean,
  ): Promise<Allotted> {
    const ask = askFor(body, request, manifest, charges, released);
    if (ask === null) return { outcome: 'refused', code: 'BOUNDS_AMOUNT_INVALID', bound: 'amount' };
    const privileged = manifest.risk === 'HIGH' || manifest.risk === 'CRITICAL';
    const beginBeforeMs = this.#options.clock.nowMs() + actionValidMs;
    const answer = await this.#ask(ask, privileged);
    if (answer.outcome !== 'granted') return answer;
    return {
      outcome: 'granted',
      beginBeforeMs,
      ended: async (ran) => {
        const end = endOf(ran);
        if (end !== 'done' || answer.probe) await this.#tell(ask, end, 1);
      },
    };
  }

  /** Gives back what the request may have been allotted before a crash; it did not run. */
  async abandon(
    body: EnvelopeBody,
    request: ActionRequest,
    manifest: ActionManifest,
    charges: readonly Charge[],
  ): Promise<void> {
    if (!this.#interrupted.delete(body.id)) return;
    const ask = askFor(body, request, manifest, charges, false);
    if (ask !== null) await this.#tell(ask, 'not-run', 1);
  }

  /** For one read of the agent's own; some are allotted ahead, more as a task goes on reading. */
  async forRead(id: string, task: string, operation: string): Promise<Allotted> {
    const key = `${task} ${operation}`;
    for (;;) {
      const block = this.#blocks.get(key);
      if (block !== undefined && block.left > 0 && this.#options.clock.nowMs() < block.untilMs) {
        block.left -= 1;
        return this.#readOf(key, block);
      }
      const asking = this.#asking.get(key) ?? this.#askReads(id, task, operation, key);
      const refused = await asking;
      if (refused !== null) return refused;
    }
  }

  /** Sends what was not heard yet; true when nothing is left. Called now and then. */
  drain(): Promise<boolean> {
    this.#draining ??= this.#drain().finally(() => {
      this.#draining = null;
    });
    return this.#draining;
  }

  #askReads(id: string, task: string, operation: string, key: string): Promise<Refused | null> {
    const asking = this.#askReadsOnce(id, task, operation, key).finally(() => {
      this.#asking.delete(key);
    });
    this.#asking.set(key, asking);
    return asking;
  }

  async #askReadsOnce(
    id: string,
    task: string,
    operation: string,
    key: string,
  ): Promise<Refused | null> {
    const { agent, clock } = this.#options;
    const before = this.#blocks.get(key);
    await this.#giveUp(key);
    const wanted = Math.min(readsMax, before === undefined ? 1 : before.ask.calls * 2);
    const untilMs = clock.nowMs() + readValidMs;
    // What does not fit many may fit one more.
    for (const calls of wanted > 1 ? [wanted, 1] : [1]) {
      const ask: AllotmentAsk = {
        holder: id,
        requester: agent,
        task,
        action: null,
        operation,
        idempotencyKey: id,
        calls,
        amounts: {},
        charges: [],
        released: false,
      };
      const answer = await this.#ask(ask, false);
      if (answer.outcome === 'granted') {
        const [oldest] = this.#blocks.size >= blocksMax ? this.#blocks.keys() : [];
        if (oldest !== undefined) await this.#giveUp(oldest);
        this.#blocks.set(key, { ask, untilMs, left: calls, probe: answer.probe });
        return null;
      }
      if (answer.code !== 'BOUNDS_EXCEEDED' || calls === 1) return answer;
    }
    return { outcome: 'refused', code: 'BOUNDS_EXCEEDED', bound: 'reads' };
  }

  #readOf(key: string, block: ReadBlock): Allotted {
    return {
      outcome: 'granted',
      beginBeforeMs: block.untilMs,
      ended: async (ran) => {
        if (ran?.status === 'FAILED' && toolFaults.has(ran.code)) {
          // The rest is asked for anew, so that an open breaker is heard of.
          if (this.#blocks.get(key) === block) this.#blocks.delete(key);
          const rest = block.left / block.ask.calls;
          block.left = 0;
          await this.#tell(block.ask, 'failed', rest);
        } else if (block.probe && ran?.status === 'DONE') {
          block.probe = false;
          await this.#tell(block.ask, 'done', 0);
        }
      },
    };
  }

  /** Gives back what an agent was allotted ahead and did not use. */
  async #giveUp(key: string): Promise<void> {
    const block = this.#blocks.get(key);
    this.#blocks.delete(key);
    if (block === undefined || block.left === 0) return;
    const rest = block.left / block.ask.calls;
    block.left = 0;
    await this.#tell(block.ask, 'not-run', rest);
  }

  async #ask(
    ask: AllotmentAsk,
    privileged: boolean,
  ): Promise<{ readonly outcome: 'granted'; readonly probe: boolean } | Refused> {
    const heard = await this.drain();
    const answer = heard ? await this.#options.link.allot(ask) : null;
    if (answer !== null) return answer;
    if (!privileged && !this.#isBounded(ask)) return { outcome: 'granted', probe: false };
    return { outcome: 'refused', code: 'BOUNDS_OWNER_UNREACHABLE', bound: 'owner' };
  }

  /** True when some sum counts this call: without its owner nobody knows whether it fits. */
  #isBounded(ask: AllotmentAsk): boolean {
    const { mesh, agent } = this.#options;
    const asking = askingOf(agent, ask, [], mesh);
    return asking === null || asking.charges.length > 0 || boundsSubtrees(mesh) ||
      isConditioned(ask.action, mesh);
  }

  async #tell(ask: AllotmentAsk, end: CallEnd, unusedShare: number): Promise<void> {
    await this.#options.store.queueReport({ ask, end, unusedShare });
    this.drain().catch(() => {
      // Durable here: it is told again before anything else is asked.
      return undefined;
    });
  }

  async #drain(): Promise<boolean> {
    const { store, link } = this.#options;
    for (;;) {
      const waiting = store.reports(reportsPerFrame);
      if (waiting.length === 0) return true;
      if (!(await link.settle(waiting.map(({ report }) => report)))) return false;
      await store.dropReports(waiting.map(({ position }) => position));
    }
  }
}

/** Null where an amount is none: NaN, negative, or beyond what a sum can hold. */
function askFor(
  body: EnvelopeBody,
  request: ActionRequest,
  manifest: ActionManifest,
  charges: readonly Charge[],
  released: boolean,
): AllotmentAsk | null {
  const amounts = new Map<string, number>();
  for (const name of countedParameters(manifest)) {
    const amount = countedAmount(request.parameters, name);
    if (unitsOf(amount) === null) return null;
    amounts.set(name, amount);
  }
  if (charges.some(({ amount }) => unitsOf(amount) === null)) return null;
  return {
    holder: body.id,
    requester: body.from,
    task: body.task,
    action: manifest.name,
    operation: `${manifest.tool}.${manifest.operation}`,
    idempotencyKey: request.idempotencyKey,
    calls: 1,
    amounts: Object.fromEntries(amounts),
    charges,
    released,
  };
}

/** Null: the call was not made. */
function endOf(ran: Pick<Decision, 'status' | 'code'> | null): CallEnd {
  if (ran === null) return 'not-run';
  switch (ran.status) {
    case 'DONE':
      return 'done';
    case 'IN-DOUBT':
      return 'in-doubt';
    case 'FAILED':
      return 'failed';
    case 'REFUSED':
      return 'not-run';
    default:
      return ran.status satisfies never;
  }
}
