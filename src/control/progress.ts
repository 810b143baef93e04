// SPDX-License-Identifier: Apache-2.0
import { evaluationsAfter, type Evaluation } from '../intent/evaluate.ts';
import type { JudgedMark, ProgressStore } from '../intent/progress.ts';
import { stepOf } from '../intent/steps.ts';
import { marksOf } from '../intent/watched.ts';
import type { Mesh } from '../mesh/mesh.ts';
import type { Clock } from '../message/clock.ts';
import type { EnvelopeBody } from '../message/envelope.ts';
import type { EntryDraft, Recorder } from '../recorder/entry.ts';

export type ProgressContext = {
  readonly mesh: Mesh;
  readonly store: ProgressStore;
  readonly recorder: Recorder;
  readonly clock: Clock;
  /** Ends a task whose workflow was broken: nothing more is done in it. */
  readonly endTask: (task: string, workflow: string) => void;
  /** Puts an ended phase before its judges; durable when it resolves. */
  readonly askJudges: (evaluation: Evaluation, body: EnvelopeBody) => Promise<void>;
};

/** Questions that are put of one phase of one task; beyond, the phase is in doubt, which people settle. */
export const phaseQuestionsMax = 8;

/**
 * What an admitted message makes of its task, durable before anybody is handed it, and what the
 * workflows say of the task by then. Resolves once what they say is on record and holds; rejects when
 * it cannot be made durable, and then the message is not admitted. Most messages are no milestone, and
 * cost one look into a set.
 */
export async function noteProgress(body: EnvelopeBody, context: ProgressContext): Promise<void> {
  const { mesh, store, clock } = context;
  const step = stepOf(body, mesh);
  const marks = marksOf(body, mesh);
  if (step !== null) await store.note(body.task, body.id, step, clock.nowMs());
  if (marks.length === 0) return;
  await store.add(body.task, marks, clock.nowMs());
  if (marks.some(({ kind }) => kind === 'unclear')) await context.recorder.record([unclearEntry(body, clock.nowMs())]);
  for (const mark of marks) {
    for (const evaluation of evaluationsAfter(mark, store.of(body.task), mesh)) {
      await settle(evaluation, body, context);
    }
  }
}

async function settle(
  evaluation: Evaluation,
  body: EnvelopeBody,
  { mesh, store, recorder, clock, endTask, askJudges }: ProgressContext,
): Promise<void> {
  const { workflow, phase, outcome } = evaluation;
  const declared = mesh.workflows?.get(workflow)?.phases.find(({ id }) => id === phase);
  const isJudged = outcome !== 'NO-GO' && (declared?.judgedBy ?? []).length > 0;
  const judged = isJudged
    ? await store.judge(body.task, evaluation, (before) => questionOf(evaluation, body, before), clock.nowMs())
    : null;
  await store.add(body.task, [{ kind: 'evaluated', workflow, phase, outcome }], clock.nowMs());
  await recorder.record([evaluatedEntry(evaluation, body, judged, clock.nowMs())]);
  if (judged?.outcome === 'PENDING' && judged.question === body.id) await askJudges(evaluation, body);
  if (outcome === 'NO-GO') endTask(body.task, workflow);
}

/**
 * What a phase that ended once more makes of what its judges said. The newest question is the one whose
 * GO counts. A doubt or a refusal stays: whoever ends a phase again would else ask until somebody says
 * GO, and spend the judges' budget of the whole mesh on it.
 */
function questionOf({ workflow, phase }: Evaluation, { id }: EnvelopeBody, before: JudgedMark | null): JudgedMark | null {
  if (before?.outcome === 'ESCALATE' || before?.outcome === 'NO-GO') return null;
  if (before?.outcome === 'PENDING' && before.question === id) return null;
  const asked = before?.asked ?? 0;
  if (asked >= phaseQuestionsMax) return { kind: 'judged', workflow, phase, outcome: 'ESCALATE', question: id, asked };
  return { kind: 'judged', workflow, phase, outcome: 'PENDING', question: id, asked: asked + 1 };
}

/** Somebody was instructed without what the instruction is unclear without: a sign, whatever follows. */
function unclearEntry({ id, task, from, to, schema }: EnvelopeBody, at: number): EntryDraft {
  return {
    kind: 'indicator.raised',
    id: `${id}.unclear`,
    at,
    actor: 'node',
    task,
    message: id,
    causedBy: [id],
    outcome: null,
    code: 'INTENT_UNCLEAR',
    verdicts: [],
    tookUs: null,
    detail: { indicator: 'INTENT', instructed: to, from, schema },
  };
}

function evaluatedEntry(
  evaluation: Evaluation,
  { id, task }: EnvelopeBody,
  judged: JudgedMark | null,
  at: number,
): EntryDraft {
  const { workflow, version, phase, isEnd, outcome, findings, shown, unshown } = evaluation;
  return {
    kind: 'workflow.evaluated',
    id: `${id}.evaluated.${workflow}`,
    at,
    actor: 'node',
    task,
    message: id,
    causedBy: [id],
    outcome,
    code: findings[0]?.code ?? null,
    verdicts: [],
    tookUs: null,
    detail: {
      workflow, version, phase, end: isEnd, shown: [...shown], unshown: [...unshown],
      findings: findings.map(({ code, criterion }) => `${code} ${criterion}`),
      ...(judged === null ? {} : { judged: judged.outcome }),
    },
  };
}
