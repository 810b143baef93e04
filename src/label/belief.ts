// SPDX-License-Identifier: Apache-2.0
import type { Epistemic, Label } from '../message/envelope.ts';

/**
 * What one process was told in one task, as far as it was said how sure that is. It grows with each
 * message that says so, and is what its own messages are held against (EP-01 to EP-09).
 */
export type Belief = {
  readonly task: string;
  /** Messages that said how sure they are. */
  readonly told: number;
  /** The least confidence among them; null where none gave any. */
  readonly confidence: number | null;
  readonly unknowns: readonly string[];
  /** Assumptions that hold beyond whoever made them; constraints among them. */
  readonly assumptions: readonly string[];
  /** Assumptions that their makers called `local:`. */
  readonly local: readonly string[];
  /** Sources outside the fleet that all of it goes back to; what the order itself says is none. */
  readonly roots: readonly string[];
  /** Messages that went back to a source which none before them went back to. */
  readonly independent: number;
  /** Families of the models of all who told it; null among them: nobody said. Absent is as null. */
  readonly families?: readonly (string | null)[];
  /** What the process has read by itself since it was told last. */
  readonly evidence: number;
};

/** Something that was handed over: what a message said of itself, or null for a read of one's own. */
export type Told = {
  readonly task: string;
  readonly label: Label;
  readonly epistemic: Epistemic | null;
  readonly isMessage: boolean;
  /** Of the model of whoever sent it; absent or null where nobody said. */
  readonly family?: string | null;
};

const tasksMax = 64;
const itemsMax = 128;
const localMark = 'local:';

/**
 * The beliefs after one more input; the same list where it changes nothing. The task that was told of
 * least recently is forgotten first. More than can be listed is one belief that nothing satisfies:
 * its confidence is 0.
 */
export function beliefsAfter(beliefs: readonly Belief[], told: Told): readonly Belief[] {
  const known = beliefs.find(({ task }) => task === told.task);
  const { epistemic } = told;
  if (epistemic === null) {
    if (known === undefined || told.isMessage) return beliefs;
    return [...beliefs.filter((one) => one !== known), { ...known, evidence: known.evidence + 1 }];
  }
  const before = known ?? {
    task: told.task, told: 0, confidence: null, unknowns: [], assumptions: [], local: [], roots: [],
    independent: 0, evidence: 0,
  };
  const roots = told.label.origins.filter((one) => !one.startsWith('agent:') && one !== 'prompt');
  const isIndependent = roots.some((one) => !before.roots.includes(one));
  const isLocal = (text: string): boolean => text.startsWith(localMark);
  const next: Belief = {
    task: told.task,
    told: before.told + 1,
    confidence: least(before.confidence, epistemic.confidence),
    unknowns: joined(before.unknowns, epistemic.unknowns),
    assumptions: joined(before.assumptions, epistemic.assumptions.filter((one) => !isLocal(one))),
    local: joined(before.local, epistemic.assumptions.filter(isLocal)),
    roots: joined(before.roots, roots),
    independent: before.independent + (isIndependent ? 1 : 0),
    families: [...new Set([...(before.families ?? (before.told > 0 ? [null] : [])), told.family ?? null])],
    evidence: 0,
  };
  const isFull = [next.unknowns, next.assumptions, next.local].some(({ length }) => length > itemsMax);
  const kept = isFull ? { ...next, confidence: 0, unknowns: before.unknowns, assumptions: before.assumptions, local: before.local } : next;
  return [...beliefs.filter((one) => one !== known), kept].slice(-tasksMax);
}

function least(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b;
  return Math.min(a, b);
}

function joined(a: readonly string[], b: readonly string[]): readonly string[] {
  return b.length === 0 ? a : [...new Set([...a, ...b])];
}
