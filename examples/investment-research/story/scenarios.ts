// SPDX-License-Identifier: Apache-2.0
export type Scenario = {
  readonly ticker: string;
  readonly title: string;
  /** What the desk hears. */
  readonly status: 'PUBLISHED' | 'NOTED' | 'STOPPED';
  /** Codes of everything that was refused or escalated in the task, in the order of the alphabet. */
  readonly codes: readonly string[];
  /** Actions that were done. */
  readonly done: readonly string[];
  /** Calls of the judge that an action waited for. */
  readonly judged: number;
  /** A person releases what is held. */
  readonly released: boolean;
  /** What the judge of the whole order said once it was published; null where none was. */
  readonly whole: 'GO' | 'NO-GO' | null;
};

const quiet = { codes: [], judged: 0, released: false, whole: 'GO' } as const;
const report = ['check_figures', 'publish_report'] as const;

/** Facts (m) of the framework's worked examples, one order each. */
export const scenarios: readonly Scenario[] = [
  {
    ...quiet, ticker: 'NORD', title: 'two sources agree: the report is published, and waits for no judge',
    status: 'PUBLISHED', done: report,
  },
  {
    ...quiet, ticker: 'SOLO', title: 'one newspaper alone has the figure: it does not become an assertion',
    status: 'NOTED', done: ['check_figures', 'publish_note'], whole: null,
    codes: ['POLICY_ASSURANCE_CONFIDENCE', 'POLICY_CLAIM_AS_FACT', 'POLICY_ONE_ROOT'],
  },
  {
    ticker: 'HYPE', title: 'growth above consensus: the judges differ, and a person decides',
    status: 'PUBLISHED', done: report, judged: 3, released: true, whole: 'GO',
    codes: ['JUDGE_DOUBTS', 'SCAN_PATTERN'],
  },
  {
    ticker: 'RUMR', title: 'growth above consensus without a reason: one judge says no, and the stricter one counts',
    status: 'STOPPED', done: ['check_figures'], judged: 3, released: false, whole: null,
    codes: ['JUDGE_REFUSED', 'SCAN_PATTERN'],
  },
  {
    ...quiet, ticker: 'DEAL', title: 'the deal room lists the company: nothing is published, and nothing crosses the barrier',
    status: 'STOPPED', done: [], whole: null, codes: ['BUS_CLEARANCE_EXCEEDED', 'SIDECAR_TOOL_NOT_PERMITTED'],
  },
  {
    ...quiet, ticker: 'SKIP', title: 'published in haste: the challenger has to answer first',
    status: 'PUBLISHED', done: ['check_figures', ...report], codes: ['INTENT_CHALLENGE_MISSING'],
  },
  {
    ...quiet, ticker: 'WEAK', title: 'the challenger says that the claim falls',
    status: 'STOPPED', done: ['check_figures'], whole: null, codes: ['INTENT_CHALLENGE_FELL'],
  },
  {
    ...quiet, ticker: 'TWIN', title: 'two reports to one order: each is right, together they are one too many',
    status: 'PUBLISHED', done: [...report, 'check_figures'], codes: ['INTENT_SUM_EXCEEDED'],
  },
  {
    ...quiet, ticker: 'MIXD', title: 'figures of another company: they do not answer what was asked for',
    status: 'PUBLISHED', done: report, codes: ['POLICY_ANSWER_OTHER'],
  },
  {
    ticker: 'HAST', title: 'a note before the challenger has answered: a departure from the plan waits for a person',
    status: 'NOTED', done: ['check_figures', 'publish_note'], judged: 0, released: true, whole: null,
    codes: ['INTENT_STEP_EARLY'],
  },
  {
    ...quiet, ticker: 'SPIN', title: 'each step is right and the whole is not: the judge of the order ends it',
    status: 'PUBLISHED', done: report, whole: 'NO-GO', codes: ['JUDGE_REFUSED', 'MANDATE_TASK_ENDED'],
  },
];
