// SPDX-License-Identifier: Apache-2.0
import type { JudgeSettings, JudgeSubject, JudgeSubjectSettings } from '../mesh/judge-settings.ts';
import type { Clock, Random } from '../message/clock.ts';
import { finding, type Finding, type Outcome } from '../review/verdict.ts';
import { askModel, type AskContext, type Asked, type GuardedModel } from './ask-model.ts';
import { JudgeBreaker } from './breaker.ts';
import type { JudgeCode } from './codes.ts';
import type { Judge, JudgeCall, JudgeQuestion, Ruling } from './judge.ts';
import { JudgeError } from './judge-error.ts';
import type { JudgeModel, JudgeTiming } from './judge-model.ts';
import { Slots } from './slots.ts';
import type { Spend } from './spend.ts';

export type PanelOptions = {
  readonly settings: JudgeSettings;
  /** One for each model of the settings. */
  readonly models: ReadonlyMap<string, JudgeModel>;
  readonly spend: Spend;
  readonly timing: JudgeTiming;
  readonly clock: Clock;
  readonly random: Random;
};

/** What one subject said, with why; `findings` is empty only with a GO that nothing speaks against. */
type SubjectRuling = {
  readonly subject: JudgeSubject;
  readonly outcome: Outcome;
  readonly findings: readonly Finding[];
  readonly calls: readonly JudgeCall[];
};

const severity: { readonly [outcome in Outcome]: number } = { GO: 0, ESCALATE: 1, 'NO-GO': 2 };

/**
 * The judges of a mesh file: each subject asked by itself, without sight of what the others say; a
 * backup where its model gives no answer; a second family whose disagreement counts. All within one
 * deadline and a bounded number of questions at a time. The most restrictive answer wins (facts d).
 */
export function createPanel(options: PanelOptions): Judge {
  const { settings } = options;
  const slots = new Slots(settings.concurrency, settings.queueMax);
  const guarded = new Map<string, GuardedModel>();
  for (const [name, model] of settings.models) {
    const client = options.models.get(name);
    if (client === undefined) throw new JudgeError('JUDGE_UNAVAILABLE', 'A judge has no client.');
    guarded.set(name, { settings: model, model: client, breaker: new JudgeBreaker(settings.breaker) });
  }
  return {
    configured: settings.subjects.length > 0,
    rule: (question) => ruleInTurn(question, { ...options, slots, guarded }),
  };
}

type Panel = PanelOptions & {
  readonly slots: Slots;
  readonly guarded: ReadonlyMap<string, GuardedModel>;
};

async function ruleInTurn(question: JudgeQuestion, panel: Panel): Promise<Ruling> {
  const { settings, timing, slots } = panel;
  const startedUs = timing.nowUs();
  const leftMs = (): number => settings.holdTimeoutMs - (timing.nowUs() - startedUs) / 1000;
  const tookUs = (): number => Math.max(0, Math.round(timing.nowUs() - startedUs));
  const turn = await timing.within((signal) => slots.enter(signal), settings.holdTimeoutMs);
  if (turn.late) return unanswered('JUDGE_LATE', tookUs(), panel);
  if (!turn.value) return unanswered('JUDGE_OVERLOADED', tookUs(), panel);
  try {
    const subjects = settings.subjects
      .filter(({ subject }) => question.only === undefined || question.only.includes(subject))
      .sort(byPrecedence(settings.precedence));
    const said = await Promise.all(subjects.map((one) => askSubject(one, question, leftMs, panel)));
    return rulingOf(said, tookUs(), panel);
  } catch {
    // A broken client of ours is no answer.
    return unanswered('JUDGE_UNAVAILABLE', tookUs(), panel);
  } finally {
    slots.leave();
  }
}

function byPrecedence(order: readonly JudgeSubject[]) {
  const rank = (subject: JudgeSubject): number => {
    const at = order.indexOf(subject);
    return at < 0 ? order.length : at;
  };
  return (a: JudgeSubjectSettings, b: JudgeSubjectSettings) => rank(a.subject) - rank(b.subject);
}

async function askSubject(
  asked: JudgeSubjectSettings,
  question: JudgeQuestion,
  leftMs: () => number,
  panel: Panel,
): Promise<SubjectRuling> {
  const { settings, spend, timing, clock, random } = panel;
  const ask = (name: string, part: AskContext['part']): Promise<Asked> => {
    const model = panel.guarded.get(name);
    if (model === undefined) throw new JudgeError('JUDGE_UNAVAILABLE', 'A judge has no client.');
    return askModel(model, {
      question, subject: asked.subject, criteria: asked.criteria, declared: asked.spec?.goal ?? null, textMax: settings.textMax,
      timeoutMs: Math.min(settings.callTimeoutMs, leftMs()), part, spend, timing, clock, random,
    });
  };
  const withBackup = async (): Promise<readonly Asked[]> => {
    const first = await ask(asked.model, 'first');
    if (first.call.outcome !== null || asked.backup === null) return [first];
    return [first, await ask(asked.backup, 'backup')];
  };
  const [chain, second] = await Promise.all([
    withBackup(),
    asked.second === null ? null : ask(asked.second, 'second'),
  ]);
  return subjectRuling(asked.subject, chain, second);
}

/** The last of a chain speaks for it; a second family that does not answer leaves doubt. */
function subjectRuling(
  subject: JudgeSubject,
  chain: readonly Asked[],
  second: Asked | null,
): SubjectRuling {
  const calls = [...chain, ...(second === null ? [] : [second])].map(({ call }) => call);
  const main = chain.at(-1) ?? null;
  const answers = [main, second].filter((one) => one !== null);
  const findings = answers.flatMap((one) => findingsOf(subject, one));
  const outcomes = answers.map(({ call }) => call.outcome ?? 'ESCALATE');
  const outcome = worst(main === null ? ['ESCALATE'] : outcomes);
  const said = answers.flatMap(({ call }) => call.outcome ?? []);
  const disagree = second !== null && new Set(said).size > 1;
  const disagreement = finding('JUDGE_DISAGREEMENT', `judge/${subject}`);
  if (outcome === 'GO' && answers.some(({ isCut }) => isCut)) {
    return { subject, outcome: 'ESCALATE', findings: [finding('JUDGE_TEXT_CUT', `judge/${subject}`)], calls };
  }
  return { subject, outcome, findings: disagree ? [...findings, disagreement] : findings, calls };
}

function findingsOf(subject: JudgeSubject, { call, criterion }: Asked): readonly Finding[] {
  const rule = criterion === null ? `judge/${subject}` : `judge/${subject}/${criterion}`;
  switch (call.outcome) {
    case 'GO':
      return [];
    case 'NO-GO':
      return [finding('JUDGE_REFUSED', rule)];
    case 'ESCALATE':
      return [finding('JUDGE_DOUBTS', rule)];
    case null:
      return [finding(call.code ?? 'JUDGE_UNAVAILABLE', rule)];
    default:
      return call.outcome satisfies never;
  }
}

/** Whose findings lead: the most restrictive, then the declared precedence; nothing un-blocks. */
function rulingOf(said: readonly SubjectRuling[], tookUs: number, panel: Panel): Ruling {
  const outcome = worst(said.length === 0 ? ['ESCALATE'] : said.map((one) => one.outcome));
  const leading = [...said].sort((a, b) => severity[b.outcome] - severity[a.outcome]);
  const findings = leading.flatMap((one) => one.findings);
  const conflict = new Set(said.map((one) => one.outcome)).size > 1;
  if (outcome === 'GO') findings.push(finding('JUDGE_ADVISES_GO', 'judge/panel'));
  if (conflict) findings.push(finding('JUDGE_CONFLICT', 'judge/panel'));
  return {
    verdict: { outcome, control: 'model-as-judge', version: versionOf(panel), tookUs, findings },
    subjects: said.map((one) => ({ subject: one.subject, outcome: one.outcome })),
    calls: said.flatMap((one) => one.calls),
  };
}

function unanswered(code: JudgeCode, tookUs: number, panel: Panel): Ruling {
  return {
    verdict: {
      outcome: 'ESCALATE',
      control: 'model-as-judge',
      version: versionOf(panel),
      tookUs,
      findings: [finding(code, 'judge/panel')],
    },
    subjects: [],
    calls: [],
  };
}

/** The models that may speak, as the mesh file names them. */
function versionOf({ settings }: Panel): string {
  const named = settings.subjects.map(({ subject, model, spec }) => {
    const { family = '', model: name = '' } = settings.models.get(model) ?? {};
    return `${subject}=${family}/${name}${spec ? `@${spec.version}` : ''}`;
  });
  return named.join(' ').slice(0, 128) || 'none (no subjects)';
}

function worst(outcomes: readonly Outcome[]): Outcome {
  return outcomes.reduce((a, b) => (severity[b] > severity[a] ? b : a), 'GO');
}
