// SPDX-License-Identifier: Apache-2.0
import { createContext, useContext, useEffect, useRef, useState, type ReactNode } from 'react';
import type { EdgeTally, LiveBatch, LiveEntry } from '../../src/console/live-feed.ts';
import { signedOutEvent } from './api.ts';

export type Second = { at: number; go: number; noGo: number; escalate: number };
export type Way = EdgeTally & { readonly lastAt: number };

export type Live = {
  readonly state: 'connecting' | 'open' | 'lost';
  /** Entries in the log. */
  readonly size: number;
  /** Newest first. */
  readonly entries: readonly LiveEntry[];
  /** What passed between single agents, those that spoke last; the same map is filled on and on. */
  readonly edges: ReadonlyMap<string, Way>;
  /** All that passed, between the boxes that agents stand in. */
  readonly ways: ReadonlyMap<string, Way>;
  /** Verdicts per second, oldest first. */
  readonly seconds: readonly Second[];
  /** Entries since the page was opened, of which only sums are shown. */
  readonly summed: number;
};

const entriesKept = 400;
const secondsKept = 300;
/** Pairs of agents that are told apart; those that were silent longest are in the sums of boxes only. */
const edgesKept = 5_000;
const nothing: Live = {
  state: 'connecting', size: 0, entries: [], edges: new Map(), ways: new Map(), seconds: [], summed: 0,
};

/** After a refusal, before the log is asked for again. */
const askAgainMs = 2_000;

/** The log as it grows. */
function useLiveFeed(): Live {
  const [live, setLive] = useState<Live>(nothing);
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    const source = new EventSource('/api/stream');
    const edges = new Map<string, Way>();
    const ways = new Map<string, Way>();
    let again: ReturnType<typeof setTimeout> | null = null;
    source.addEventListener('open', () => setLive((before) => ({ ...before, state: 'open' })));
    source.addEventListener('error', () => {
      setLive((before) => ({ ...before, state: 'lost' }));
      // A broken line the browser mends by itself, and says where it was. A refusal ends it: whoever is
      // signed out learns it, and the log is asked for anew, from nothing, so that nothing counts twice.
      if (source.readyState !== EventSource.CLOSED) return;
      window.dispatchEvent(new Event(signedOutEvent));
      again ??= setTimeout(() => {
        setLive({ ...nothing, state: 'lost' });
        setTurn((count) => count + 1);
      }, askAgainMs);
    });
    source.addEventListener('batch', (event) => {
      const batch = JSON.parse(String(event.data)) as LiveBatch & { size: number };
      for (const edge of batch.edges) {
        count(edges, `${edge.from} ${edge.to}`, edge, batch.at);
        if (edge.fromGroup !== null && edge.toGroup !== null) count(ways, `${edge.fromGroup} ${edge.toGroup}`, edge, batch.at);
      }
      for (const key of edges.keys()) {
        if (edges.size <= edgesKept) break;
        edges.delete(key);
      }
      setLive((before) => ({ ...taken(before, batch), edges, ways }));
    });
    source.addEventListener('beat', (event) => {
      const { size } = JSON.parse(String(event.data)) as { size: number };
      setLive((before) => ({ ...before, state: 'open', size }));
    });
    return () => {
      source.close();
      if (again !== null) clearTimeout(again);
    };
  }, [turn]);
  return live;
}

/** Adds in place and puts the pair last: the sums of a busy mesh are not copied with each batch. */
function count(sums: Map<string, Way>, key: string, edge: EdgeTally, at: number | null): void {
  const known = sums.get(key);
  sums.delete(key);
  sums.set(key, {
    ...edge,
    go: edge.go + (known?.go ?? 0),
    noGo: edge.noGo + (known?.noGo ?? 0),
    escalate: edge.escalate + (known?.escalate ?? 0),
    lastAt: at ?? 0,
  });
}

function taken(before: Live, batch: LiveBatch & { readonly size: number }): Live {
  return {
    ...before,
    state: 'open',
    size: batch.size,
    entries: [...batch.entries.toReversed(), ...before.entries].slice(0, entriesKept),
    seconds: addSeconds(before.seconds, batch),
    summed: before.summed + batch.summed,
  };
}

function addSeconds(known: readonly Second[], { seconds }: LiveBatch): readonly Second[] {
  const sums = new Map(known.map((second) => [second.at, second]));
  for (const { at, go, noGo, escalate } of seconds) {
    const before = sums.get(at) ?? { at, go: 0, noGo: 0, escalate: 0 };
    sums.set(at, {
      at, go: before.go + go, noGo: before.noGo + noGo, escalate: before.escalate + escalate,
    });
  }
  return [...sums.values()].sort((a, b) => a.at - b.at).slice(-secondsKept);
}

const LiveContext = createContext<Live>(nothing);

/** Only what asks for the feed is drawn again with each batch, and not the page around it. */
export function LiveProvider({ children }: { readonly children: ReactNode }) {
  return <LiveContext.Provider value={useLiveFeed()}>{children}</LiveContext.Provider>;
}

export const useLive = (): Live => useContext(LiveContext);

/** The same, looked at once in a while: what is dear to draw is not drawn with each batch. */
export function useSlowLive(everyMs: number): Live {
  const live = useLive();
  const newest = useRef(live);
  newest.current = live;
  const [shown, setShown] = useState(live);
  useEffect(() => {
    const timer = setInterval(() => setShown(newest.current), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return shown.entries.length === 0 ? live : shown;
}
