// SPDX-License-Identifier: Apache-2.0
import { Scorer, type Score } from '../../src/anomaly/scorer.ts';
import { dayMs, live } from '../../src/anomaly/traffic-fixture.ts';
import { defaultPaceSettings } from '../../src/mesh/pace-settings.ts';
import { emptyBook, type PaceBook } from '../../src/pace/book.ts';
import { changePace } from '../../src/pace/change.ts';
import { clampOf } from '../../src/pace/clamp.ts';
import type { PaceRules } from '../../src/pace/rules.ts';
import type { AgentPlace } from '../../src/pace/unit.ts';

/**
 * Two nights of the framework's examples, on a simulated clock and with the real reducer and scorer. Fraud: at
 * 03:00 the rate of cases jumps by 40 % and stays so for four hours; the agent is isolated, its standby reads,
 * and it is back without a person. Claims: amounts rise by 15 % over 72 hours, which no single hour shows.
 */
const seed = Number(process.argv[2] ?? Math.floor(Math.random() * 1e9));
const facts = { isRevoked: () => false };
const minute = 60_000;

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

function clockText(at: number): string {
  return `day ${Math.floor(at / dayMs)} ${new Date(at).toISOString().slice(11, 16)}`;
}

function fraud(): boolean {
  const rules = rulesFor(['decide'], new Map([['decide', 'decide_b']]));
  const jumpAt = 40 * dayMs + 3 * 60 * minute;
  let book: PaceBook = emptyBook;
  const seen: string[] = [];
  let standby = '';
  const take = (event: Parameters<typeof changePace>[1]): void => {
    const change = changePace(book, event, rules, facts);
    if (!change.ok) return;
    book = change.book;
    for (const step of change.steps) {
      if (step.kind !== 'phase') continue;
      seen.push(step.to);
      console.log(`${clockText(event.at)}  ${step.unit.value}: ${step.from} -> ${step.to} (${step.code}) by ${step.by}`);
    }
    const allows = clampOf('decide_b', book, rules, facts, event.at).allows;
    if (allows !== standby) console.log(`${clockText(event.at)}  standby decide_b: ${allows}`);
    standby = allows;
  };
  // Isolated, it does nothing: the benign rush goes to its standby.
  const volume = (at: number): number => (at >= jumpAt && at < jumpAt + 15 * minute ? 1.4 : 1);
  live({ seed, days: 40.3, dailyVariation: 0.1, dayNoise: 0, perBucket: 300, volume }, new Scorer(() => 'ANALYST'),
    ({ agent, at, score, reasons }) => {
      if (score >= 40) console.log(`${clockText(at)}  score ${score}: ${reasons.map((one) => `${one.signal} ${one.z.toFixed(1)} against ${one.against}`).join('; ')}`);
      take({ kind: 'score', id: `score ${at}`, agent, score, at });
      take({ kind: 'tick', at });
    }, 'decide');
  return seen.join() === 'ALTERNATE,PRIMARY';
}

function claims(): boolean {
  const from = 40 * dayMs;
  const cost = (at: number): number => 1 + 0.15 * Math.min(1, Math.max(0, (at - from) / (3 * dayMs)));
  let first: Score | null = null;
  live({ seed, days: 50, dailyVariation: 0.1, dayNoise: 0, perBucket: 12, cost }, new Scorer(() => 'ANALYST'), (score) => {
    if (first === null && score.score >= 60) first = score;
  }, 'analysis');
  const found: Score | null = first;
  if (found === null) return false;
  const { at, score, reasons }: Score = found;
  console.log(`${clockText(at)}  analysis: score ${score}, ${((at - from) / 3_600_000).toFixed(0)} h after the drift began, at +${((cost(at) - 1) * 100).toFixed(1)} %: ${reasons[0]?.signal} against ${reasons[0]?.against}`);
  return at - from <= 4 * dayMs;
}

console.log(`seed ${seed}`);
const holds = [fraud(), claims()];
console.log(holds.every(Boolean) ? 'both stories end as they should' : `not as they should: ${holds.join()}`);
process.exitCode = holds.every(Boolean) ? 0 : 1;
