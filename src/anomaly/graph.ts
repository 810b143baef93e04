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

/** One hand-over of a task from one agent to another. */
export type HandedOn = {
  readonly from: string;
  readonly to: string;
  readonly task: string;
  readonly at: number;
};

type Edge = { lastAt: number };
/** A task on its way: how often each edge was walked since anything came of it. */
type Walk = { readonly edges: Map<string, Map<string, number>>; raised: boolean; stopped: boolean };

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** Nothing is new before so long was watched. */
const watchMs = 14 * dayMs;
const newAfterMs = 7 * dayMs;
/** Rounds of one circle without anything that comes of it: told at the first, stopped at the second. */
export const roundsRaised = 5;
export const roundsStopped = 10;
const edgesMax = 100_000;
const tasksMax = 4_096;
const edgesPerTaskMax = 256;
const hopsMax = 5;
/** Speaking to fewer than this is no hub, whatever is usual. */
const hubMin = 5;

/**
 * The graph of who hands work to whom, from what is recorded. Finds circles that lead nowhere, edges that are
 * new, agents that turn into hubs. Bounded: the edge and the task that were silent longest make room.
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
    const isNew = this.#note(handed);
    const isWatched = at - this.#since >= watchMs;
    if (isNew && isWatched) {
      const reach = this.reach(from);
      found.push({
        code: 'ANOMALY_EDGE', agent: from, at, score: 45, task: handed.task, what: `to ${handed.to}, reaches ${reach} within ${hopsMax} hops`,
      });
    }
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

  /** True where the edge was not walked for a week, or never. */
  #note({ from, to, at }: HandedOn): boolean {
    const of = this.#edges.get(from) ?? new Map<string, Edge>();
    this.#edges.set(from, of);
    const known = of.get(to);
    if (known !== undefined) {
      const isNew = at - known.lastAt >= newAfterMs;
      known.lastAt = at;
      return isNew;
    }
    if (this.#edgeCount >= edgesMax) this.#forget();
    of.set(to, { lastAt: at });
    this.#edgeCount += 1;
    return true;
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
    const of = walk.edges.get(from) ?? new Map<string, number>();
    const rounds = (of.get(to) ?? 0) + 1;
    if (!of.has(to) && edgesOf(walk) >= edgesPerTaskMax) return null;
    walk.edges.set(from, of.set(to, rounds));
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
    const walk: Walk = { edges: new Map(), raised: false, stopped: false };
    this.#walks.set(task, walk);
    return walk;
  }
}

type Hub = { hour: number; readonly peers: Set<string>; usual: number; told: boolean };

function edgesOf({ edges }: Walk): number {
  let count = 0;
  for (const of of edges.values()) count += of.size;
  return count;
}

function leadsBack(start: string, goal: string, least: number, { edges }: Walk): boolean {
  const seen = new Set<string>();
  const open = [start];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    if (at === goal) return true;
    if (seen.has(at)) continue;
    seen.add(at);
    for (const [next, walked] of edges.get(at) ?? []) if (walked >= least) open.push(next);
  }
  return false;
}
