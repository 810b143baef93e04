// SPDX-License-Identifier: Apache-2.0
import { sharedErrorsOf, type AnsweredCase, type SharedErrors } from '../review/shared-errors.ts';
import type { RecordedEntry } from './entry.ts';

/** How one judge answered cases with a known answer, under one version of its specification. */
export type JudgeQuality = {
  readonly subject: string;
  readonly spec: string;
  readonly version: string;
  readonly digest: string;
  readonly firstAt: number;
  readonly lastAt: number;
  readonly cases: number;
  readonly agreed: number;
  /** Over the newest cases, and over as many before them; null where there are none. */
  readonly recent: number | null;
  readonly earlier: number | null;
  /** Fell by more than 5 points (facts d). */
  readonly drifts: boolean;
};

export type JudgeQualities = {
  readonly judges: readonly JudgeQuality[];
  /** Rulings of more than one subject, and those in which they differed. */
  readonly rulings: number;
  readonly conflicts: number;
  /** More than 15 % of rulings: the criteria are misaligned (facts d). */
  readonly misaligned: boolean;
  /** How often two models of a subject were wrong together, of the newest cases (EP-02). */
  readonly shared: readonly (SharedErrors & { readonly subject: string })[];
};

const sharedWindow = 500;
const windowSize = 20;
const driftMax = 0.05;
const conflictsMax = 0.15;

type Seen = Omit<JudgeQuality, 'recent' | 'earlier' | 'drifts'> & { readonly newest: readonly boolean[] };

/** Meta-evaluation of judges over entries in the order of the log (OI-2.4, PA-2.2). */
export class JudgeQualityLog {
  readonly #judges = new Map<string, Seen>();
  readonly #answered = new Map<string, readonly AnsweredCase[]>();
  #rulings = 0;
  #conflicts = 0;

  add({ kind, at, detail, code }: RecordedEntry): void {
    if (kind === 'judge.ruled') this.#ruled(detail);
    if (kind !== 'judge.calibrated') return;
    const [subject, spec, version, digest] = ['subject', 'spec', 'version', 'digest'].map((key) => String(detail[key]));
    if (subject === undefined || spec === undefined || version === undefined || digest === undefined) return;
    const key = `${subject} ${digest}`;
    this.#answers(subject, detail);
    const before = this.#judges.get(key);
    const agreed = code === null;
    this.#judges.set(key, {
      subject, spec, version, digest,
      firstAt: before?.firstAt ?? at,
      lastAt: at,
      cases: (before?.cases ?? 0) + 1,
      agreed: (before?.agreed ?? 0) + (agreed ? 1 : 0),
      newest: [...(before?.newest ?? []), agreed].slice(-2 * windowSize),
    });
  }

  qualities(): JudgeQualities {
    return {
      judges: [...this.#judges.values()].map(qualityOf),
      rulings: this.#rulings,
      conflicts: this.#conflicts,
      misaligned: this.#rulings > 0 && this.#conflicts / this.#rulings > conflictsMax,
      shared: [...this.#answered].flatMap(([subject, cases]) =>
        sharedErrorsOf(cases).map((pair) => ({ subject, ...pair }))),
    };
  }

  #answers(subject: string, { expected, models }: RecordedEntry['detail']): void {
    if (expected !== 'GO' && expected !== 'NO-GO') return;
    const said = typeof models === 'object' && models !== null && !Array.isArray(models) ? Object.entries(models) : [];
    const answers = said.flatMap(([model, outcome]) =>
      (outcome === 'GO' || outcome === 'NO-GO' || outcome === 'ESCALATE' ? [[model, outcome] as const] : []));
    if (answers.length < 2) return;
    const one: AnsweredCase = { expected, models: Object.fromEntries(answers) };
    this.#answered.set(subject, [...(this.#answered.get(subject) ?? []), one].slice(-sharedWindow));
  }

  #ruled({ subjects, conflict }: RecordedEntry['detail']): void {
    const asked = typeof subjects === 'object' && subjects !== null ? Object.keys(subjects).length : 0;
    if (asked < 2) return;
    this.#rulings += 1;
    if (conflict === true) this.#conflicts += 1;
  }
}

function qualityOf({ newest, ...seen }: Seen): JudgeQuality {
  const recent = share(newest.slice(-windowSize));
  const earlier = share(newest.slice(0, -windowSize));
  return { ...seen, recent, earlier, drifts: recent !== null && earlier !== null && earlier - recent > driftMax };
}

function share(answers: readonly boolean[]): number | null {
  return answers.length === 0 ? null : answers.filter((agreed) => agreed).length / answers.length;
}
