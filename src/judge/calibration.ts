// SPDX-License-Identifier: Apache-2.0
import type { JudgeSpecification, JudgeSubject } from '../mesh/judge-settings.ts';
import type { EpistemicSettings } from '../mesh/epistemic-settings.ts';
import { errAlike, sharedErrorsOf } from '../review/shared-errors.ts';
import type { Outcome } from '../review/verdict.ts';

/** What a judge said to a case whose right answer is known. */
export type CalibrationAnswer = {
  readonly subject: JudgeSubject;
  /** Digest of the specification that it was asked under. */
  readonly spec: string;
  readonly caseId: string;
  readonly expected: 'GO' | 'NO-GO';
  readonly said: Outcome;
  readonly atMs: number;
  /** What each model said by itself, where more than one was asked; absent in answers from before. */
  readonly models?: { readonly [model: string]: Outcome };
};

/** Durable memory of answers; `save` survives `kill -9`. Old answers may be forgotten. */
export interface CalibrationStore {
  /** Newest first, under this specification alone: a new one begins anew. */
  answers(subject: JudgeSubject, spec: string, limit: number): readonly CalibrationAnswer[];
  save(answer: CalibrationAnswer): Promise<void>;
}

/** So many answers are looked back over for errors that models share: those are rare. */
const sharedWindow = 500;

/**
 * Whether the models of a judge err alike (EP-02): then the second is no second opinion, and what both
 * say is worth what one of them says.
 */
export function modelsErrAlike(
  subject: JudgeSubject,
  { digest }: JudgeSpecification,
  store: CalibrationStore,
  limits: EpistemicSettings,
): boolean {
  const cases = store.answers(subject, digest, sharedWindow)
    .flatMap(({ expected, models }) => (models === undefined ? [] : [{ expected, models }]));
  return sharedErrorsOf(cases).some((shared) => errAlike(shared, limits));
}

export type Agreement = { readonly agreed: number; readonly of: number };

/** An ESCALATE to a case with an answer is none. */
export function agreementOf(answers: readonly CalibrationAnswer[]): Agreement {
  return { agreed: answers.filter(({ said, expected }) => said === expected).length, of: answers.length };
}

/**
 * Whether a judge may be believed (facts d): the newest answers agree with the cases as often as its
 * specification asks. Before every case can have been asked once, or the window is full, it may.
 */
export function isCalibrated(
  subject: JudgeSubject,
  { digest, calibration }: JudgeSpecification,
  store: CalibrationStore,
): boolean {
  if (calibration === null) return true;
  const { window, agreementMin, cases } = calibration;
  const { agreed, of } = agreementOf(store.answers(subject, digest, window));
  return of < Math.min(window, cases.length) || agreed / of >= agreementMin;
}
