// SPDX-License-Identifier: Apache-2.0
import type { Mesh } from '../mesh/mesh.ts';
import type { EvaluationFrequency } from '../mesh/oispec.ts';
import type { Milestone, Phase, Workflow } from '../mesh/workflow.ts';
import type { Outcome } from '../review/verdict.ts';
import type { IntentCode } from './codes.ts';
import { missingBefore } from './plan.ts';
import { isReached, isStepOf, type Mark, type PlacedMark } from './progress.ts';

/** What a workflow is, held against what happened in one task, at one moment of it. */
export type Evaluation = {
  readonly workflow: string;
  readonly version: string;
  /** The phase that ended; between phases `running`. */
  readonly phase: string;
  readonly isEnd: boolean;
  readonly outcome: Outcome;
  readonly findings: readonly { readonly code: IntentCode; readonly criterion: string }[];
  /** Success criteria that something shows, of those that something could. */
  readonly shown: readonly string[];
  readonly unshown: readonly string[];
};

/** The name of a moment that ends no phase. */
export const running = 'running';

/**
 * Strategic evaluation (OI-2.2, OI-2.3) of all workflows after the newest mark of a task, without a
 * model: failure criteria and conflicts at each action of an agent that is evaluated so often,
 * success criteria at the ends of phases, everything at the end. A workflow that the mark says
 * nothing about is not evaluated, and of one that goes on only what speaks against it is told.
 */
export function evaluationsAfter(
  newest: Mark,
  marks: readonly PlacedMark[],
  mesh: Mesh,
): readonly Evaluation[] {
  return [...(mesh.workflows?.values() ?? [])].flatMap((workflow) => {
    if (!isStepOf(workflow, newest)) return [];
    const ended = workflow.phases.find((phase) => isReached(phase.endsWith, newest)) ?? null;
    const isEnd = ended !== null && ended === workflow.phases.at(-1);
    const frequency = frequencyOf(newest, ended, workflow, mesh);
    // What comes too early is told at once: at the end of the phase nobody could tell any more.
    const early = newest.kind === 'message' ? missingBefore(newest, workflow, marks) : [];
    const isDue = ended === null ? frequency === 'every_action' : isEnd || frequency !== 'post_execution';
    if (!isDue && early.length === 0) return [];
    const evaluated = evaluate(workflow, ended, isEnd, marks, early);
    const isNews = ended !== null || (evaluated.outcome !== 'GO' && !wasSaid(evaluated, marks));
    return isNews ? [evaluated] : [];
  });
}

/** Of an action or a message in between that of its agent; at the end of a phase the most frequent one. */
function frequencyOf(
  newest: Mark,
  ended: Phase | null,
  { agents }: Workflow,
  mesh: Mesh,
): EvaluationFrequency {
  const of = (name: string): EvaluationFrequency =>
    mesh.agents.get(name)?.oispec?.evaluation ?? 'every_action';
  const who = ended !== null ? agents : newest.kind === 'action' ? [newest.by]
    : newest.kind === 'message' ? [newest.from] : [];
  const all = who.map(of);
  return all.includes('every_action') ? 'every_action'
    : all.includes('per_phase') ? 'per_phase' : 'post_execution';
}

function evaluate(
  workflow: Workflow,
  ended: Phase | null,
  isEnd: boolean,
  marks: readonly PlacedMark[],
  early: readonly string[],
): Evaluation {
  const own = marks.map(({ mark }) => mark).filter((mark) => isStepOf(workflow, mark));
  const happened = (milestone: Milestone): boolean => own.some((mark) => isReached(milestone, mark));
  const visible = workflow.criteria.filter(({ shownBy }) => shownBy.length > 0);
  const successes = visible.filter(({ kind }) => kind === 'success');
  const shown = successes.filter(({ shownBy }) => shownBy.some(happened)).map(({ id }) => id);
  const broken = visible
    .filter(({ kind, shownBy }) => kind === 'failure' && shownBy.some(happened));
  const owed = isEnd ? successes.map(({ id }) => id) : ended?.criteria ?? [];
  const unshown = owed.filter((id) => !shown.includes(id));
  const conflicts = workflow.conflicts.filter(({ between }) => between.every(happened));
  const findings: Evaluation['findings'] = [
    ...broken.map(({ id }) => ({ code: 'INTENT_CRITERION_BROKEN', criterion: id } as const)),
    ...conflicts.map(({ id }) => ({ code: 'INTENT_CONFLICT', criterion: id } as const)),
    ...early.map((id) => ({ code: 'INTENT_STEP_EARLY', criterion: id } as const)),
    ...unshown.map((id) => ({ code: 'INTENT_CRITERION_UNSHOWN', criterion: id } as const)),
  ];
  const outcome = broken.length > 0 ? 'NO-GO' : findings.length > 0 ? 'ESCALATE' : 'GO';
  return {
    workflow: workflow.name, version: workflow.version, phase: ended?.id ?? running, isEnd,
    outcome, findings, shown, unshown,
  };
}

/** Between phases each thing is said once: what was said already is in force already. */
function wasSaid({ workflow, outcome }: Evaluation, marks: readonly PlacedMark[]): boolean {
  return marks.some(({ mark }) => mark.kind === 'evaluated' && mark.workflow === workflow &&
    mark.phase === running && mark.outcome === outcome);
}
