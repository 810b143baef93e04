// SPDX-License-Identifier: Apache-2.0
import type { CodeTable } from '../review/code.ts';

export const judgeCodes = {
  JUDGE_DESELECTED: {
    means: 'The judge is deselected in the mesh file, so a person decides.',
    mend: 'Decide with maso approvals; take EC-2.5 out of controls.deselected to ask a judge again.',
    agentSees: 'HELD',
  },
  JUDGE_NOT_CONFIGURED: {
    means: 'No judge is configured, so what the other controls cannot settle goes to a person.',
    mend: 'Decide with maso approvals; nobody else will.',
    agentSees: 'HELD',
  },
  JUDGE_ADVISES_GO: {
    means: 'Every judge that was asked said GO. It is advice to whoever decides.',
    mend: 'Nothing to mend; a person still decides where the mesh file or policy wants one.',
    agentSees: 'HELD',
  },
  JUDGE_REFUSED: {
    means: 'A judge said NO-GO; the rule names its subject and the criterion.',
    mend: 'Look at the request; correct the criterion in the mesh file if it is wrong.',
    agentSees: 'REFUSED',
  },
  JUDGE_DOUBTS: {
    means: 'A judge could not settle it and asks for a person.',
    mend: 'Decide with maso approvals.',
    agentSees: 'HELD',
  },
  JUDGE_UNAVAILABLE: {
    means: 'A judge could not be reached, or its provider answered with an error.',
    mend: 'Look at the endpoint of the model and at its credential; name a backup.',
    agentSees: 'HELD',
  },
  JUDGE_LATE: {
    means: 'A judge did not answer within its deadline.',
    mend: 'Decide with maso approvals; raise call_timeout_ms, or name a faster model.',
    agentSees: 'HELD',
  },
  JUDGE_MALFORMED: {
    means: 'What a judge answered is not exactly the form that it was asked for.',
    mend: 'Use a model that keeps to a JSON schema, or set structured for its endpoint.',
    agentSees: 'HELD',
  },
  JUDGE_OVERLOADED: {
    means: 'More questions wait for the judge than judge.queue_max lets wait.',
    mend: 'Decide with maso approvals; look for what escalates so much.',
    agentSees: 'HELD',
  },
  JUDGE_BUDGET_SPENT: {
    means: 'The budget of the judge, of the hour or of the task, is spent.',
    mend: 'Decide with maso approvals; raise judge.budget if the load is legitimate.',
    agentSees: 'HELD',
  },
  JUDGE_BREAKER_OPEN: {
    means: 'A judge failed several times in a row and is left alone for a while.',
    mend: 'Wait for judge.breaker.open_ms, and mend what makes it fail.',
    agentSees: 'HELD',
  },
  JUDGE_TEXT_CUT: {
    means: 'The text is longer than a judge is shown, so its GO is not believed.',
    mend: 'Decide with maso approvals; raise judge.text_max if such texts are usual.',
    agentSees: 'HELD',
  },
  JUDGE_DISAGREEMENT: {
    means: 'Two model families answered differently on the same question.',
    mend: 'Decide with maso approvals, and add the case to the labelled set of the judge.',
    agentSees: 'HELD',
  },
  JUDGE_CONFLICT: {
    means: 'Judges of different subjects said different things; the most restrictive counts.',
    mend: 'Nothing has to be done once; if it is frequent, the criteria are misaligned.',
    agentSees: 'HELD',
  },
  JUDGE_REFUSED_LATE: {
    means: 'A judge said NO-GO to a message or an action that had gone on already.',
    mend: 'See what followed with maso recorder reach, and undo what can be undone.',
    agentSees: 'REFUSED',
  },
  JUDGE_CASE_MISSED: {
    means: 'A judge answered a case of its calibration other than the case says.',
    mend: 'Nothing has to be done once; maso judge status shows how often, and since when.',
    agentSees: 'HELD',
  },
  JUDGE_UNCALIBRATED: {
    means: 'A judge no longer agrees with its cases as often as its specification asks; it releases nothing.',
    mend: 'Look at maso judge status; change the model or the criteria, and evaluate with maso judge eval.',
    agentSees: 'HELD',
  },
  JUDGE_ERRS_ALIKE: {
    means: 'The two models of a judge get the same cases wrong; they are one opinion, and release nothing (EP-02).',
    mend: 'Look at maso judge status; name a second model of a family that errs otherwise.',
    agentSees: 'HELD',
  },
  JUDGE_CREDENTIAL_MISSING: {
    means: 'The credential of a judge model is not there.',
    mend: 'Write it into credential_file, or set the variable that credential_env names.',
    agentSees: 'UNAVAILABLE',
  },
  JUDGE_LIBRARY_MISSING: {
    means: 'A judge is configured and the libraries of its provider are not installed.',
    mend: 'Install ai, @ai-sdk/openai-compatible and @ai-sdk/anthropic beside maso.',
    agentSees: 'UNAVAILABLE',
  },
} as const satisfies CodeTable;

export type JudgeCode = keyof typeof judgeCodes;
