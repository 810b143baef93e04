// SPDX-License-Identifier: Apache-2.0
import { quarantineFrames, type PutAsidePort } from '../bus/put-aside.ts';
import type { BusConnection } from '../bus/connection.ts';
import { spreadOf } from '../control/poisoned.ts';
import type { PutAside } from '../control/put-aside.ts';
import { leaseMsDefault } from '../identity/lease.ts';
import { descendantsOf } from '../knowledge/descendants.ts';
import type { ItemStore } from '../knowledge/item-store.ts';
import type { Mesh } from '../mesh/mesh.ts';
import type { Clock } from '../message/clock.ts';
import { ulidTimeMs } from '../message/identifiers.ts';
import type { JsonObject } from '../message/json.ts';
import type { RecordedEntry, Recorder } from '../recorder/entry.ts';

export type QuarantineParts = {
  readonly store: ItemStore;
  readonly aside: PutAside;
  /** Entries of the log since then, oldest first, as far as they are looked back over. */
  readonly entriesSince: (sinceMs: number) => AsyncIterable<RecordedEntry>;
  readonly connected: ReadonlyMap<string, Pick<BusConnection, 'tell'>>;
  readonly recorder: Recorder;
  readonly clock: Clock;
  readonly limits: () => Pick<Mesh['limits'], 'messageLifetimeMs' | 'clockSkewMs'>;
};

/** Times that messages lead to further entries, these to further messages, and writers go on meanwhile. */
const roundsMax = 32;
/** A sidecar that was told has ended its runs by then, and what they had sent is admitted or refused. */
const followUpMs = leaseMsDefault + 1_000;
/** Looks again that find something; each finds what was sent before the one before it. */
const followUpsMax = 16;

type Watched = {
  dueMs: number;
  /** Over only after a look at that time or later, however often sidecars come back before. */
  lastMs: number;
  left: number;
  /** How much of `known` is on record; -1 where a node that starts cannot know whether anything is. */
  said: number;
  readonly known: Set<string>;
};
type Found = {
  readonly items: readonly string[];
  readonly messages: ReadonlyMap<string, readonly string[]>;
  readonly runs: readonly string[];
  /** The agent of a run, as far as entries of the log tell; empty else. */
  readonly agentOf: (run: string) => string;
  readonly done: number;
};

/**
 * Puts aside what was poisoned, with everything that follows from it: by the trail of reads and writes,
 * which is whole, and by the messages of the log that lie within reach. A run that was given one of
 * the items is barred in the step that takes them away, so that no write slips between the search and
 * its end; the search goes on until it finds nothing new. What runs had sent before they heard of it is looked
 * for again a lease later, and when a sidecar comes back: any that does while a message sent before it
 * heard could still arrive, since its line may have been dead before anybody noticed.
 */
export class Quarantine {
  readonly #parts: QuarantineParts;
  readonly #watched = new Map<string, Watched>();
  /** By agent whose sidecar was away and heard nothing: what was put aside meanwhile, and what is known of it. */
  readonly #away = new Map<string, Map<string, Set<string>>>();
  /** By subject, as long as a run that has not heard of it may have messages under way. */
  readonly #recent = new Map<string, { readonly untilMs: number; readonly known: Set<string> }>();
  /** By subject, agents that came back to hear of it: over with the looks that this led to. */
  readonly #heard = new Map<string, Set<string>>();
  /** What is open for everybody, in the store too. */
  readonly #open = new Set<string>();

  constructor(parts: QuarantineParts) {
    this.#parts = parts;
    const { aside } = parts;
    const known = new Map<string, Set<string>>();
    for (const { subject, agent } of aside.unfinished()) {
      const before = known.get(subject) ?? knownBefore(aside);
      known.set(subject, before);
      if (agent !== null) this.#awaits(agent, subject, before);
      else this.#begin(subject, before, -1);
    }
  }

  /** What the bus asks of it, and of what judges refused late. */
  get port(): PutAsidePort {
    const { aside } = this.#parts;
    return {
      putAside: (agent) => {
        this.#returned(agent);
        return aside.of(agent);
      },
      runsAside: () => aside.runs(),
      isPutAside: (agent, message) => aside.has(agent, message),
    };
  }

  /** Resolves with how much it was, once it is durable and everybody connected is told. */
  async putAside(subject: string, agents: Iterable<string>): Promise<JsonObject> {
    const { connected, aside } = this.#parts;
    const known = new Set<string>();
    const away = [...agents].filter((name) => !connected.has(name));
    // First: a node that ends meanwhile goes on with it at its next start.
    await aside.open(subject, away);
    // Before the search: who comes back, or has something arrive, while it runs is looked at again.
    this.#begin(subject, known, Number.POSITIVE_INFINITY);
    for (const name of away) this.#awaits(name, subject, known);
    const found = await this.#follow(subject, known).catch((failure: unknown) => {
      // Nobody is told how much it was: the looks that go on with it put that on record.
      const watched = this.#watched.get(subject);
      if (watched !== undefined) watched.said = Math.min(watched.said, 0);
      throw failure;
    });
    this.#watched.delete(subject);
    this.#begin(subject, known, known.size);
    const messages = [...found.messages.values()].flat().length;
    const reached = [...found.messages.keys()].toSorted();
    return {
      items: found.items.length, messages, readers: found.runs.length, agents: reached, done: found.done,
    };
  }

  /** Looks again where it is time to; what it finds is put aside and on record. */
  async followUp(): Promise<void> {
    const nowMs = this.#parts.clock.nowMs();
    for (const [subject, { untilMs }] of this.#recent) if (untilMs <= nowMs) this.#recent.delete(subject);
    for (const [subject, watched] of this.#watched) {
      if (nowMs < watched.dueMs) continue;
      watched.dueMs = nowMs + followUpMs;
      watched.left -= 1;
      const before = watched.known.size;
      const found = await this.#follow(subject, watched.known);
      const isNew = watched.known.size > before;
      if (watched.known.size > watched.said) await this.#record(subject, watched, found);
      watched.said = watched.known.size;
      const isOver = (!isNew && nowMs >= watched.lastMs) || watched.left <= 0;
      if (isOver && this.#watched.get(subject) === watched) await this.#isOver(subject);
    }
    for (const subject of this.#open) {
      if (this.#recent.has(subject) || this.#watched.has(subject)) continue;
      await this.#parts.aside.finish(subject, null);
      this.#open.delete(subject);
    }
  }

  async #isOver(subject: string): Promise<void> {
    this.#watched.delete(subject);
    const heard = [...(this.#heard.get(subject) ?? [])];
    this.#heard.delete(subject);
    for (const agent of heard) await this.#parts.aside.finish(subject, agent);
  }

  /** As long as messages may be under way of runs that have not heard of it. */
  #begin(subject: string, known: Set<string>, said: number): void {
    this.#open.add(subject);
    this.#watch(subject, known, said);
    this.#recent.set(subject, { untilMs: this.#arrivedMs(), known });
  }

  #awaits(agent: string, subject: string, known: Set<string>): void {
    this.#away.set(agent, (this.#away.get(agent) ?? new Map()).set(subject, known));
  }

  /** Looks a lease from now; who comes back again and again puts off no look that is due before. */
  #watch(subject: string, known: Set<string>, said = known.size): void {
    const lastMs = this.#parts.clock.nowMs() + followUpMs;
    const watched = this.#watched.get(subject);
    if (watched === undefined) {
      this.#watched.set(subject, { dueMs: lastMs, lastMs, left: followUpsMax, said, known });
      return;
    }
    watched.lastMs = lastMs;
    watched.left = followUpsMax;
  }

  /** When the last message of a run that is told nothing now has arrived or expired. */
  #arrivedMs(): number {
    const { clock, limits } = this.#parts;
    const { messageLifetimeMs, clockSkewMs } = limits();
    return clock.nowMs() + leaseMsDefault + messageLifetimeMs + 2 * clockSkewMs;
  }

  #returned(agent: string): void {
    for (const [subject, known] of this.#away.get(agent) ?? []) {
      this.#watch(subject, known);
      this.#heard.set(subject, (this.#heard.get(subject) ?? new Set()).add(agent));
    }
    for (const [subject, { known }] of this.#recent) this.#watch(subject, known);
    this.#away.delete(agent);
  }

  /** `known` gains what was found; nobody is told of the same thing twice. */
  async #follow(subject: string, known: Set<string>): Promise<Found> {
    const { store, entriesSince } = this.#parts;
    let roots: readonly string[] = [subject];
    const sent = new Set<string>();
    for (let round = 0; ; round += 1) {
      const { items, calls, incarnations } = await descendantsOf(roots, store, sent);
      const spread = await spreadOf(items, [...calls, ...sent], entriesSince(ulidTimeMs(subject) ?? 0));
      const more = [...spread.items].filter((id) => !items.has(id));
      const before = sent.size;
      for (const id of [...spread.messages.values()].flat()) sent.add(id);
      roots = [...items, ...more];
      const { messages, readers, done } = spread;
      const agentOf = (run: string): string => readers.get(run) ?? '';
      const found = { items: [...items], runs: [...incarnations], agentOf, messages, done };
      const isNew = await this.#putAside(subject, found, known);
      if ((more.length === 0 && sent.size === before && !isNew) || round >= roundsMax) return found;
    }
  }

  /** True where something was put aside that was not before: it may have led to more meanwhile. */
  async #putAside(subject: string, found: Found, known: Set<string>): Promise<boolean> {
    const { store, aside } = this.#parts;
    const fresh = (prefix: string, ids: readonly string[]): readonly string[] =>
      ids.filter((id) => !known.has(`${prefix} ${id}`));
    const items = fresh('item', found.items);
    const runs = fresh('run', found.runs);
    const messages = new Map([...found.messages]
      .map(([agent, ids]) => [agent, fresh(`message ${agent}`, ids)] as const)
      .filter(([, ids]) => ids.length > 0));
    if (items.length === 0 && runs.length === 0 && messages.size === 0) return false;
    await store.putAside(items, runs);
    await aside.add(messages);
    await aside.addRuns(subject, runs, found.agentOf);
    for (const id of items) known.add(`item ${id}`);
    for (const id of runs) known.add(`run ${id}`);
    for (const [agent, ids] of messages) for (const id of ids) known.add(`message ${agent} ${id}`);
    for (const [name, line] of this.#parts.connected) {
      for (const frame of quarantineFrames(messages.get(name) ?? [], runs)) line.tell(frame);
    }
    return true;
  }

  async #record(subject: string, { said }: Watched, { items, runs }: Found): Promise<void> {
    const { recorder, clock } = this.#parts;
    const at = clock.nowMs();
    await recorder.record([{
      kind: 'knowledge.changed',
      id: `${subject}.followed.${at}`,
      at,
      actor: 'node',
      task: null,
      message: null,
      causedBy: [subject],
      outcome: null,
      code: 'KNOWLEDGE_QUARANTINED',
      verdicts: [],
      tookUs: null,
      detail: {
        act: 'quarantine', item: subject, items: items.length, readers: runs.length,
        ...(said < 0 ? { afterRestart: true } : {}),
      },
    }]);
  }
}

/** What a node that starts knows to have been put aside, for whatever subject. */
function knownBefore(aside: PutAside): Set<string> {
  const known = new Set(aside.runs().map((run) => `run ${run}`));
  for (const [agent, ids] of aside.messages()) for (const id of ids) known.add(`message ${agent} ${id}`);
  return known;
}
