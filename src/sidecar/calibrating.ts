// SPDX-License-Identifier: Apache-2.0
import { agreementOf, isCalibrated, modelsErrAlike } from '../judge/calibration.ts';
import { answersOf, type JudgeQuestion, type Ruling } from '../judge/judge.ts';
import { defaultEpistemic } from '../mesh/epistemic-settings.ts';
import { calledEntries } from '../judge/ruling-entries.ts';
import type { JudgeSpecification, JudgeSubject } from '../mesh/judge-settings.ts';
import { mintUlid } from '../message/identifiers.ts';
import type { EntryDraft } from '../recorder/entry.ts';
import { finding } from '../review/verdict.ts';
import type { SidecarContext } from './context.ts';
import { askerOf } from './judging.ts';

type Calibration = NonNullable<JudgeSpecification['calibration']>;
type Case = Calibration['cases'][number];

/**
 * Meta-evaluation (OI-2.4): puts cases with a known answer to the judges of an executor, at moments drawn
 * by chance, through the same line and in the same words as everything else, so that no model can tell
 * them apart. There is no request behind a case: its ruling goes on record and nowhere else. A judge
 * that no longer agrees releases nothing until it does again.
 */
export class Calibrating {
  readonly #nextAt = new Map<string, number>();
  #asking = false;

  /** Asks at most one case that is due; called every second or so. */
  async look(context: SidecarContext): Promise<void> {
    const { mesh, agent, judge, judgeMemory, clock } = context;
    if (this.#asking || agent.role !== 'EXECUTOR' || !judge.configured || judgeMemory === null) return;
    for (const { subject, spec = null } of mesh.judge?.subjects ?? []) {
      const calibration = spec?.calibration ?? null;
      if (spec === null || calibration === null) continue;
      const key = `${subject} ${spec.digest}`;
      const dueAt = this.#nextAt.get(key) ?? this.#plan(key, calibration, context);
      if (clock.nowMs() < dueAt) continue;
      this.#plan(key, calibration, context);
      this.#asking = true;
      try {
        await ask(subject, spec, calibration, context);
      } finally {
        this.#asking = false;
      }
      return;
    }
  }

  /** Between nothing and twice the mean, so that nobody can wait for one. */
  #plan(key: string, { everyMs }: Calibration, { clock, random }: SidecarContext): number {
    const [a = 255, b = 255] = random.bytes(2);
    const at = clock.nowMs() + Math.ceil((everyMs * 2 * (a * 256 + b)) / 65_536);
    this.#nextAt.set(key, at);
    return at;
  }
}

async function ask(
  subject: JudgeSubject,
  spec: JudgeSpecification,
  { cases, window }: Calibration,
  context: SidecarContext,
): Promise<void> {
  const { judge, judgeMemory, clock, random } = context;
  const [first = 0, second = 0] = random.bytes(2);
  const asked = cases[(first * 256 + second) % cases.length];
  if (asked === undefined || judgeMemory === null) return;
  const { calibrations } = judgeMemory;
  const wasCalibrated = isCalibrated(subject, spec, calibrations);
  const question = questionOf(asked, subject, context);
  const ruling = await judge.rule(question);
  // A judge that is away says nothing of what it is worth; its call is on record all the same.
  const answered = ruling.calls.some(({ outcome }) => outcome !== null);
  const said = ruling.subjects.find((one) => one.subject === subject)?.outcome ?? null;
  if (!answered || said === null) {
    await context.recorder.record(calledEntries(question, ruling, askerOf(context)));
    return;
  }
  const { expected, id: caseId } = asked;
  const models = answersOf(ruling, subject);
  const wereAlike = doubtsOf(context).some(({ code, subject: of }) => code === 'JUDGE_ERRS_ALIKE' && of === subject);
  await calibrations.save({ subject, spec: spec.digest, caseId, expected, said, atMs: clock.nowMs(), models });
  const { agreed, of } = agreementOf(calibrations.answers(subject, spec.digest, window));
  const called = calledEntries(question, ruling, askerOf(context));
  const calibrated: EntryDraft = {
    kind: 'judge.calibrated',
    id: `${question.id}.calibrated`,
    at: clock.nowMs(),
    actor: `sidecar:${context.agent.name}`,
    task: null,
    message: null,
    causedBy: called.map(({ id }) => id),
    outcome: null,
    code: said === expected ? null : 'JUDGE_CASE_MISSED',
    verdicts: [],
    tookUs: ruling.verdict.tookUs,
    detail: {
      subject, case: caseId, expected, said, agreed, of,
      spec: spec.id, version: spec.version, digest: spec.digest, models,
    },
  };
  const doubts = doubtsOf(context).filter((one) => one.subject === subject);
  const news = doubts.filter(({ code }) => (code === 'JUDGE_ERRS_ALIKE' ? !wereAlike : wasCalibrated));
  await context.recorder.record([...called, calibrated, ...news.map((one) => fellEntry(calibrated, one))]);
}

/** An ordinary question of an agent that may ask this executor; nothing of the case but its text. */
function questionOf(asked: Case, only: JudgeSubject, context: SidecarContext): JudgeQuestion {
  const { mesh, agent, clock, random } = context;
  const from = mesh.edges.find(({ to, mayRequest }) => to === agent.name && mayRequest.length > 0)?.from;
  const { about, kind, risk, reversibility, content, raised_by: raisedBy, goal } = asked;
  return {
    id: mintUlid(clock, random), task: mintUlid(clock, random), from: from ?? agent.name,
    about, kind, risk, reversibility, content, raisedBy, only: [only],
    integrity: 'untrusted', classification: 'internal', goal: goal ?? agent.oispec?.goal ?? null,
  };
}

function fellEntry(calibrated: EntryDraft, { subject, code }: JudgeDoubt): EntryDraft {
  return {
    ...calibrated,
    kind: 'indicator.raised',
    id: `${calibrated.id}.${code === 'JUDGE_ERRS_ALIKE' ? 'alike' : 'fell'}`,
    causedBy: [calibrated.id],
    code,
    tookUs: null,
    detail: { indicator: 'JUDGE', subject },
  };
}

/** Why a judge is to release nothing: it is wrong too often, or its two models are wrong alike. */
export type JudgeDoubt = {
  readonly subject: JudgeSubject;
  readonly code: 'JUDGE_UNCALIBRATED' | 'JUDGE_ERRS_ALIKE';
};

/** What calibration says against the judges by now; empty where no case was ever put. */
export function doubtsOf({ mesh, judgeMemory }: SidecarContext): readonly JudgeDoubt[] {
  if (judgeMemory === null) return [];
  const { calibrations } = judgeMemory;
  const limits = mesh.epistemic ?? defaultEpistemic;
  return (mesh.judge?.subjects ?? []).flatMap(({ subject, spec = null }): readonly JudgeDoubt[] => {
    if (spec === null || spec.calibration === null) return [];
    return [
      ...(isCalibrated(subject, spec, calibrations) ? [] : [{ subject, code: 'JUDGE_UNCALIBRATED' } as const]),
      ...(modelsErrAlike(subject, spec, calibrations, limits) ? [{ subject, code: 'JUDGE_ERRS_ALIKE' } as const] : []),
    ];
  });
}

/** The ruling with what people have to know of its judges. */
export function withDoubts(ruling: Ruling, doubts: readonly JudgeDoubt[]): Ruling {
  if (doubts.length === 0) return ruling;
  const findings = doubts.map(({ subject, code }) => finding(code, `judge/${subject}`));
  return { ...ruling, verdict: { ...ruling.verdict, findings: [...ruling.verdict.findings, ...findings] } };
}
