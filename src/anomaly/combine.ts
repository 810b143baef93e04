// SPDX-License-Identifier: Apache-2.0
import type { Deviation } from './baseline.ts';
import { driftAgainst, type ToldDrift } from './role-days.ts';
import { signals, weights, type Signal } from './signal.ts';

export type Reason = { readonly signal: Signal; readonly z: number; readonly against: string };

/** A score from 0 to 100 with the signals that made it, the strongest first. */
export type Score = {
  readonly agent: string;
  readonly at: number;
  readonly score: number;
  readonly reasons: readonly Reason[];
  /** Slow drifts that people are told of now. They are no part of the score. */
  readonly drifts: readonly (ToldDrift & { readonly signal: Signal })[];
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

/**
 * Independent doubts add up, and a single one can be enough: the score is what is left of being sure
 * that nothing is wrong. A weight is how much of that a signal may take away.
 */
export function combined(found: readonly Reason[]): Pick<Score, 'score' | 'reasons'> {
  const strengthOf = ({ signal, z, against }: Reason): number => {
    // A drift over weeks stands only where it is the bad way.
    const own = against === driftAgainst ? worth(z, 4, 6) : strength(signal, { z, against });
    return Math.min(own, alone(signal, aloneMax));
  };
  const strong = found.map((reason) => ({ reason, value: strengthOf(reason) })).filter(({ value }) => value > 0);
  const sound = strong.reduce(
    (left, { reason, value }) => left * (1 - value) ** (weights[reason.signal] * signals.length), 1,
  );
  const reasons = strong.toSorted((a, b) => b.value - a.value).map(({ reason }) => reason);
  return { score: Math.round((1 - sound) * 1000) / 10, reasons };
}

/** The highest score that one signal can make alone: it isolates, and does not contain. */
const aloneMax = 75;
/** The highest score that isolates nobody by itself. */
const toldMax = 55;

/** The strength with which this signal alone makes that score. */
function alone(signal: Signal, score: number): number {
  return 1 - (1 - score / 100) ** (1 / (weights[signal] * signals.length));
}
