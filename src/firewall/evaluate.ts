// SPDX-License-Identifier: Apache-2.0
import type { Channel } from '../message/channel.ts';
import type { FirewallBand } from '../mesh/firewall-settings.ts';

/** What a model said about one labelled text, and the band that applies to it. */
export type ScoredText = {
  readonly probability: number;
  readonly isAttack: boolean;
  readonly channel: Channel;
  readonly family: string;
  readonly language: string;
  readonly source: string;
  readonly band: FirewallBand;
};

/** Shares at the shipped thresholds: of the attacks those caught, of the rest those caught wrongly. */
export type Shares = {
  readonly attacks: number;
  readonly harmless: number;
  /** Share of attacks that are escalated or refused, and refused; null without attacks. */
  readonly recall: { readonly escalated: number; readonly refused: number } | null;
  /** The same of harmless texts; null without any. */
  readonly falsePositives: { readonly escalated: number; readonly refused: number } | null;
};

export type Evaluation = Shares & {
  /** Chance that an attack scores above a harmless text; null when one label is missing. */
  readonly auc: number | null;
  /** Recall where the named share of these very harmless texts scores higher. */
  readonly recallAt: { readonly '5%': number; readonly '1%': number; readonly '0.1%': number } | null;
  /** The same, each source of attacks weighing alike. */
  readonly recallOverSources: { readonly '5%': number; readonly '1%': number; readonly '0.1%': number } | null;
  readonly bySource: { readonly [name: string]: Shares & { readonly recallAt1: number | null } };
  readonly byChannel: { readonly [name: string]: Shares };
  readonly byFamily: { readonly [name: string]: Shares };
  readonly byLanguage: { readonly [name: string]: Shares };
};

const shares = { '5%': 0.05, '1%': 0.01, '0.1%': 0.001 } as const;

/** Measures a model on labelled texts. Counts and shares only: nothing of a text is in the result. */
export function evaluate(texts: readonly ScoredText[]): Evaluation {
  const attacks = texts.filter(({ isAttack }) => isAttack);
  const falling = texts.filter(({ isAttack }) => !isAttack).map(({ probability }) => probability).sort((a, b) => b - a);
  const isRankable = attacks.length > 0 && falling.length > 0;
  const lineAt = (share: number) => falling[Math.floor(falling.length * share)] ?? 1;
  const recallOf = (some: readonly ScoredText[], share: number) =>
    some.filter(({ probability }) => probability > lineAt(share)).length / some.length;
  const perShare = (recall: (share: number) => number) => ({
    '5%': round(recall(shares['5%'])),
    '1%': round(recall(shares['1%'])),
    '0.1%': round(recall(shares['0.1%'])),
  });
  const sources = [...groups(attacks, ({ source }) => source).values()];
  return {
    ...sharesOf(texts),
    auc: isRankable ? round(aucOf(attacks.map(({ probability }) => probability), falling)) : null,
    recallAt: isRankable ? perShare((share) => recallOf(attacks, share)) : null,
    recallOverSources: isRankable
      ? perShare((share) => sources.reduce((sum, some) => sum + recallOf(some, share), 0) / sources.length)
      : null,
    bySource: named(texts, ({ source }) => source, (some) => {
      const own = some.filter(({ isAttack }) => isAttack);
      const recallAt1 = own.length > 0 && falling.length > 0 ? round(recallOf(own, shares['1%'])) : null;
      return { ...sharesOf(some), recallAt1 };
    }),
    byChannel: named(texts, ({ channel }) => channel, sharesOf),
    byFamily: named(texts, ({ family }) => family, sharesOf),
    byLanguage: named(texts, ({ language }) => language, sharesOf),
  };
}

function sharesOf(texts: readonly ScoredText[]): Shares {
  const attacks = texts.filter(({ isAttack }) => isAttack);
  const harmless = texts.filter(({ isAttack }) => !isAttack);
  return {
    attacks: attacks.length,
    harmless: harmless.length,
    recall: attacks.length === 0 ? null : caught(attacks),
    falsePositives: harmless.length === 0 ? null : caught(harmless),
  };
}

function caught(texts: readonly ScoredText[]): { readonly escalated: number; readonly refused: number } {
  const share = (isCaught: (text: ScoredText) => boolean) => round(texts.filter(isCaught).length / texts.length);
  return {
    escalated: share(({ probability, band }) => probability >= band.escalateAt),
    refused: share(({ probability, band }) => probability >= band.refuseAt),
  };
}

/** Mann and Whitney's statistic; a tie counts half. */
function aucOf(attacks: readonly number[], falling: readonly number[]): number {
  const rising = falling.toReversed();
  let won = 0;
  for (const score of attacks) {
    const below = firstAtLeast(rising, score);
    const same = firstAtLeast(rising, nextAfter(score)) - below;
    won += below + same / 2;
  }
  return won / (attacks.length * rising.length);
}

function firstAtLeast(rising: readonly number[], score: number): number {
  let low = 0;
  let high = rising.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((rising[middle] ?? Infinity) < score) low = middle + 1;
    else high = middle;
  }
  return low;
}

function nextAfter(value: number): number {
  return value + Math.max(Number.EPSILON, Math.abs(value) * Number.EPSILON);
}

function groups(
  texts: readonly ScoredText[],
  keyOf: (text: ScoredText) => string,
): ReadonlyMap<string, readonly ScoredText[]> {
  const found = new Map<string, ScoredText[]>();
  for (const text of texts) {
    const group = found.get(keyOf(text));
    if (group === undefined) found.set(keyOf(text), [text]);
    else group.push(text);
  }
  return found;
}

function named<Result>(
  texts: readonly ScoredText[],
  keyOf: (text: ScoredText) => string,
  resultOf: (texts: readonly ScoredText[]) => Result,
): { readonly [name: string]: Result } {
  const sorted = [...groups(texts, keyOf)].sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(sorted.map(([name, some]) => [name, resultOf(some)]));
}

function round(share: number): number {
  return Math.round(share * 10_000) / 10_000;
}
