// SPDX-License-Identifier: Apache-2.0
import type { PaceStep } from '../pace/book.ts';
import { unitKey } from '../pace/unit.ts';
import { blankEntry } from '../recorder/blank-entry.ts';
import type { EntryDraft } from '../recorder/entry.ts';

type Occasion = {
  /** Of the book after the change. */
  readonly version: number;
  readonly nowMs: number;
  /** The operator's own words; empty where nobody ordered it. */
  readonly reason: string;
  /** The operator's order; null where nobody ordered it. */
  readonly signed: string | null;
};

/** One entry for every step of a change. */
export function paceEntries(steps: readonly PaceStep[], occasion: Occasion): readonly EntryDraft[] {
  return steps.map((step, index) => {
    const { version, nowMs, reason, signed } = occasion;
    const base = blankEntry({
      kind: 'pace.changed',
      id: `pace.${version}.${index}`,
      at: nowMs,
      actor: 'node',
      detail: { version, reason, signed },
    });
    return described(step, base);
  });
}

function described(step: PaceStep, base: EntryDraft): EntryDraft {
  switch (step.kind) {
    case 'phase': {
      const { unit, from: fromPhase, to: toPhase, code, by, incident, evidence } = step;
      const named = evidence === null ? {} : { evidence: { ...evidence } };
      return {
        ...base,
        code,
        actor: actorOf(by),
        causedBy: incident === '' ? [] : [incident],
        detail: { ...base.detail, unit: unitKey(unit), fromPhase, toPhase, by, incident, ...named },
      };
    }
    case 'stop': {
      const { id, kind, unit, by, stage, endsAt } = step.stop;
      const detail = {
        ...base.detail, stop: id, stopKind: kind, unit: unitKey(unit), by, stage, endsAt, change: step.change,
      };
      return { ...base, kind: 'pace.stop', actor: actorOf(by), code: null, detail };
    }
    case 'spread': {
      const { unit, from: fromPhase, to: toPhase, because } = step;
      // Nobody ordered it: what was ordered stands with its own entry.
      const { version = null } = base.detail;
      const detail = { version, unit: unitKey(unit), fromPhase, toPhase, because: because.slice(0, 64).map(unitKey) };
      return { ...base, kind: 'pace.spread', detail };
    }
    case 'proposed': {
      const { unit, to: toPhase, code } = step;
      return { ...base, kind: 'pace.proposed', code, detail: { ...base.detail, unit: unitKey(unit), toPhase } };
    }
    default:
      return step satisfies never;
  }
}

/** Operators act by name; what PACE or the observer did, the node carried out. */
function actorOf(by: string): string {
  return by.startsWith('operator:') ? by : 'node';
}

export function refusedOrderEntry(
  code: string,
  operator: string | null,
  id: string,
  nowMs: number,
): EntryDraft {
  return {
    kind: 'identity.refused',
    id,
    at: nowMs,
    actor: 'node',
    task: null,
    message: null,
    causedBy: [],
    outcome: 'NO-GO',
    code,
    verdicts: [],
    tookUs: null,
    detail: { at: 'pace', ...(operator === null ? {} : { operator }) },
  };
}
