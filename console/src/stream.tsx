// SPDX-License-Identifier: Apache-2.0
import { createContext, useContext, useEffect, useRef, useState } from 'react';
import type { EdgeTally, LiveBatch, LiveEntry } from '../../src/console/live-feed.ts';

export type Second = { at: number; go: number; noGo: number; escalate: number };

export type Live = {
  readonly state: 'connecting' | 'open' | 'lost';
  /** Entries in the log. */
  readonly size: number;
  /** Newest first. */
  readonly entries: readonly LiveEntry[];
  readonly edges: ReadonlyMap<string, EdgeTally & { readonly lastAt: number }>;
  /** Verdicts per second, oldest first. */
  readonly seconds: readonly Second[];
  /** Entries since the page was opened, of which only sums are shown. */
  readonly summed: number;
};

const entriesKept = 400;
const secondsKept = 300;
const nothing: Live = {
  state: 'connecting', size: 0, entries: [], edges: new Map(), seconds: [], summed: 0,
};

/** Follows the log. One batch makes one rendering, however many entries it stands for. */
export function useLiveFeed(isOpen: boolean): Live {
  const [live, setLive] = useState<Live>(nothing);
  const lost = useRef(false);
  useEffect(() => {
    if (!isOpen) return undefined;
    const source = new EventSource('/api/stream');
    source.addEventListener('open', () => {
      lost.current = false;
      setLive((before) => ({ ...before, state: 'open' }));
    });
    source.addEventListener('error', () => {
      // The browser tries again by itself and says where it was.
      lost.current = true;
      setLive((before) => ({ ...before, state: 'lost' }));
    });
    source.addEventListener('batch', (event) => {
      const batch = JSON.parse(String(event.data)) as LiveBatch & { size: number };
      setLive((before) => taken(before, batch));
    });
    source.addEventListener('beat', (event) => {
      const { size } = JSON.parse(String(event.data)) as { size: number };
      setLive((before) => ({ ...before, state: 'open', size }));
    });
    return () => source.close();
  }, [isOpen]);
  return live;
}

function taken(before: Live, batch: LiveBatch & { readonly size: number }): Live {
  const edges = new Map(before.edges);
  for (const edge of batch.edges) {
    const key = `${edge.from} ${edge.to}`;
    const known = edges.get(key);
    edges.set(key, {
      ...edge,
      go: edge.go + (known?.go ?? 0),
      noGo: edge.noGo + (known?.noGo ?? 0),
      escalate: edge.escalate + (known?.escalate ?? 0),
      lastAt: batch.at ?? 0,
    });
  }
  return {
    state: 'open',
    size: batch.size,
    entries: [...batch.entries.toReversed(), ...before.entries].slice(0, entriesKept),
    edges,
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
export const LiveProvider = LiveContext.Provider;
export const useLive = (): Live => useContext(LiveContext);
