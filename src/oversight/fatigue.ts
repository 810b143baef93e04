// SPDX-License-Identifier: Apache-2.0
import type { RiskClass } from '../mesh/mesh.ts';
import type { Approval } from './approvals.ts';
import { questionKey } from './equals.ts';

/** What is measured of the people who decide (framework facts, section p). */
export type SignalId =
  | 'time-to-decide'
  | 'probes-missed'
  | 'approval-ratio'
  | 'challenge-rate'
  | 'reasons-repeated'
  | 'disagreement'
  | 'load'
  | 'undecided'
  | 'shift'
  | 'ratio-drift';

/** `none`: too few decisions to say anything. */
export type SignalLevel = 'none' | 'green' | 'amber' | 'red';

export type Signal = {
  readonly id: SignalId;
  readonly level: SignalLevel;
  /** Milliseconds for `time-to-decide` and `shift`, else a share from 0 to 1; null with too few decisions. */
  readonly value: number | null;
  /** Decisions or cases that the value is over. */
  readonly count: number;
  /** Whom it is about, where it is about one person. */
  readonly operator: string | null;
};

/** The framework's thresholds. */
export const fatigueLimits = {
  windowMs: 7 * 86_400_000,
  medianRedMs: 3_000,
  medianAmberLowMs: 30_000,
  medianAmberHighMs: 300_000,
  probesMissedRed: 0.3,
  probesMissedAmber: 0.15,
  /** Of one class: 95 % of CRITICAL probes and 90 % of HIGH ones have to be caught. */
  probesMissedAmberOf: { CRITICAL: 0.05, HIGH: 0.1 },
  approvalRatioRed: 0.98,
  challengeRateAmber: 0.05,
  reasonsRepeatedRed: 0.5,
  disagreementRed: 0.4,
  disagreementAmber: 0.15,
  loadAmber: 0.6,
  /** A shift, and the pause that ends one. */
  shiftAmberMs: 4 * 3_600_000,
  pauseMs: 30 * 60_000,
  /** How far the share of approvals may be from what it was before the window. */
  ratioDriftAmber: 0.1,
  countMin: 5,
  ratioCountMin: 20,
} as const;

type Fact = {
  /** What was decided on: equal questions share it. */
  readonly question: string;
  readonly operator: string;
  readonly risk: RiskClass;
  readonly at: number;
  readonly decision: 'approve' | 'deny' | 'modify' | 'escalate';
  readonly tookMs: number;
  readonly reasonDigest: string | null;
  readonly probe: boolean;
};

/**
 * Signals over the decisions of the last seven days. Time runs from when a person opened the card,
 * or, in a terminal, from when it was held. Probes count for themselves and as decisions made.
 */
export function fatigueSignals(approvals: readonly Approval[], nowMs: number): readonly Signal[] {
  const recent = approvals.filter(({ heldAt }) => heldAt > nowMs - fatigueLimits.windowMs);
  const before = approvals.filter(({ heldAt, probe }) => !(heldAt > nowMs - fatigueLimits.windowMs) && probe !== true);
  const facts = recent.flatMap(factsOf);
  const real = facts.filter(({ probe }) => !probe);
  return [
    timeSignal(facts),
    probeSignal(facts.filter(({ probe }) => probe)),
    ...ratioSignals(real),
    reasonSignal(real),
    disagreementSignal(real),
    loadSignal(real),
    undecidedSignal(recent.filter(({ probe }) => probe !== true)),
    shiftSignal(facts),
    driftSignal(real, before.flatMap(factsOf)),
  ];
}

function factsOf({ hold, decisions, heldAt, probe }: Approval): readonly Fact[] {
  const question = questionKey(hold);
  return decisions.flatMap(({ operator, decision = 'approve', at, openedAt, reasonDigest }) =>
    at === undefined ? [] : [{
      question, operator, decision, at,
      risk: hold.risk,
      tookMs: Math.max(0, at - (openedAt ?? heldAt)),
      reasonDigest: reasonDigest ?? null,
      probe: probe === true,
    }]);
}

function timeSignal(facts: readonly Fact[]): Signal {
  const times = facts.map(({ tookMs }) => tookMs).sort((a, b) => a - b);
  const median = times[Math.floor(times.length / 2)] ?? null;
  const { medianRedMs, medianAmberLowMs, medianAmberHighMs, countMin } = fatigueLimits;
  return signal('time-to-decide', median, times.length, countMin, (value) =>
    value < medianRedMs ? 'red'
      : value < medianAmberLowMs || value > medianAmberHighMs ? 'amber' : 'green');
}

function probeSignal(probes: readonly Fact[]): Signal {
  const missed = share(probes, ({ decision }) => decision === 'approve');
  const { probesMissedRed, probesMissedAmber, probesMissedAmberOf } = fatigueLimits;
  const tooMany = (['CRITICAL', 'HIGH'] as const).some((risk) => {
    const ofClass = share(probes.filter((probe) => probe.risk === risk), ({ decision }) => decision === 'approve');
    return ofClass !== null && ofClass > probesMissedAmberOf[risk];
  });
  return signal('probes-missed', missed, probes.length, 3, (value) =>
    value > probesMissedRed ? 'red' : value > probesMissedAmber || tooMany ? 'amber' : 'green');
}

function ratioSignals(facts: readonly Fact[]): readonly Signal[] {
  const approved = share(facts, ({ decision }) => decision === 'approve');
  const challenged = approved === null ? null : 1 - approved;
  const { ratioCountMin, approvalRatioRed, challengeRateAmber } = fatigueLimits;
  return [
    signal('approval-ratio', approved, facts.length, ratioCountMin, (value) =>
      value > approvalRatioRed ? 'red' : 'green'),
    signal('challenge-rate', challenged, facts.length, ratioCountMin, (value) =>
      value === 0 ? 'red' : value < challengeRateAmber ? 'amber' : 'green'),
  ];
}

/** Of the reasons that were given, how many one person gave word for word before. */
function reasonSignal(facts: readonly Fact[]): Signal {
  const given = facts.filter(({ reasonDigest }) => reasonDigest !== null);
  const seen = new Set<string>();
  let repeated = 0;
  for (const { operator, reasonDigest } of given) {
    const key = `${operator} ${reasonDigest ?? ''}`;
    if (seen.has(key)) repeated += 1;
    seen.add(key);
  }
  const value = given.length === 0 ? null : repeated / given.length;
  return signal('reasons-repeated', value, given.length, fatigueLimits.countMin, (now) =>
    now > fatigueLimits.reasonsRepeatedRed ? 'red' : 'green');
}

/** Of the questions that two people decided on, one card or equal ones, how many they saw differently. */
function disagreementSignal(facts: readonly Fact[]): Signal {
  const cards = Map.groupBy(facts, ({ question }) => question);
  const shared = [...cards.values()]
    .filter((made) => new Set(made.map(({ operator }) => operator)).size > 1);
  const value = share(shared, (made) => new Set(made.map(({ decision }) => decision)).size > 1);
  const { disagreementRed, disagreementAmber, countMin } = fatigueLimits;
  return signal('disagreement', value, shared.length, countMin, (now) =>
    now > disagreementRed ? 'red' : now > disagreementAmber ? 'amber' : 'green');
}

function loadSignal(facts: readonly Fact[]): Signal {
  const counts = [...Map.groupBy(facts, ({ operator }) => operator)]
    .map(([operator, made]) => ({ operator, count: made.length }))
    .sort((a, b) => b.count - a.count);
  const most = counts[0];
  const value = most === undefined ? null : most.count / facts.length;
  const said = signal('load', value, facts.length, fatigueLimits.ratioCountMin, (now) =>
    now > fatigueLimits.loadAmber ? 'amber' : 'green');
  return { ...said, operator: most?.operator ?? null };
}

/** Of the held actions, how many nobody decided in time. */
function undecidedSignal(approvals: readonly Approval[]): Signal {
  const ended = approvals.filter(({ state }) => state !== 'pending');
  const value = share(ended, ({ state, decisions }) => state === 'expired' && decisions.length === 0);
  return signal('undecided', value, ended.length, fatigueLimits.countMin, (now) =>
    now > 0 ? 'amber' : 'green');
}

/** The longest time that one person decided without a pause. */
function shiftSignal(facts: readonly Fact[]): Signal {
  const { shiftAmberMs, pauseMs, countMin } = fatigueLimits;
  let longest: { readonly operator: string; readonly ms: number } | null = null;
  for (const [operator, made] of Map.groupBy(facts, ({ operator: who }) => who)) {
    let [startedAt, lastAt] = [Number.NaN, Number.NaN];
    for (const at of made.map((fact) => fact.at).sort((a, b) => a - b)) {
      if (!(at - lastAt <= pauseMs)) startedAt = at;
      lastAt = at;
      if (longest === null || at - startedAt > longest.ms) longest = { operator, ms: at - startedAt };
    }
  }
  const said = signal('shift', longest?.ms ?? null, facts.length, countMin, (now) =>
    now > shiftAmberMs ? 'amber' : 'green');
  return { ...said, operator: longest?.operator ?? null };
}

/** How far the share of approvals is from what it was before the window. */
function driftSignal(facts: readonly Fact[], before: readonly Fact[]): Signal {
  const { ratioCountMin, ratioDriftAmber } = fatigueLimits;
  const [now, base] = [facts, before].map((made) =>
    made.length < ratioCountMin ? null : share(made, ({ decision }) => decision === 'approve'));
  const drift = now === null || now === undefined || base === null || base === undefined
    ? null : Math.abs(now - base);
  return signal('ratio-drift', drift, facts.length, ratioCountMin, (value) =>
    value > ratioDriftAmber ? 'amber' : 'green');
}

function signal(
  id: SignalId,
  value: number | null,
  count: number,
  countMin: number,
  levelOf: (value: number) => SignalLevel,
): Signal {
  const isKnown = value !== null && count >= countMin;
  return { id, value, count, operator: null, level: isKnown ? levelOf(value) : 'none' };
}

function share<Item>(items: readonly Item[], counts: (item: Item) => boolean): number | null {
  return items.length === 0 ? null : items.filter(counts).length / items.length;
}
