// SPDX-License-Identifier: Apache-2.0
import type { Score } from '../anomaly/combine.ts';
import { Scorer } from '../anomaly/scorer.ts';
import { dayMs, live } from '../anomaly/simulated-days.ts';
import { defaultPaceSettings } from '../mesh/pace-settings.ts';
import { emptyBook, type PaceBook } from '../pace/book.ts';
import { changePace } from '../pace/change.ts';
import { clampOf } from '../pace/clamp.ts';
import type { PaceRules } from '../pace/rules.ts';
import type { AgentPlace } from '../pace/unit.ts';

const minuteMs = 60_000;
const facts = { isRevoked: () => false };

/** One thing that happened in a story, in simulated time. */
export type StoryStep = { readonly at: string; readonly what: string };
export type Story = { readonly steps: readonly StoryStep[]; readonly endsWell: boolean };

export const stories = ['fraud', 'claims'] as const;
export type StoryName = (typeof stories)[number];

/** Two of the framework's examples, on a simulated clock and with the real reducer and scorer. */
export function tell(story: StoryName, seed: number): Story {
  return story === 'fraud' ? fraud(seed) : claims(seed);
}

/**
 * At 03:00 the rate of cases jumps by 40 %. The agent that decides is isolated, its standby reads at first,
 * and the agent is back without a person once nothing was odd for half an hour. OB-2.2, EC-3.2.
 */
function fraud(seed: number): Story {
  const rules = rulesFor(['decide'], new Map([['decide', 'decide_b']]));
  const jumpAt = 40 * dayMs + 3 * 60 * minuteMs;
  const steps: StoryStep[] = [];
  const phases: string[] = [];
  let book: PaceBook = emptyBook;
  let standby = '';
  const scorer = new Scorer(() => 'ANALYST');
  const take = (event: Parameters<typeof changePace>[1]): void => {
    const change = changePace(book, event, rules, facts);
    if (!change.ok) return;
    book = change.book;
    for (const step of change.steps) {
      if (step.kind !== 'phase') continue;
      phases.push(step.to);
      if (step.to === 'PRIMARY') scorer.stoodStill((agent) => agent === step.unit.value, event.at);
      steps.push({ at: clockText(event.at), what: `${step.unit.value}: ${step.from} -> ${step.to} (${step.code}) by ${step.by}` });
    }
    const { allows } = clampOf('decide_b', book, rules, facts, event.at);
    if (allows !== standby) steps.push({ at: clockText(event.at), what: `standby decide_b: ${allows}` });
    standby = allows;
  };
  // Isolated, it does nothing: the rush goes to its standby. Time passes all the same.
  const volume = (at: number): number => {
    take({ kind: 'tick', at });
    if (phases.at(-1) === 'ALTERNATE') return 0;
    return at >= jumpAt && at < jumpAt + 30 * minuteMs ? 1.4 : 1;
  };
  live({ seed, days: 40.3, dailyVariation: 0.1, dayNoise: 0, perBucket: 300, volume }, scorer, (score) => {
    const { agent, at } = score;
    if (score.score >= 40) steps.push({ at: clockText(at), what: scoreText(score) });
    take({ kind: 'score', id: `score ${at}`, agent, score: score.score, at });
  }, 'decide');
  return { steps, endsWell: phases.join() === 'ALTERNATE,PRIMARY' };
}

/** Amounts of claims rise by 15 % over 72 hours, which no single hour shows. */
function claims(seed: number): Story {
  const from = 40 * dayMs;
  const cost = (at: number): number => 1 + 0.15 * Math.min(1, Math.max(0, (at - from) / (3 * dayMs)));
  const steps: StoryStep[] = [];
  let foundAt: number | null = null;
  live({ seed, days: 50, dailyVariation: 0.1, dayNoise: 0, perBucket: 12, cost }, new Scorer(() => 'ANALYST'), (score) => {
    if (foundAt !== null || score.score < 60) return;
    foundAt = score.at;
    const hours = ((score.at - from) / 3_600_000).toFixed(0);
    const drifted = ((cost(score.at) - 1) * 100).toFixed(1);
    steps.push({ at: clockText(score.at), what: `${hours} h after the drift began, at +${drifted} %: ${scoreText(score)}` });
  }, 'analysis');
  const found: number | null = foundAt;
  return { steps, endsWell: found !== null && found > from && found - from <= 4 * dayMs };
}

function scoreText({ agent, score, reasons }: Score): string {
  const why = reasons.map(({ signal, z, against }) => `${signal} ${z.toFixed(1)} against ${against}`).join('; ');
  return `${agent}: score ${score}: ${why}`;
}

function clockText(at: number): string {
  return `day ${Math.floor(at / dayMs)} ${new Date(at).toISOString().slice(11, 16)}`;
}

function rulesFor(agents: readonly string[], standbys: ReadonlyMap<string, string>): PaceRules {
  const workflow = { name: 'flow', agents, standbys, supervised: null, dependsOn: [], cascade: 'automatic' as const };
  const place = (name: string, standbyFor: string | null): AgentPlace =>
    ({ name, types: ['ANALYST'], zone: 'core', workflows: ['flow'], standbyFor });
  const places = [...agents.map((name) => place(name, null)), ...[...standbys].map(([of, name]) => place(name, of))];
  return {
    autonomyTier: 3,
    settings: { ...defaultPaceSettings, workflows: new Map([['flow', workflow]]) },
    places: new Map(places.map((one) => [one.name, one])),
    reach: new Map(),
  };
}
