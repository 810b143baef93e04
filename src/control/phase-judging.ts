// SPDX-License-Identifier: Apache-2.0
import type { Evaluation } from '../intent/evaluate.ts';
import { judgedIn, type JudgedMark, type ProgressStore } from '../intent/progress.ts';
import type { Step } from '../intent/steps.ts';
import type { Judge, JudgeQuestion, Ruling } from '../judge/judge.ts';
import type { JudgeMemory } from '../judge/judge-memory.ts';
import { ruledEntries } from '../judge/ruling-entries.ts';
import type { Mesh } from '../mesh/mesh.ts';
import type { Phase, Workflow } from '../mesh/workflow.ts';
import type { Clock, Random } from '../message/clock.ts';
import type { EnvelopeBody } from '../message/envelope.ts';
import type { Recorder } from '../recorder/entry.ts';

type Judged = JudgedMark['outcome'];
type AskedPhase = NonNullable<JudgeQuestion['phase']>;

export type PhaseJudgingOptions = {
  readonly mesh: () => Mesh;
  /** The judges in force; asked for at each question. */
  readonly judge: () => Promise<Judge>;
  readonly memory: Pick<JudgeMemory, 'questions' | 'queue' | 'answered'>;
  readonly store: ProgressStore;
  readonly recorder: Recorder;
  readonly clock: Clock;
  readonly random: Random;
  /** Nothing more is done in a task whose phase a judge refused. */
  readonly endTask: (task: string, workflow: string) => void;
  readonly report: (failure: unknown) => void;
};

/** Questions that are put at one time; the judge's own line bounds its calls. */
const atOnceMax = 4;

/**
 * Puts ended phases of workflows before the judges (OI-2.2), beside the traffic: nothing waits for the
 * answer but what cannot be undone. A question is durable before the message that ended its phase is
 * admitted, and is asked again after a crash. A GO lifts nothing; it only spares a person the question.
 */
export class PhaseJudging {
  readonly #options: PhaseJudgingOptions;
  #working = false;
  #closed = false;

  constructor(options: PhaseJudgingOptions) {
    this.#options = options;
  }

  /** Resolves once the question is durable. One that finds no room stays unjudged, which holds. */
  async ask(evaluation: Evaluation, body: EnvelopeBody): Promise<void> {
    const { mesh, store, memory, clock } = this.#options;
    const workflow = mesh().workflows?.get(evaluation.workflow);
    const phase = workflow?.phases.find(({ id }) => id === evaluation.phase);
    if (workflow === undefined || phase === undefined) return;
    const question = phaseQuestion(evaluation, { workflow, phase }, body, store.steps(body.task));
    await memory.queue(question, clock.nowMs());
    this.resume();
  }

  /** Takes up what waits; called at the start, too. */
  resume(): void {
    if (this.#working || this.#closed) return;
    this.#working = true;
    this.#work()
      .catch((failure: unknown) => this.#options.report(failure))
      .finally(() => {
        this.#working = false;
      });
  }

  /** What is not answered by then is asked at the next start. */
  close(): void {
    this.#closed = true;
  }

  async #work(): Promise<void> {
    for (;;) {
      const questions = this.#options.memory.questions(atOnceMax);
      if (questions.length === 0) return;
      await Promise.all(questions.map((question) => this.#settle(question)));
      if (this.#closed) return;
    }
  }

  /** One that a later question replaced costs no call: the later one shows the same steps, and more. */
  #isOpen(task: string, phase: AskedPhase): boolean {
    const mark = judgedIn(this.#options.store.of(task), markOf(phase));
    return mark?.outcome === 'PENDING' && mark.question === phase.message;
  }

  async #settle(question: JudgeQuestion): Promise<void> {
    const { judge, memory, store, recorder, clock, random, endTask } = this.#options;
    const { phase, task } = question;
    if (phase !== undefined && !this.#isOpen(task, phase)) return memory.answered(question.id);
    const ruling = await (await judge()).rule(question);
    if (this.#closed) return;
    const nowMs = clock.nowMs();
    if (phase !== undefined) {
      const outcome = judgedAs(ruling);
      await store.judge(task, markOf(phase), (before) => settledBy(outcome, phase, before), nowMs);
      const nonce = Buffer.from(random.bytes(6)).toString('hex');
      await recorder.record(ruledEntries(question, ruling, 'phase', { actor: 'node', nowMs, nonce }));
      if (outcome === 'NO-GO') endTask(task, phase.workflow);
    }
    await memory.answered(question.id);
  }
}

function markOf({ workflow, id }: AskedPhase): Pick<JudgedMark, 'workflow' | 'phase'> {
  return { workflow, phase: id };
}

/**
 * What an answer makes of the mark. A GO, or none, is of the newest question only: the phase may have ended
 * anew since it was asked. A doubt or a refusal holds of whichever question, and no later one lifts it.
 */
function settledBy(outcome: Judged, phase: AskedPhase, before: JudgedMark | null): JudgedMark | null {
  if (before === null || before.outcome === 'NO-GO') return null;
  const answers = before.outcome === 'PENDING' && before.question === phase.message;
  const holds = outcome === 'NO-GO' || outcome === 'ESCALATE';
  return answers || holds ? { ...before, outcome } : null;
}

/** A doubt is one that a model put; what is late, gone or malformed is no answer at all. */
function judgedAs({ verdict, calls }: Ruling): Judged {
  if (verdict.outcome !== 'ESCALATE') return verdict.outcome;
  const doubts = calls.some(({ outcome }) => outcome === 'ESCALATE' || outcome === 'NO-GO');
  return doubts ? 'ESCALATE' : 'NONE';
}

/** Facts are of the specification and of declared names; what agents wrote is content alone. */
export function phaseQuestion(
  { findings, shown, unshown }: Evaluation,
  { workflow, phase }: { readonly workflow: Workflow; readonly phase: Phase },
  { id, task, from, label }: EnvelopeBody,
  { steps, isWhole }: ReturnType<ProgressStore['steps']>,
): JudgeQuestion {
  const state = (criterion: string): string =>
    shown.includes(criterion) ? 'shown' : unshown.includes(criterion) ? 'not shown' : 'nothing says';
  const { judgedBy = [] } = phase;
  return {
    id: `${id}.${workflow.name}.${phase.id}`,
    task,
    from,
    about: `${workflow.name}/${phase.id}`,
    kind: 'phase',
    risk: 'HIGH',
    reversibility: null,
    content: steps.flatMap(({ content }, index) => (content === null ? [] : [{ step: index + 1, content }])),
    raisedBy: [...new Set(findings.map(({ code }) => code))],
    integrity: label.integrity,
    classification: label.classification,
    goal: workflow.goal,
    only: judgedBy,
    facts: [
      ...workflow.criteria.map((one) => `criterion ${one.id} (${one.kind}, ${state(one.id)}): ${one.text}`),
      ...steps.map((step, index) => `step ${index + 1}: ${lineOf(step)}`),
    ],
    isCut: !isWhole || steps.some(({ content }) => content === null),
    phase: { workflow: workflow.name, id: phase.id, message: id },
  };
}

function lineOf({ about, from, to, isGoal = false, content }: Step): string {
  const shown = content === null ? ', not shown' : '';
  return `${about} from ${from} to ${to}${isGoal ? ', what the task is for' : ''}${shown}`;
}
