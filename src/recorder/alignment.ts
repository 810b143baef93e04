// SPDX-License-Identifier: Apache-2.0
import type { EntryDraft } from './entry.ts';

/** How far what an agent did was what it is declared to be for. */
export type Alignment = {
  readonly agent: string;
  /** 0 to 100; 100 where nothing spoke against anything. */
  readonly score: number;
  /** Steps that were evaluated. */
  readonly steps: number;
  readonly refused: number;
  readonly escalated: number;
};

/** Weight of the latest step: ten refusals in a row take a perfect score to about a third. */
const latestWeight = 0.1;
const worth = { GO: 1, ESCALATE: 0.5, 'NO-GO': 0 } as const;

/**
 * Intent alignment of every agent, over entries in the order of the log (OI-2.6): an exponentially
 * weighted mean of what policy, OISpec and judges said of its messages and requests. What scanners and
 * the firewall said is about what an agent read, and does not count.
 */
export class AlignmentScores {
  readonly #scores = new Map<string, Alignment>();

  /** Whose score it changed, and whether by something good; null where it is nobody's step. */
  add(entry: EntryDraft): { readonly agent: string; readonly score: number; readonly good: boolean } | null {
    const agent = agentOf(entry);
    const outcome = outcomeOf(entry);
    if (agent === null || outcome === null) return null;
    const before = this.#scores.get(agent) ?? { agent, score: 100, steps: 0, refused: 0, escalated: 0 };
    const score = before.score * (1 - latestWeight) + 100 * worth[outcome] * latestWeight;
    this.#scores.set(agent, {
      agent,
      score,
      steps: before.steps + 1,
      refused: before.refused + (outcome === 'NO-GO' ? 1 : 0),
      escalated: before.escalated + (outcome === 'ESCALATE' ? 1 : 0),
    });
    return { agent, score, good: outcome === 'GO' };
  }

  /** A score as it was before a restart. */
  restore(agent: string, score: number): void {
    this.#scores.set(agent, { agent, score, steps: 0, refused: 0, escalated: 0 });
  }

  /** The least aligned first. */
  scores(): readonly Alignment[] {
    return [...this.#scores.values()].sort((a, b) => a.score - b.score);
  }
}

/** Whose step it was: the sender's, or whoever asked for an action. */
function agentOf({ kind, actor, detail }: EntryDraft): string | null {
  const named = kind === 'request.reviewed' ? detail['requester'] : kind === 'judge.ruled' ? detail['from'] : null;
  if (typeof named === 'string') return named;
  const own = kind === 'message.outbound' || kind === 'message.refused';
  return own && actor.startsWith('agent:') ? actor.slice('agent:'.length) : null;
}

function outcomeOf({ kind, outcome, verdicts }: EntryDraft): keyof typeof worth | null {
  if (kind === 'judge.ruled') return outcome;
  const said = verdicts.filter(({ control }) => control === 'policy-compliance').map((one) => one.outcome);
  if (said.length === 0) return kind === 'message.outbound' ? 'GO' : null;
  if (said.includes('NO-GO')) return 'NO-GO';
  return said.includes('ESCALATE') ? 'ESCALATE' : 'GO';
}
