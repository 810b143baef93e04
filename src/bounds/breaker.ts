// SPDX-License-Identifier: Apache-2.0

export type BreakerSettings = {
  /** Failures within the window that open it. */
  readonly failures: number;
  readonly windowMs: number;
  /** How long it stays open before calls probe. */
  readonly openMs: number;
  /** Probes that must succeed before it closes; as many may be under way at one time. */
  readonly probes: number;
};

/**
 * A circuit breaker (EC-2.4). Closed lets calls pass and remembers failures; open lets none pass;
 * half-open lets single calls probe.
 */
export type BreakerState =
  | { readonly state: 'closed'; readonly failedAtMs: readonly number[] }
  | { readonly state: 'open'; readonly sinceMs: number }
  | {
      readonly state: 'half-open';
      /** Calls under way that nobody has reported on. */
      readonly probes: readonly { readonly id: string; readonly atMs: number }[];
      readonly succeeded: number;
    };

export const closedBreaker: BreakerState = { state: 'closed', failedAtMs: [] };

/** How an allotted call ended. `not-run` says nothing about the tool. */
export type CallEnd = 'done' | 'failed' | 'in-doubt' | 'not-run';

/** What a breaker says to a call that wants to pass: `probe` wants to hear of its end. */
export type BreakerAnswer = 'pass' | 'probe' | 'open';

export type Asked = { readonly state: BreakerState; readonly answer: BreakerAnswer };

/** A call asks to pass. Pure; the same id asks again after a crash and gets the same answer. */
export function askBreaker(
  before: BreakerState,
  id: string,
  nowMs: number,
  settings: BreakerSettings,
): Asked {
  const state = afterTime(before, nowMs, settings);
  switch (state.state) {
    case 'closed':
      return { state, answer: 'pass' };
    case 'open':
      return { state, answer: 'open' };
    case 'half-open': {
      if (state.probes.some((probe) => probe.id === id)) return { state, answer: 'probe' };
      const room = state.probes.length + state.succeeded < settings.probes;
      if (!room) return { state, answer: 'open' };
      const probes = [...state.probes, { id, atMs: nowMs }];
      return { state: { ...state, probes }, answer: 'probe' };
    }
    default:
      return state satisfies never;
  }
}

/** A call ended. A failure counts whoever reports it; a success counts only for a probe. */
export function reportToBreaker(
  before: BreakerState,
  id: string,
  end: CallEnd,
  nowMs: number,
  settings: BreakerSettings,
): BreakerState {
  const state = afterTime(before, nowMs, settings);
  const hasFailed = end === 'failed' || end === 'in-doubt';
  switch (state.state) {
    case 'closed': {
      if (!hasFailed) return state;
      const failedAtMs = [...state.failedAtMs, nowMs];
      const isFull = failedAtMs.length >= settings.failures;
      return isFull ? { state: 'open', sinceMs: nowMs } : { state: 'closed', failedAtMs };
    }
    case 'open':
      return state;
    case 'half-open': {
      if (hasFailed) return { state: 'open', sinceMs: nowMs };
      const probes = state.probes.filter((probe) => probe.id !== id);
      if (probes.length === state.probes.length) return state;
      const succeeded = state.succeeded + (end === 'done' ? 1 : 0);
      return succeeded >= settings.probes ? closedBreaker : { state: 'half-open', probes, succeeded };
    }
    default:
      return state satisfies never;
  }
}

/** What the passing of time alone does. Time never goes back here; see `Ledger.latestMs`. */
function afterTime(state: BreakerState, nowMs: number, settings: BreakerSettings): BreakerState {
  switch (state.state) {
    case 'closed': {
      const failedAtMs = state.failedAtMs.filter((atMs) => atMs > nowMs - settings.windowMs);
      return failedAtMs.length === state.failedAtMs.length ? state : { state: 'closed', failedAtMs };
    }
    case 'open':
      return nowMs >= state.sinceMs + settings.openMs
        ? { state: 'half-open', probes: [], succeeded: 0 }
        : state;
    case 'half-open': {
      // A probe that nobody reports on, after a crash, makes room in the end.
      const probes = state.probes.filter(({ atMs }) => atMs > nowMs - settings.openMs);
      return probes.length === state.probes.length ? state : { ...state, probes };
    }
    default:
      return state satisfies never;
  }
}
