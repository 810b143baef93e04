// SPDX-License-Identifier: Apache-2.0
import type { LineageStore } from '../bounds/lineage.ts';
import type { PeerIdentity } from '../identity/credential.ts';
import { agentSpiffeId, parseSpiffeId } from '../identity/spiffe-id.ts';
import type { Lineage } from '../identity/svid-statement.ts';
import type { Mesh } from '../mesh/mesh.ts';
import { childNames, isTemplate } from '../mesh/spawn.ts';
import type { Clock, Random } from '../message/clock.ts';
import { mintUlid } from '../message/identifiers.ts';
import { Turns } from '../oversight/turns.ts';
import type { EntryDraft, Recorder } from '../recorder/entry.ts';
import type { SpawnRequest } from '../wire/frame.ts';
import {
  distrusted, endedEntry, parentOf, spawnedEntry,
  type Child, type ChildEnd, type ChildHost, type ChildStore,
} from './child.ts';
import type { ControlCode } from './codes.ts';
import { revokeByNode, type RevocationsContext } from './revocations.ts';
import {
  childLifetimeMsMin, depthBelow, grantableOf, needsApproval, scopeFor, type Spawner,
} from './spawn-request.ts';
import type { SpawnApproval, SpawnApprovals } from './spawn-approval.ts';

export type ChildrenContext = {
  readonly mesh: Mesh;
  readonly clock: Clock;
  readonly random: Random;
  readonly recorder: Recorder;
  readonly store: ChildStore;
  readonly lineage: Pick<LineageStore, 'add'>;
  readonly approvals: SpawnApprovals;
  readonly revocations: RevocationsContext;
  /** Null where nothing here starts sidecars. */
  readonly host: () => ChildHost | null;
  /** The identity under which an agent is connected now. */
  readonly connectedAs: (agent: string) => PeerIdentity | null;
  readonly report: (failure: unknown) => void;
};

export type SpawnAnswer =
  | { readonly state: 'running'; readonly child: Child }
  | { readonly state: 'held'; readonly approval: string }
  | { readonly state: 'refused'; readonly code: ControlCode | 'IDENTITY_REVOKED' };

/** How long a parent may be away, while its line is made anew, before its children end: two leases. */
export const parentAwayMsMax = 10_000;
const endedKeptMs = 24 * 3_600_000;

/**
 * Spawned agents: who may have one, what it gets, and when it ends. A child is never more than its
 * parent and its template, and never outlives its task, its parent or its time. The grant is durable
 * and on record before anything starts; at the start of a node every child of the last run ends.
 */
export class Children {
  readonly #context: ChildrenContext;
  readonly #live = new Map<string, Child>();
  /** Names whose sidecar has not gone yet; nobody else gets them until then. */
  readonly #stopping = new Set<string>();
  readonly #unsettled = new Map<string, Child>();
  readonly #parentSeenAt = new Map<string, number>();
  readonly #starting = new Map<string, Promise<SpawnAnswer>>();
  readonly #turns = new Turns();

  constructor(context: ChildrenContext) {
    this.#context = context;
  }

  /** The grant of the child that lives under this name; null when none does. */
  of(name: string): Child | null {
    return this.#live.get(name) ?? null;
  }

  all(): readonly Child[] {
    return [...this.#live.values()];
  }

  /** Ends what an earlier run of the node left; called before anybody may connect. */
  async begin(): Promise<void> {
    for (const child of this.#context.store.unsettled()) {
      const endedAt = child.endedAt ?? this.#context.clock.nowMs();
      const ended = { ...child, endedAt, reason: child.reason ?? ('NODE_RESTARTED' as const) };
      await this.#settle(ended);
    }
    await this.#context.store.prune(this.#context.clock.nowMs() - endedKeptMs);
  }

  /**
   * Gives the child that `request.key` asks for: grants and starts it the first time, and answers
   * alike when asked again. `by` is who asks, `agent:NAME` or `operator:NAME`; an operator's own
   * signature is the approval of a person.
   */
  async spawn(
    request: SpawnRequest,
    parent: PeerIdentity,
    by: string,
  ): Promise<SpawnAnswer> {
    const id = `${parent.spiffeId} ${request.key}`;
    const starting = this.#starting.get(id);
    if (starting !== undefined) return starting;
    const started = this.#spawnOnce(request, parent, by);
    this.#starting.set(id, started);
    try {
      return await started;
    } finally {
      this.#starting.delete(id);
    }
  }

  async #spawnOnce(request: SpawnRequest, parent: PeerIdentity, by: string): Promise<SpawnAnswer> {
    const granted = await this.#turns.take(() => this.#grant(request, parent, by));
    if (granted.state === 'refused') await this.#recordRefusal(granted.code, request, parent, by);
    if (granted.state !== 'running' || granted.isNew !== true) return granted;
    const { child } = granted;
    try {
      const host = this.#context.host();
      if (host === null) throw new Error('Nothing here starts sidecars.');
      await host.start(child.name);
    } catch (failure) {
      this.#context.report(failure);
      await this.end(child.name, 'NOT_STARTED');
      return { state: 'refused', code: 'CONTROL_SPAWN_FAILED' };
    }
    // It may have ended while it started.
    const isLive = this.#live.get(child.name)?.instance === child.instance;
    return isLive ? { state: 'running', child } : { state: 'refused', code: 'CONTROL_SPAWN_OVER' };
  }

  async #grant(
    request: SpawnRequest,
    parent: PeerIdentity,
    by: string,
  ): Promise<SpawnAnswer & { readonly isNew?: boolean }> {
    const known = this.#context.store.byKey(parent.spiffeId, request.key);
    if (known !== null) {
      return known.endedAt === null ? { state: 'running', child: known } : refuse('CONTROL_SPAWN_OVER');
    }
    const judged = this.#judge(request, parent);
    if ('code' in judged) return refuse(judged.code);
    const { mesh, approvals, clock, random, recorder, store, lineage: handOvers } = this.#context;
    const { name, lineage, grantable, spawner } = judged;
    const waits = needsApproval(mesh, spawner.right, lineage.scope, parent.lineage ?? null);
    if (waits && by.startsWith('agent:')) {
      const held: SpawnApproval = { request, parent, lineage, mesh };
      const answer = await approvals(held);
      if (answer.state === 'held') return answer;
      if (answer.state === 'refused') return refuse('CONTROL_SPAWN_NOT_APPROVED');
    }
    const instance = mintUlid(clock, random);
    const child: Child = {
      instance, name, lineage, grantable, by,
      template: request.template,
      spiffeId: agentSpiffeId(mesh.trustDomain, name, instance),
      key: request.key,
      incarnation: request.incarnation,
      startedAt: clock.nowMs(),
      endedAt: null, reason: null, settled: false,
    };
    // Outlives the child: else its parent would end it and leave behind a sub-tree that it counts no
    // more.
    const handOver = { task: lineage.task, by: parent.name, to: name };
    await handOvers.add([handOver], clock.nowMs());
    await recorder.record([spawnedEntry(child)], { privileged: true });
    await store.save(child);
    this.#live.set(name, child);
    this.#parentSeenAt.set(name, clock.nowMs());
    // Judged before the waits for people, record and disk; from here on every change ends it.
    const over = this.#overBy(child);
    if (over === null) return { state: 'running', child, isNew: true };
    await this.end(name, over);
    return refuse(distrusted.has(over) ? 'IDENTITY_REVOKED' : 'CONTROL_SPAWN_OVER');
  }

  /** Everything but people: right, depth, number, scope and time. */
  #judge(request: SpawnRequest, parent: PeerIdentity): Judged | { readonly code: RefusalCode } {
    const { mesh, clock, revocations, connectedAs } = this.#context;
    const agent = mesh.agents.get(parent.name);
    const right = agent?.spawn ?? null;
    const template = mesh.agents.get(request.template);
    const isNamed = right?.templates.includes(request.template) === true;
    if (agent === undefined || right === null || template === undefined || !isNamed ||
      !isTemplate(template)) return { code: 'CONTROL_SPAWN_DENIED' };
    if (revocations.list.isRevoked(parent)) return { code: 'IDENTITY_REVOKED' };
    if (revocations.list.isNameRevoked(template.name)) return { code: 'IDENTITY_REVOKED' };
    if (revocations.list.isTaskEnded(request.task)) return { code: 'CONTROL_SPAWN_OVER' };
    if (connectedAs(parent.name)?.spiffeId !== parent.spiffeId) return { code: 'CONTROL_SPAWN_PARENT' };
    const above = parent.lineage ?? null;
    const own = above === null ? null : this.of(parent.name);
    if (above !== null && own?.spiffeId !== parent.spiffeId) return { code: 'CONTROL_CHILD_UNKNOWN' };
    if (above !== null && request.task !== above.task) return { code: 'CONTROL_SPAWN_WIDER' };
    const depthLeft = depthBelow(right, above);
    const ancestors = [...(above?.ancestors ?? []), parent.spiffeId];
    if (depthLeft === null) return { code: 'CONTROL_SPAWN_DEPTH' };
    if (this.#isFull(ancestors)) return { code: 'CONTROL_SPAWN_LIMIT' };
    const name = childNames(template).find((one) => this.#isFree(one));
    if (name === undefined) return { code: 'CONTROL_SPAWN_LIMIT' };
    const grantable = grantableOf(agent, right, own?.grantable ?? null);
    const spawner: Spawner = { peer: parent, agent, right, grantable };
    const scoped = scopeFor(request, template, spawner, mesh);
    if (!scoped.ok) return { code: scoped.code };
    const nowMs = clock.nowMs();
    const lifetimeMs = request.lifetimeMs ?? template.template?.lifetimeMs ?? 0;
    const endsAt = Math.min(nowMs + lifetimeMs, above?.endsAt ?? Number.MAX_SAFE_INTEGER);
    if (!(endsAt - nowMs >= childLifetimeMsMin)) return { code: 'CONTROL_SPAWN_PARENT' };
    const { scope } = scoped;
    const lineage: Lineage = { ancestors, task: request.task, depthLeft, scope, endsAt };
    return { name, lineage, grantable: scoped.grantable, spawner };
  }

  /** Each ancestor bounds all that lives below it, so that children cannot multiply in its place. */
  #isFull(ancestors: readonly string[]): boolean {
    return ancestors.some((ancestor) => {
      const name = parseSpiffeId(ancestor)?.name ?? '';
      const most = this.#context.mesh.agents.get(name)?.spawn?.childrenMax ?? 0;
      return this.below(ancestor).length >= most;
    });
  }

  #isFree(name: string): boolean {
    const { list } = this.#context.revocations;
    return !this.#live.has(name) && !this.#stopping.has(name) && !list.isNameRevoked(name);
  }

  /** Every live child that stands below this instance. */
  below(spiffeId: string): readonly Child[] {
    return this.all().filter(({ lineage }) => lineage.ancestors.includes(spiffeId));
  }

  /** Ends a child and all below it. Resolves when it is revoked, stopped and on record. */
  async end(name: string, reason: ChildEnd): Promise<void> {
    const child = this.#live.get(name);
    if (child === undefined) return;
    this.#live.delete(name);
    this.#parentSeenAt.delete(name);
    this.#stopping.add(name);
    const below = this.below(child.spiffeId).map((one) =>
      this.end(one.name, distrusted.has(reason) ? 'PARENT_REVOKED' : 'PARENT_ENDED'));
    const ended: Child = { ...child, endedAt: this.#context.clock.nowMs(), reason };
    this.#unsettled.set(child.instance, ended);
    try {
      const stop = async (): Promise<void> => this.#context.host()?.stop(name);
      // A child that is trusted hands over what it has to report before it is cut off.
      if (distrusted.has(reason)) await Promise.all([this.#settle(ended), stop()]);
      else {
        await stop();
        await this.#settle(ended);
      }
      await Promise.all(below);
    } finally {
      this.#stopping.delete(name);
    }
  }

  /** Ends the children that this instance asked for, one by name or those of one task. */
  async endOwn(parent: string, child: string | null, task: string | null): Promise<number> {
    const own = this.all().filter((one) =>
      parentOf(one) === parent &&
      (child === null ? one.lineage.task === task : one.name === child));
    const reason = child === null ? 'TASK_ENDED' : 'ENDED_BY_PARENT';
    await Promise.all(own.map(({ name }) => this.end(name, reason)));
    return own.length;
  }

  /** Its sidecar or its process ended by itself. */
  processEnded(name: string): void {
    const child = this.of(name);
    if (child === null) return;
    // Its last certificate ends with it, rounded down to a second.
    const isOver = this.#context.clock.nowMs() >= child.lineage.endsAt - 1_000;
    this.#endSoon(child, isOver ? 'TIME_OVER' : 'PROCESS_ENDED');
  }

  /** The process of an agent has ended: a child ends with its own, and with that of its parent. */
  sessionEnded(spiffeId: string, incarnation: string): void {
    for (const child of this.all()) {
      if (child.spiffeId === spiffeId) this.processEnded(child.name);
      const asked = parentOf(child) === spiffeId && child.incarnation === incarnation;
      if (asked) this.#endSoon(child, 'PARENT_ENDED');
    }
  }

  /** The revocation list changed: what it names falls with everything below. */
  revocationsChanged(): void {
    for (const child of this.all()) {
      const over = this.#overBy(child);
      if (over !== null) this.#endSoon(child, over);
    }
  }

  /** What the revocation list says against a child, its template, its task or whoever stands above. */
  #overBy({ name, spiffeId, lineage, template }: Child): ChildEnd | null {
    const { list } = this.#context.revocations;
    if (list.isTaskEnded(lineage.task)) return 'TASK_ENDED';
    if (list.isSenderRevoked(name, spiffeId) || list.isNameRevoked(template)) return 'REVOKED';
    return list.isRevoked({ name, spiffeId, thumbprint: '', lineage }) ? 'PARENT_REVOKED' : null;
  }

  /** Looked at often: time, parents that went away, and ends that could not be settled. */
  sweep(): void {
    const nowMs = this.#context.clock.nowMs();
    for (const child of this.all()) {
      const parent = parentOf(child);
      const name = parseSpiffeId(parent)?.name ?? '';
      const connected = this.#context.connectedAs(name)?.spiffeId ?? null;
      if (connected === parent) this.#parentSeenAt.set(child.name, nowMs);
      const awayMs = nowMs - (this.#parentSeenAt.get(child.name) ?? 0);
      if (!(nowMs < child.lineage.endsAt)) this.#endSoon(child, 'TIME_OVER');
      else if (connected !== null && connected !== parent) this.#endSoon(child, 'PARENT_GONE');
      else if (!(awayMs <= parentAwayMsMax)) this.#endSoon(child, 'PARENT_GONE');
    }
    for (const ended of this.#unsettled.values()) {
      if (!this.#stopping.has(ended.name)) this.#settle(ended).catch(this.#context.report);
    }
  }

  #endSoon(child: Child, reason: ChildEnd): void {
    this.end(child.name, reason).catch(this.#context.report);
  }

  /** Revoked, on record, and kept as ended; whatever fails is tried again. */
  async #settle(ended: Child): Promise<void> {
    this.#unsettled.set(ended.instance, ended);
    const { store, recorder, revocations } = this.#context;
    await store.save(ended);
    const revoked = await revokeByNode(ended.spiffeId, revocations);
    if (!revoked.ok && revoked.code === 'CONTROL_REVOCATION_UNAVAILABLE') {
      throw new Error('The end of a child is not settled.');
    }
    await recorder.record([endedEntry(ended)], { privileged: true });
    await store.save({ ...ended, settled: true });
    this.#unsettled.delete(ended.instance);
  }

  async #recordRefusal(
    code: string,
    { template, task }: SpawnRequest,
    parent: PeerIdentity,
    by: string,
  ): Promise<void> {
    const { clock, random, recorder } = this.#context;
    const refused: EntryDraft = {
      kind: 'identity.refused',
      id: mintUlid(clock, random),
      at: clock.nowMs(),
      actor: 'node',
      task, message: null, causedBy: [],
      outcome: 'NO-GO', code,
      verdicts: [], tookUs: null,
      detail: { agent: parent.name, template, by, at: 'spawn' },
    };
    await recorder.record([refused]).catch(this.#context.report);
  }
}

type RefusalCode = ControlCode | 'IDENTITY_REVOKED';
type Judged = {
  readonly name: string;
  readonly lineage: Lineage;
  readonly grantable: Child['grantable'];
  readonly spawner: Spawner;
};

function refuse(code: RefusalCode): SpawnAnswer {
  return { state: 'refused', code };
}
