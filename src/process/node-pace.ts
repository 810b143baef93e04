// SPDX-License-Identifier: Apache-2.0
import { SqlitePaceStore } from '../adapters/pace-store-sqlite.ts';
import { systemRandom } from '../adapters/random-system.ts';
import type { BatchedDatabase } from '../adapters/sqlite-batch.ts';
import type { BusConnection } from '../bus/connection.ts';
import type { BusPace, LeasePort } from '../bus/line-leases.ts';
import { PaceKeeper, type PaceAnswer } from '../control/pace.ts';
import type { DoneWrites } from '../control/done-writes.ts';
import { revokeByNode, type RevocationsContext } from '../control/revocations.ts';
import { signLease } from '../identity/lease-statement.ts';
import type { Mesh, Operator } from '../mesh/mesh.ts';
import type { Clock } from '../message/clock.ts';
import { mintUlid } from '../message/identifiers.ts';
import type { JsonObject } from '../message/json.ts';
import { Turns } from '../oversight/turns.ts';
import type { PaceStep, Stop } from '../pace/book.ts';
import { scoreIsolates } from '../pace/change.ts';
import { clampOf, phaseOf } from '../pace/clamp.ts';
import { authoritiesFor } from '../pace/order.ts';
import { agentsIn, authoritiesOf, paceRulesOf, type PaceRules } from '../pace/rules.ts';
import { causesOf } from '../pace/spread.ts';
import { unitKey, type PaceUnit } from '../pace/unit.ts';
import type { Recorder } from '../recorder/entry.ts';
import { defaultPaceSettings, type PaceSettings } from '../mesh/pace-settings.ts';
import { verifyObserved, type ObserverTest } from '../observer/statement.ts';
import { faultOf } from './fault.ts';
import type { LivePolicy } from './live-policy.ts';
import type { NodeIdentity } from './node-identity.ts';
import { NodeRollback } from './node-rollback.ts';
import { StopAccounts } from './stop-accounts.ts';
import { StopOrders } from './stop-orders.ts';

export type NodePaceFoundations = {
  readonly live: LivePolicy;
  readonly recorder: Recorder;
  readonly clock: Clock;
  readonly database: BatchedDatabase;
  readonly operators: () => ReadonlyMap<string, Operator>;
  readonly connected: ReadonlyMap<string, BusConnection>;
  readonly log: (line: string) => void;
  readonly stopsDirectory: string;
  /** What was done of late, so that a report can say what of it can be undone. */
  readonly done: DoneWrites;
};

const lookEveryMs = 250;
/** What sidecars have to say of a kill is heard before their identities are revoked. */
const accountsWaitMs = 1_500;
const accountsLookMs = 50;

/** PACE at a node: the keeper, the leases that carry it, and what follows from a change. */
export class NodePace implements BusPace {
  readonly keeper: PaceKeeper;
  readonly orders: StopOrders;
  readonly accounts: StopAccounts;
  readonly rollback: NodeRollback;
  readonly #store: SqlitePaceStore;
  readonly #of: NodePaceFoundations;
  readonly #revocations: RevocationsContext;
  #timer: NodeJS.Timeout | null = null;
  #looking = false;
  #observed: {
    readonly signed: string;
    readonly verdict: 'consent' | 'ask';
    readonly at: number;
    readonly heardAtMs: number;
    /** When its self-test that is on record was made. */
    readonly tested: number;
    readonly test: ObserverTest | null;
  } | null = null;

  constructor(of: NodePaceFoundations, revocations: RevocationsContext) {
    this.#of = of;
    this.#revocations = revocations;
    const { live, recorder, clock, database } = of;
    const rules = rulesOf(() => live.mesh);
    this.orders = new StopOrders(of.stopsDirectory);
    this.accounts = new StopAccounts(recorder, clock, (failure) => this.#failed(failure));
    this.rollback = new NodeRollback({
      ...of, actions: () => live.mesh.actions, failed: (failure) => this.#failed(failure),
    });
    this.#store = new SqlitePaceStore(database);
    this.keeper = new PaceKeeper({
      rules,
      facts: { isRevoked: (agent) => revocations.list.isNameRevoked(agent) },
      store: this.#store,
      recorder,
      clock,
      get operators() {
        return of.operators();
      },
      mintId: () => mintUlid(clock, systemRandom),
      turns: new Turns(),
      changed: (steps) => this.#changed(steps, rules()),
    });
  }

  get version(): number {
    return this.keeper.version;
  }

  clamp(agent: string): ReturnType<PaceKeeper['clamp']> {
    return this.keeper.clamp(agent);
  }

  /** Where an observer is declared, only while it consents. */
  privileged(): boolean {
    const { observer } = rulesOfNow(this.#of.live.mesh);
    if (observer === null) return true;
    const heard = this.#observed;
    return heard?.verdict === 'consent' && performance.now() - heard.heardAtMs <= observer.silenceMs;
  }

  consent(): string | null {
    return this.#observed?.signed ?? null;
  }

  /** What the observer says: believed under the key of the mesh file, and never an older word after a newer. */
  async heardObserver(signed: string): Promise<string | null> {
    const { observer } = rulesOfNow(this.#of.live.mesh);
    if (observer === null) return 'PACE_AUTHORITY_MISSING';
    const verified = verifyObserved(signed, observer.publicKey);
    if (!verified.ok) return verified.code;
    const { id, verdict, at, test = null } = verified.statement;
    const nowMs = this.#of.clock.nowMs();
    if (!(Math.abs(nowMs - at) <= observer.silenceMs) || !(at > (this.#observed?.at ?? 0))) return 'PACE_STATEMENT_STALE';
    const tested = this.#observed?.tested ?? 0;
    this.#observed = { signed, verdict, at, heardAtMs: performance.now(), tested: test?.at ?? tested, test: test ?? this.#observed?.test ?? null };
    if (test !== null && test.at > tested) this.#recordTest(id, signed, test);
    if (verdict === 'consent') return null;
    const answer = await this.keeper.happened({ kind: 'asked', id, at: nowMs });
    return answer.ok ? null : answer.code;
  }

  /** PA-3.6: that the observer finds what it makes up itself is on record, under its signature. */
  #recordTest(id: string, signed: string, { at, made, missed }: ObserverTest): void {
    const { recorder, clock } = this.#of;
    recorder.record([{
      kind: 'observer.tested',
      id: `observer.${id}`,
      at: clock.nowMs(),
      actor: 'node',
      task: null,
      message: null,
      causedBy: [],
      outcome: missed.length === 0 ? 'GO' : 'NO-GO',
      code: missed.length === 0 ? null : 'OBSERVER_SELF_TEST_FAILED',
      verdicts: [],
      tookUs: null,
      detail: { testedAt: at, made, missed: [...missed], signed },
    }]).catch((failure: unknown) => this.#failed(failure));
  }

  orderWaits(): boolean {
    return this.orders.waits();
  }

  /** Before anything listens: what was ordered while the node was down holds from the start. */
  async begin(): Promise<void> {
    await this.keeper.begin();
    await this.#takeOrders();
    this.#beginRollbacks().catch((failure: unknown) => this.#failed(failure));
    this.#timer = setInterval(() => this.#look(), lookEveryMs);
    this.#timer.unref();
  }

  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  order(signed: string): Promise<PaceAnswer> {
    return this.keeper.order(signed);
  }

  /** A sign of compromise went on record; it isolates its agent, and nobody else. */
  sign(id: string, agent: string): void {
    const event = { kind: 'sign', id, agent, at: this.#of.clock.nowMs() } as const;
    this.keeper.happened(event).catch((failure: unknown) => this.#failed(failure));
  }

  /** An agent does not keep to what it is for: a score that isolates it, alone. */
  misaligned(id: string, agent: string): void {
    const event = { kind: 'score', id, agent, score: scoreIsolates, at: this.#of.clock.nowMs() } as const;
    this.keeper.happened(event).catch((failure: unknown) => this.#failed(failure));
  }

  /** True for an agent that was ended: it gets no new identity until it is led back. */
  isEnded(agent: string): boolean {
    return this.keeper.clamp(agent).phase === 'EMERGENCY';
  }

  /** All that is not as usual, for operators. */
  show(): JsonObject {
    const { live, connected, clock } = this.#of;
    const { book } = this.keeper;
    const rules = paceRulesOf(live.mesh);
    const facts = { isRevoked: (agent: string) => this.#revocations.list.isNameRevoked(agent) };
    return {
      version: book.version,
      units: [...book.units.values()].map((state) => ({
        unit: unitKey(state.unit), phase: state.phase, since: state.since, incident: state.incident,
        code: state.code, by: state.by, healed: [...state.healed],
      })),
      workflows: [...rules.settings.workflows.keys()].map((workflow) => ({
        workflow, phase: phaseOf({ kind: 'workflow', value: workflow }, book, rules),
        because: causesOf(workflow, book, rules).map(unitKey),
      })),
      stops: [...book.stops.values()].map(shownStop),
      leadsBack: rules.settings.authorities === null ? null : [...live.mesh.operators.keys()].filter((operator) => {
        const held = authoritiesOf(operator, rules);
        return authoritiesFor({ op: 'recover' }, 'CONTINGENCY').some((one) => held.has(one));
      }),
      agents: [...rules.places.keys()].map((agent) => {
        const { phase, allows, draining = false } = clampOf(agent, book, rules, facts, clock.nowMs());
        return {
          agent, phase, allows, draining, connected: connected.has(agent),
          account: this.accounts.of(agent),
        };
      }),
      reports: this.accounts.reports(),
      rollback: this.rollback.show(),
      observer: this.#shownObserver(),
    };
  }

  /** Null where the mesh file names none. */
  #shownObserver(): JsonObject | null {
    if (rulesOfNow(this.#of.live.mesh).observer === null) return null;
    const { at = null, test = null } = this.#observed ?? {};
    return { consents: this.privileged(), heardAt: at, test: test === null ? null : { ...test, missed: [...test.missed] } };
  }

  #changed(steps: readonly PaceStep[], rules: PaceRules): void {
    for (const connection of this.#of.connected.values()) connection.paceChanged();
    for (const step of steps) {
      if (step.kind === 'phase' && step.to === 'EMERGENCY') {
        this.#ended(step.unit, step.incident, rules).catch((failure: unknown) => this.#failed(failure));
      } else if (step.kind === 'stop' && step.change === 'frozen') {
        this.#frozen(step.stop, rules).catch((failure: unknown) => this.#failed(failure));
      }
    }
  }

  /** Agents are ended: their accounts are heard, then their identities are revoked for good. */
  async #ended(unit: PaceUnit, incident: string, rules: PaceRules): Promise<void> {
    const agents = agentsIn(unit, rules);
    const { connected } = this.#of;
    const there = agents.filter((agent) => connected.has(agent));
    await this.#accountsOf(there);
    const { revoked, failed } = await this.#revoke(there);
    const undone = await this.rollback.begin(incident, this.#store.order(incident), agents).catch((failure: unknown) => {
      // Begun again with the next start; what was done is listed all the same.
      this.#failed(failure);
      return this.rollback.done(agents);
    });
    await this.accounts.report('kill', incident, unit, agents, there, { revoked, failed, ...undone });
  }

  /** A crash between a kill and what it undoes: begun now, from the log. */
  async #beginRollbacks(): Promise<void> {
    const rules = paceRulesOf(this.#of.live.mesh);
    for (const { unit, phase, incident } of this.keeper.book.units.values()) {
      if (phase !== 'EMERGENCY' || incident === null || this.rollback.isBegun(incident)) continue;
      await this.rollback.begin(incident, this.#store.order(incident), agentsIn(unit, rules));
    }
  }

  async #revoke(agents: readonly string[]): Promise<{ revoked: number; failed: number }> {
    const spiffeIds = agents.flatMap((agent) => this.#of.connected.get(agent)?.peer.spiffeId ?? []);
    const answers = await Promise.all(spiffeIds.map((id) => revokeByNode(id, this.#revocations)));
    const failed = answers.filter(({ ok }) => !ok).length;
    return { revoked: answers.length - failed, failed };
  }

  async #frozen(stop: Stop, rules: PaceRules): Promise<void> {
    const agents = agentsIn(stop.unit, rules);
    const there = agents.filter((agent) => this.#of.connected.has(agent));
    await this.#accountsOf(there);
    await this.accounts.report('halt', stop.id, stop.unit, agents, there, await this.rollback.done(agents));
  }

  /** Waits until each of them said what it stopped, or too long. */
  async #accountsOf(agents: readonly string[]): Promise<void> {
    const { version } = this.keeper;
    for (let waitedMs = 0; waitedMs < accountsWaitMs; waitedMs += accountsLookMs) {
      if (agents.every((agent) => this.accounts.hasHeard(agent, version))) return;
      await new Promise((resolve) => setTimeout(resolve, accountsLookMs));
    }
  }

  #look(): void {
    if (this.#looking) return;
    this.#looking = true;
    this.#takeOrders()
      .then(() => this.#drain())
      .then(() => this.keeper.look())
      .then(() => this.rollback.look())
      .catch((failure: unknown) => this.#failed(failure))
      .finally(() => {
        this.#looking = false;
      });
  }

  async #takeOrders(): Promise<void> {
    const said = (id: string): void => this.#of.log(`pace: the order ${id} cannot be read; no lease is given`);
    for (const { id, signed } of this.orders.read(said)) {
      const answer = await this.keeper.order(signed);
      // What could not be made durable stays here, and keeps leases away.
      if (answer.ok || answer.code !== 'PACE_UNAVAILABLE') this.orders.taken(id);
    }
  }

  /** A halt whose agents all say that nothing runs any more need not wait out its time. */
  async #drain(): Promise<void> {
    const rules = paceRulesOf(this.#of.live.mesh);
    for (const stop of this.keeper.book.stops.values()) {
      if (stop.stage !== 'drain') continue;
      const there = agentsIn(stop.unit, rules).filter((agent) => this.#of.connected.has(agent));
      const idle = there.every((agent) => this.accounts.isIdle(agent, this.keeper.version));
      if (idle) await this.keeper.happened({ kind: 'drained', stop: stop.id, at: this.#of.clock.nowMs() });
    }
  }

  #failed(failure: unknown): void {
    this.#of.log(`node: pace: ${faultOf(failure)}`);
  }
}

/** What a connection needs for its leases. */
export function leasePortOf(identity: NodeIdentity, pace: () => NodePace): LeasePort {
  return {
    signLease: (grant) => {
      const { credential } = identity;
      const { thumbprint, chainPem } = credential;
      return { signed: signLease(grant, credential), thumbprint, chainPem };
    },
    clamped: (agent, paceVersion, busy, calls) => pace().accounts.heard(agent, paceVersion, busy, calls),
  };
}

function rulesOfNow(mesh: Mesh): PaceSettings {
  return mesh.pace ?? defaultPaceSettings;
}

function shownStop({ id, kind, unit, by, at, stage, endsAt }: Stop): JsonObject {
  return { id, kind, unit: unitKey(unit), by, at, stage, endsAt };
}

/** The rules of the mesh in force, computed once for each version. */
function rulesOf(mesh: () => Mesh): () => PaceRules {
  let of: Mesh | null = null;
  let rules: PaceRules | null = null;
  return () => {
    const now = mesh();
    if (rules === null || of !== now) rules = paceRulesOf(now);
    of = now;
    return rules;
  };
}
