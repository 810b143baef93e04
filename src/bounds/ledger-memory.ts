// SPDX-License-Identifier: Apache-2.0
import type { BreakerState } from './breaker.ts';
import type { Allotment, Charged, Ledger, LedgerStore, LedgerView } from './ledger.ts';

type Slice = Charged & { readonly keepUntilMs: number };

type State = {
  readonly slices: Map<string, Slice>;
  readonly allotments: Map<string, { readonly value: Allotment; readonly keepUntilMs: number }>;
  readonly breakers: Map<string, BreakerState>;
  readonly releases: Map<string, number>;
  latestMs: number;
};

/** A ledger in memory, for tests of the core: durable as soon as the work returned. */
export class MemoryLedgerStore implements LedgerStore {
  #state: State = {
    slices: new Map(),
    allotments: new Map(),
    breakers: new Map(),
    releases: new Map(),
    latestMs: 0,
  };

  get view(): LedgerView {
    return ledgerOf(this.#state);
  }

  async change<Value>(work: (ledger: Ledger) => Value): Promise<Value> {
    const { slices, allotments, breakers, releases, latestMs } = this.#state;
    const state: State = {
      slices: new Map(slices),
      allotments: new Map(allotments),
      breakers: new Map(breakers),
      releases: new Map(releases),
      latestMs,
    };
    const value = work(ledgerOf(state));
    this.#state = state;
    return value;
  }

  async prune(nowMs: number): Promise<void> {
    const { slices, allotments, releases } = this.#state;
    for (const [id, { keepUntilMs }] of slices) if (keepUntilMs < nowMs) slices.delete(id);
    for (const [id, { keepUntilMs }] of allotments) if (keepUntilMs < nowMs) allotments.delete(id);
    for (const [key, untilMs] of releases) if (untilMs < nowMs) releases.delete(key);
  }
}

function ledgerOf(state: State): Ledger {
  const idOf = ({ key, endMs }: Charged): string => `${endMs} ${key}`;
  return {
    sum: (key, sinceMs) =>
      [...state.slices.values()]
        .filter((slice) => slice.key === key && slice.endMs > sinceMs)
        .reduce((total, slice) => total + slice.units, 0),
    add: (charged, keepUntilMs) => {
      const known = state.slices.get(idOf(charged));
      state.slices.set(idOf(charged), {
        ...charged,
        units: (known?.units ?? 0) + charged.units,
        keepUntilMs: Math.max(keepUntilMs, known?.keepUntilMs ?? 0),
      });
    },
    takeBack: (charged) => {
      const known = state.slices.get(idOf(charged));
      if (known === undefined) return;
      state.slices.set(idOf(charged), { ...known, units: known.units - charged.units });
    },
    allotment: (id) => state.allotments.get(id)?.value ?? null,
    heldBy: (holder) =>
      [...state.allotments.values()].map(({ value }) => value)
        .filter(({ holders }) => holders.includes(holder)),
    saveAllotment: (value, keepUntilMs) => void state.allotments.set(value.id, { value, keepUntilMs }),
    dropAllotment: (id) => void state.allotments.delete(id),
    breaker: (key) => state.breakers.get(key) ?? null,
    saveBreaker: (key, value) => void state.breakers.set(key, value),
    releasedUntilMs: (key) => state.releases.get(key) ?? 0,
    release: (key, untilMs) => {
      state.releases.set(key, Math.max(untilMs, state.releases.get(key) ?? 0));
    },
    latestMs: () => state.latestMs,
    noteTime: (nowMs) => {
      state.latestMs = Math.max(state.latestMs, nowMs);
    },
  };
}
