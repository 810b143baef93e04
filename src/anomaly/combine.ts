// SPDX-License-Identifier: Apache-2.0
import { driftAgainst } from './baseline.ts';
import type { Deviation } from './day-trends.ts';
import { driftAgainstPeers, driftOfRole } from './role-days.ts';
import { signals, weights, type Signal } from './signal.ts';

export type Reason = { readonly signal: Signal; readonly z: number; readonly against: string };

/** A score from 0 to 100 with the signals that made it, the strongest first. */
export type Score = {
  readonly agent: string;
  readonly at: number;
  readonly score: number;
  readonly reasons: readonly Reason[];
};

/** What a deviation is worth, 0 to 0.95: nothing below three spreads, nearly all at eight. */
function worth(z: number, from: number, to: number): number {
  const share = (Math.abs(z) - from) / (to - from);
  return Number.isNaN(share) ? 0.95 : Math.min(0.95, Math.max(0, share * 0.95));
}

/** Signals of which only more, or only less, is bad. */
const bad: { readonly [signal in Signal]?: 'more' | 'less' } = {
  'output-quality': 'less', 'error-rate': 'more', 'response-latency': 'more', 'tool-usage': 'more',
  'temporal-profile': 'more', 'peer-deviation': 'more', 'context-utilisation': 'more', 'content-drift': 'more',
};

function strength(signal: Signal, { z }: Deviation): number {
  const only = bad[signal];
  if ((only === 'more' && z < 0) || (only === 'less' && z > 0)) return 0;
  const found = worth(z, 4, 9);
  // Whoever was stopped, or away, was silent: an agent is told of for doing less, and isolated for nothing. What its texts
  // are made of is a rough measure: it adds to other doubts.
  const isTold = signal === 'content-drift' || (signal === 'message-volume' && z < 0);
  return isTold ? Math.min(found, alone(signal, toldMax)) : found;
}

const driftAgainsts: ReadonlySet<string> = new Set([driftAgainst, driftAgainstPeers, driftOfRole]);

/** From here on a drift over days raises, up to just below what isolates at the second. */
export const driftRaises = 2.6;
const driftSure = 5;
/** What is compared with peers is compared often: it has to be surer before people are told. */
const comparedRaises = 3.2;

function isBadDrift(signal: Signal, { z }: Deviation): boolean {
  const only = bad[signal];
  return !((only === 'more' && z < 0) || (only === 'less' && z > 0));
}

/** A drift that people are to look at is worth 40 to 59, and does not add up with other doubts. */
function driftScore(found: readonly Reason[]): { readonly score: number; readonly reason: Reason | null } {
  let most: { readonly score: number; readonly reason: Reason | null } = { score: 0, reason: null };
  for (const reason of found) {
    const { signal, z, against } = reason;
    const from = against === driftAgainst ? driftRaises : comparedRaises;
    if (!driftAgainsts.has(against) || !isBadDrift(signal, reason) || Math.abs(z) < from) continue;
    const share = Math.min(1, (Math.abs(z) - from) / (driftSure - from));
    const score = 40 + 19 * share;
    if (score > most.score) most = { score, reason };
  }
  return most;
}

function driftStrength({ z }: Deviation): number {
  return worth(z, 4, 6);
}

/**
 * Independent doubts add up, and a single one can be enough: the score is what is left of being sure
 * that nothing is wrong. A weight is how much of that a signal may take away.
 */
export function combined(found: readonly Reason[]): Pick<Score, 'score' | 'reasons'> {
  const strengthOf = ({ signal, z, against }: Reason): number => {
    // That an agent leaves its peers, or its role moves as a whole, is for people to look at, however sure it is.
    if (against === driftAgainstPeers || against === driftOfRole) return 0;
    const isDrift = against === driftAgainst;
    const own = isDrift && !isBadDrift(signal, { z, against }) ? 0 : isDrift ? driftStrength({ z, against }) : strength(signal, { z, against });
    return Math.min(own, alone(signal, aloneMax));
  };
  const strong = found.map((reason) => ({ reason, value: strengthOf(reason) })).filter(({ value }) => value > 0);
  const sound = strong.reduce(
    (left, { reason, value }) => left * (1 - value) ** (weights[reason.signal] * signals.length), 1,
  );
  const reasons = strong.toSorted((a, b) => b.value - a.value).map(({ reason }) => reason);
  const score = Math.round((1 - sound) * 1000) / 10;
  const drift = driftScore(found);
  if (drift.reason === null || score >= drift.score) return { score, reasons };
  return { score: Math.round(drift.score * 10) / 10, reasons: [drift.reason, ...reasons.filter((one) => one !== drift.reason)] };
}

/** The highest score that one signal can make alone: it isolates, and does not contain. */
const aloneMax = 75;
/** The highest score that isolates nobody by itself. */
const toldMax = 55;

/** The strength with which this signal alone makes that score. */
function alone(signal: Signal, score: number): number {
  return 1 - (1 - score / 100) ** (1 / (weights[signal] * signals.length));
}
