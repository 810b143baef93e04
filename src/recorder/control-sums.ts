// SPDX-License-Identifier: Apache-2.0
import type { RecordedEntry } from './entry.ts';

/** What one control did. Times are microseconds, money is millionths of the mesh's unit. */
export type ControlCost = {
  readonly control: string;
  readonly runs: number;
  readonly go: number;
  readonly noGo: number;
  readonly escalate: number;
  readonly tookUs: number;
  readonly tokens: number;
  readonly micros: number;
};

/** A request's review repeats what was said when the message was received. */
const repeated: ReadonlySet<string> = new Set(['scanner', 'semantic-firewall', 'model-as-judge', 'bus']);

/** What the controls did, summed over entries; each run counts once, a call of a judge as it was billed. */
export class ControlSums {
  readonly #costs = new Map<string, ControlCost>();

  add(entry: RecordedEntry): void {
    if (entry.kind === 'judge.called') {
      this.#add('model-as-judge', entry.outcome, {
        tookUs: entry.tookUs ?? 0, tokens: tokensOf(entry), micros: microsOf(entry),
      });
      return;
    }
    for (const { control, outcome, tookUs } of entry.verdicts) {
      if (control === 'model-as-judge') continue;
      if (entry.kind === 'request.reviewed' && repeated.has(control)) continue;
      this.#add(control, outcome, { tookUs });
    }
  }

  /** The dearest in time first. */
  rows(): readonly ControlCost[] {
    return [...this.#costs.values()].sort((a, b) => b.tookUs - a.tookUs);
  }

  #add(control: string, outcome: string | null, more: Partial<ControlCost>): void {
    const sum = this.#costs.get(control) ??
      { control, runs: 0, go: 0, noGo: 0, escalate: 0, tookUs: 0, tokens: 0, micros: 0 };
    this.#costs.set(control, {
      control,
      runs: sum.runs + 1,
      go: sum.go + (outcome === 'GO' ? 1 : 0),
      noGo: sum.noGo + (outcome === 'NO-GO' ? 1 : 0),
      escalate: sum.escalate + (outcome === 'ESCALATE' ? 1 : 0),
      tookUs: sum.tookUs + (more.tookUs ?? 0),
      tokens: sum.tokens + (more.tokens ?? 0),
      micros: sum.micros + (more.micros ?? 0),
    });
  }
}

export function tokensOf({ detail }: RecordedEntry): number {
  return numberOf(detail['inputTokens']) + numberOf(detail['outputTokens']);
}

export function microsOf({ detail }: RecordedEntry): number {
  return numberOf(detail['micros']);
}

function numberOf(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : 0;
}
