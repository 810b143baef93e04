// SPDX-License-Identifier: Apache-2.0
import type { AnomalyCode } from './codes.ts';

/** Something unusual between agents, with the score that it is worth by itself and what it is held against. */
export type GraphFinding = {
  readonly code: AnomalyCode;
  readonly agent: string;
  readonly at: number;
  /** 40 raises, 60 isolates. */
  readonly score: number;
  readonly task: string | null;
  /** Measured, in words and numbers; never content. */
  readonly what: string;
};

/** What is kept of one agent: text that `restore` reads, bounded by its edges. */
export interface GraphStore {
  load(): ReadonlyMap<string, string>;
  /** Resolves when it survives a crash. */
  save(agent: string, kept: string): Promise<void>;
}

/** One hand-over of a task from one agent to another. */
export type HandedOn = {
  readonly from: string;
  readonly to: string;
  readonly task: string;
  readonly at: number;
};

/** A task on its way: how often each edge was walked since anything came of it. */
/** How often one edge was walked in one task. */
type Step = { readonly from: string; readonly to: string; rounds: number };
/** A list, and no maps: most tasks walk one edge, and thousands of tasks are kept. */
type Walk = { readonly steps: Step[]; raised: boolean; stopped: boolean };

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** Nothing is new before so long was watched. */
const watchMs = 14 * dayMs;
const newAfterMs = 7 * dayMs;
/** Edges of one agent that are kept over a restart: those walked last. */
const keptEdgesMax = 1_000;
const keptForm = 1;
/** Rounds of one circle without anything that comes of it: told at the first, stopped at the second. */
export const roundsRaised = 5;
export const roundsStopped = 10;
/** An edge that carries fewer in an hour is never told for its volume. */
const volumeMin = 50;
/** Times the fullest hour of the last two weeks. */
const volumeTimes = 3;
const usualHours = 14 * 24;
const edgesMax = 100_000;
const tasksMax = 4_096;
const edgesPerTaskMax = 256;
const hopsMax = 5;
/** Speaking to fewer than this is no hub, whatever is usual. */
const hubMin = 5;

/**
 * The graph of who hands work to whom, from what is recorded. Finds circles that lead nowhere, edges that are
 * new or carry far more than they did, agents that turn into hubs. Bounded: the edge and the task that were silent longest make room.
 */
export class InteractionGraph {
  readonly #edges = new Map<string, Map<string, Edge>>();
  readonly #walks = new Map<string, Walk>();
  readonly #hubs = new Map<string, Hub>();
  #edgeCount = 0;
  #since: number | null = null;

  /** `since` is when watching began, where that is remembered from before. */
  constructor(since: number | null = null) {
    this.#since = since;
  }

  take(handed: HandedOn): readonly GraphFinding[] {
    const { from, at } = handed;
    this.#since ??= at;
    const found: GraphFinding[] = [];
    const { edge, isNew } = this.#note(handed);
    const isWatched = at - this.#since >= watchMs;
    if (isNew && isWatched) {
      const reach = this.reach(from);
      found.push({
        code: 'ANOMALY_EDGE', agent: from, at, score: 45, task: handed.task, what: `to ${handed.to}, reaches ${reach} within ${hopsMax} hops`,
      });
    }
    const volume = volumeOf(edge, handed, isWatched);
    if (volume !== null) found.push(volume);
    const hub = this.#hub(handed, isWatched);
    if (hub !== null) found.push(hub);
    const circle = this.#circle(handed);
    if (circle !== null) found.push(circle);
    return found;
  }

  /** Something came of the task: a tool did what was asked. Circles begin anew. */
  progressed(task: string): void {
    this.#walks.delete(task);
  }

  /** Agents that this one reaches along edges that were walked, five hops at most: its blast radius. */
  reach(from: string): number {
    const seen = new Set([from]);
    let next = [from];
    for (let hop = 0; hop < hopsMax && next.length > 0; hop += 1) {
      next = next.flatMap((agent) => [...(this.#edges.get(agent)?.keys() ?? [])]).filter((agent) => {
        if (seen.has(agent)) return false;
        seen.add(agent);
        return true;
      });
    }
    return seen.size - 1;
  }

  /** All that is remembered of whom this agent speaks to; null for one that never spoke. */
  kept(agent: string): string | null {
    const of = this.#edges.get(agent);
    if (of === undefined || this.#since === null) return null;
    const edges = [...of].toSorted(([, a], [, b]) => b.lastAt - a.lastAt).slice(0, keptEdgesMax)
      .map(([to, { lastAt, hour, count, usual }]) => [to, lastAt, hour, count, usual]);
    const { hour = 0, usual = 0, peers = [] } = this.#hubs.get(agent) ?? {};
    return JSON.stringify([keptForm, this.#since, edges, hour, usual, [...peers].slice(0, keptEdgesMax)]);
  }

  /** Goes on where an earlier run stopped; false, and it begins anew, where that is in another form. */
  restore(agent: string, kept: string): boolean {
    const read = readKept(kept);
    if (read === null) return false;
    const { since, edges, hub } = read;
    this.#since = Math.min(this.#since ?? since, since);
    this.#edgeCount += edges.size - (this.#edges.get(agent)?.size ?? 0);
    this.#edges.set(agent, edges);
    this.#hubs.set(agent, hub);
    return true;
  }

  /** `isNew` where the edge was not walked for a week, or never. */
  #note({ from, to, at }: HandedOn): { readonly edge: Edge; readonly isNew: boolean } {
    const of = this.#edges.get(from) ?? new Map<string, Edge>();
    this.#edges.set(from, of);
    const known = of.get(to);
    if (known !== undefined) {
      const isNew = at - known.lastAt >= newAfterMs;
      known.lastAt = at;
      return { edge: known, isNew };
    }
    if (this.#edgeCount >= edgesMax) this.#forget();
    const edge: Edge = { lastAt: at, hour: Math.floor(at / hourMs), count: 0, usual: 0, told: false };
    // Making room may have taken the edges of this very agent.
    this.#edges.set(from, of.set(to, edge));
    this.#edgeCount += 1;
    return { edge, isNew: true };
  }

  /** All edges of the agent that was added first go; a bound, not a policy. */
  #forget(): void {
    const [first] = this.#edges;
    if (first === undefined) return;
    this.#edgeCount -= first[1].size;
    this.#edges.delete(first[0]);
  }

  #hub({ from, to, at, task }: HandedOn, isWatched: boolean): GraphFinding | null {
    const hub = this.#hubs.get(from) ?? { hour: Math.floor(at / hourMs), peers: new Set(), usual: 0, told: false };
    this.#hubs.set(from, hub);
    const hour = Math.floor(at / hourMs);
    if (hour > hub.hour) {
      const share = Math.min(1, (hour - hub.hour) / (14 * 24));
      hub.usual = Math.max(hub.peers.size, hub.usual * (1 - share));
      hub.peers.clear();
      hub.hour = hour;
      hub.told = false;
    }
    hub.peers.add(to);
    const isHub = hub.peers.size >= Math.max(hubMin, 2 * hub.usual);
    if (!isHub || hub.told || !isWatched) return null;
    hub.told = true;
    return {
      code: 'ANOMALY_HUB', agent: from, at, score: 55, task, what: `${hub.peers.size} agents in an hour, usually ${Math.ceil(hub.usual)}`,
    };
  }

  /** The task comes back to where it is sent from, along edges that were each walked that often. */
  #circle({ from, to, task, at }: HandedOn): GraphFinding | null {
    const walk = this.#walks.get(task) ?? this.#begin(task);
    if (walk.stopped) return null;
    const known = walk.steps.find((step) => step.from === from && step.to === to);
    if (known === undefined && walk.steps.length >= edgesPerTaskMax) return null;
    const step = known ?? { from, to, rounds: 0 };
    if (known === undefined) walk.steps.push(step);
    step.rounds += 1;
    const { rounds } = step;
    const least = walk.raised ? roundsStopped : roundsRaised;
    if (rounds < least || !leadsBack(to, from, least - 1, walk)) return null;
    if (walk.raised) walk.stopped = true;
    walk.raised = true;
    return {
      code: 'ANOMALY_LOOP', agent: from, at, task, score: walk.stopped ? 65 : 45, what: `${rounds} rounds of one circle, and nothing came of it`,
    };
  }

  #begin(task: string): Walk {
    if (this.#walks.size >= tasksMax) {
      const [oldest] = this.#walks.keys();
      if (oldest !== undefined) this.#walks.delete(oldest);
    }
    const walk: Walk = { steps: [], raised: false, stopped: false };
    this.#walks.set(task, walk);
    return walk;
  }
}

/** `usual`: the fullest hour of the last two weeks, which fades. `count`: of the hour that is open. */
type Edge = { lastAt: number; hour: number; count: number; usual: number; told: boolean };
type Hub = { hour: number; readonly peers: Set<string>; usual: number; told: boolean };

function leadsBack(start: string, goal: string, least: number, { steps }: Walk): boolean {
  const seen = new Set<string>();
  const open = [start];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    if (at === goal) return true;
    if (seen.has(at)) continue;
    seen.add(at);
    for (const { from, to, rounds } of steps) if (from === at && rounds >= least) open.push(to);
  }
  return false;
}

/** Many times what the edge carried in its fullest hour: told once in that hour. */
function volumeOf(edge: Edge, { from, to, at, task }: HandedOn, isWatched: boolean): GraphFinding | null {
  const hour = Math.floor(at / hourMs);
  if (hour > edge.hour) {
    const share = Math.min(1, (hour - edge.hour) / usualHours);
    edge.usual = Math.max(edge.count, edge.usual * (1 - share));
    edge.count = 0;
    edge.hour = hour;
    edge.told = false;
  }
  edge.count += 1;
  const isFlood = edge.count >= Math.max(volumeMin, volumeTimes * edge.usual);
  if (!isFlood || edge.told || !isWatched) return null;
  edge.told = true;
  return {
    code: 'ANOMALY_VOLUME', agent: from, at, score: 45, task,
    what: `${edge.count} to ${to} in an hour, usually ${Math.ceil(edge.usual)}`,
  };
}

/** Null for anything but what `kept` wrote: then the agent is watched anew. */
function readKept(kept: string): { since: number; edges: Map<string, Edge>; hub: Hub } | null {
  let read: unknown;
  try {
    read = JSON.parse(kept);
  } catch {
    // Cut off or changed: it begins anew.
    return null;
  }
  if (!Array.isArray(read) || read[0] !== keptForm || !Array.isArray(read[2]) || !Array.isArray(read[5])) return null;
  const [, since, listed, hour, usual, peers] = read;
  const edges = new Map<string, Edge>();
  for (const one of listed) {
    if (!Array.isArray(one) || typeof one[0] !== 'string' || !one.slice(1).every(Number.isFinite)) return null;
    const [to, lastAt, edgeHour, count, edgeUsual] = one;
    edges.set(to, { lastAt, hour: edgeHour, count, usual: edgeUsual, told: false });
  }
  if (![since, hour, usual].every(Number.isFinite) || !peers.every((peer) => typeof peer === 'string')) return null;
  return { since, edges, hub: { hour, usual, peers: new Set(peers), told: false } };
}
