// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, it } from 'vitest';
import { compatibleModel, judgeSettings } from '../../test/judge-standin/settings.ts';
import type { JudgeSettings, JudgeSubjectSettings } from '../mesh/judge-settings.ts';
import type { Judge } from './judge.ts';
import { judgeSuite, questionAbout } from './judge.suite.ts';
import type { JudgeModel, JudgeTiming, ModelAnswer, ModelPrompt } from './judge-model.ts';
import { createPanel } from './panel.ts';
import { Spend, type Charge } from './spend.ts';

type Say = (prompt: ModelPrompt) => Partial<ModelAnswer> | Promise<Partial<ModelAnswer>>;

const clock = { ms: 1_000_000, nowMs: () => clock.ms };
let charges: Map<string, Charge>;
let prompts: { readonly model: string; readonly prompt: ModelPrompt }[];
let failing: string[];

beforeEach(() => {
  charges = new Map();
  prompts = [];
  failing = [];
  clock.ms = 1_000_000;
});

/** Late at once where the model never answers. */
const timing: JudgeTiming = {
  nowUs: () => clock.ms * 1000,
  within: async (work, timeoutMs) => {
    const ending = new AbortController();
    const late = new Promise<{ readonly late: true }>((resolve) => {
      setTimeout(() => resolve({ late: true }), Math.min(timeoutMs, 20));
    });
    const worked = work(ending.signal).then((value) => ({ late: false as const, value }));
    const first = await Promise.race([worked, late]);
    if (first.late) ending.abort();
    return first;
  },
};

const store = {
  since: () => [...charges.values()],
  save: async (charge: Charge) => void charges.set(charge.id, charge),
  drop: async () => undefined,
};

function said(prompt: ModelPrompt, verdict: string, criterion = 'none'): Partial<ModelAnswer> {
  const echo = /<data ([0-9a-f]+)>/.exec(prompt.system)?.[1] ?? '';
  return { text: JSON.stringify({ reason: 'r', verdict, criterion, echo }) };
}

const go: Say = (prompt) => said(prompt, 'GO');
const noGo: Say = (prompt) => said(prompt, 'NO-GO');
const doubt: Say = (prompt) => said(prompt, 'ESCALATE');
const hang: Say = () => new Promise(() => undefined);
const gone: Say = () => Promise.reject(new Error('ECONNREFUSED'));
const prose: Say = () => ({ text: 'GO, of course.' });

function panelOf(says: { readonly [model: string]: Say }, change: Partial<JudgeSettings> = {}): Judge {
  const models = Object.keys(says).map((name) => compatibleModel(name, 'http://127.0.0.1:1/v1'));
  const settings = judgeSettings(models, change);
  const clients = Object.entries(says).map(([name, say]): [string, JudgeModel] => [name, {
    ask: async (prompt) => {
      prompts.push({ model: name, prompt });
      try {
        return { inputTokens: 100, outputTokens: 10, text: '', ...(await say(prompt)) };
      } catch (failure) {
        failing.push(name);
        throw failure;
      }
    },
  }]);
  let byte = 0;
  return createPanel({
    settings, models: new Map(clients), spend: new Spend(settings.budget, store, clock), timing, clock,
    random: { bytes: (count) => new Uint8Array(count).map(() => (byte += 1) % 256) },
  });
}

function subject(change: Partial<JudgeSubjectSettings>): JudgeSubjectSettings {
  return { subject: 'security', model: 'one', backup: null, second: null, criteria: [], ...change };
}

async function codesOf(judge: Judge, change = {}): Promise<readonly string[]> {
  const { verdict } = await judge.rule(questionAbout(change));
  return [verdict.outcome, ...verdict.findings.map(({ code }) => code)];
}

judgeSuite('a panel that says GO', () => panelOf({ one: go }));
judgeSuite('a panel that is gone', () => panelOf({ one: gone }));
judgeSuite('a panel that talks', () => panelOf({ one: prose }));

describe('a judge that gives no answer', () => {
  it.each([
    ['is late', hang, 'JUDGE_LATE'],
    ['is gone', gone, 'JUDGE_UNAVAILABLE'],
    ['answers in prose', prose, 'JUDGE_MALFORMED'],
    ['answers another question', () => ({ text: '{"reason":"","verdict":"GO","criterion":"none","echo":"00"}' }), 'JUDGE_MALFORMED'],
  ] as const)('never means GO: %s', async (_what, say, code) => {
    expect(await codesOf(panelOf({ one: say }))).toEqual(['ESCALATE', code]);
  });

  it('is stood in for by its backup', async () => {
    const judge = panelOf({ one: gone, two: noGo }, { subjects: [subject({ backup: 'two' })] });
    expect(await codesOf(judge)).toEqual(['NO-GO', 'JUDGE_REFUSED']);
    const both = panelOf({ one: gone, two: prose }, { subjects: [subject({ backup: 'two' })] });
    expect(await codesOf(both)).toEqual(['ESCALATE', 'JUDGE_MALFORMED']);
  });

  it('has no backup asked where it answered', async () => {
    await panelOf({ one: noGo, two: go }, { subjects: [subject({ backup: 'two' })] }).rule(questionAbout());
    expect(prompts.map(({ model }) => model)).toEqual(['one']);
  });

  it('is left alone after so many failures, and tried again once later', async () => {
    const judge = panelOf({ one: gone }, { breaker: { failures: 2, openMs: 1000 } });
    for (let turn = 0; turn < 4; turn += 1) await judge.rule(questionAbout());
    expect(failing).toHaveLength(2);
    expect(await codesOf(judge)).toEqual(['ESCALATE', 'JUDGE_BREAKER_OPEN']);
    clock.ms += 1000;
    expect(await codesOf(judge)).toEqual(['ESCALATE', 'JUDGE_UNAVAILABLE']);
    expect(await codesOf(judge)).toEqual(['ESCALATE', 'JUDGE_BREAKER_OPEN']);
  });
});

describe('a second family', () => {
  const subjects = [subject({ second: 'two' })];
  it.each([
    ['agrees', go, ['GO', 'JUDGE_ADVISES_GO']],
    ['refuses', noGo, ['NO-GO', 'JUDGE_REFUSED', 'JUDGE_DISAGREEMENT']],
    ['doubts', doubt, ['ESCALATE', 'JUDGE_DOUBTS', 'JUDGE_DISAGREEMENT']],
    ['is gone', gone, ['ESCALATE', 'JUDGE_UNAVAILABLE']],
  ] as const)('that %s decides with the first', async (_what, say, codes) => {
    expect(await codesOf(panelOf({ one: go, two: say }, { subjects }))).toEqual(codes);
  });
});

describe('judges of several subjects', () => {
  const subjects = [
    subject({ subject: 'fraud', model: 'one' }), subject({ subject: 'compliance', model: 'two' }),
  ];

  it('let the most restrictive win, and count their conflict', async () => {
    expect(await codesOf(panelOf({ one: go, two: noGo }, { subjects })))
      .toEqual(['NO-GO', 'JUDGE_REFUSED', 'JUDGE_CONFLICT']);
    expect(await codesOf(panelOf({ one: doubt, two: go }, { subjects })))
      .toEqual(['ESCALATE', 'JUDGE_DOUBTS', 'JUDGE_CONFLICT']);
  });

  it('lead in the declared precedence among equals', async () => {
    const rules = async (precedence: JudgeSettings['precedence']) =>
      (await panelOf({ one: noGo, two: noGo }, { subjects, precedence }).rule(questionAbout()))
        .verdict.findings.map(({ rule }) => rule);
    expect(await rules(['compliance', 'fraud'])).toEqual(['judge/compliance', 'judge/fraud']);
    expect(await rules(['fraud', 'compliance'])).toEqual(['judge/fraud', 'judge/compliance']);
  });

  it('do not see what another said, nor an earlier question', async () => {
    const judge = panelOf({ one: (p) => said(p, 'NO-GO'), two: go }, { subjects });
    await judge.rule(questionAbout({ content: { note: 'SECRETONE' } }));
    await judge.rule(questionAbout({ content: { note: 'other' } }));
    const later = prompts.slice(2).map(({ prompt }) => `${prompt.system}${prompt.user}`);
    expect(later.join('')).not.toMatch(/SECRETONE/);
    expect(new Set(prompts.map(({ prompt }) => /<data (\w+)>/.exec(prompt.system)?.[1])).size).toBe(4);
  });
});

describe('what is asked', () => {
  it('names the criterion that decided', async () => {
    const criteria = [{ id: 'no-new-payee', text: 'Pays nobody new.' }];
    const judge = panelOf({ one: (p) => said(p, 'NO-GO', 'no-new-payee') }, { subjects: [subject({ criteria })] });
    const { verdict } = await judge.rule(questionAbout());
    expect(verdict.findings.map(({ rule }) => rule)).toEqual(['judge/security/no-new-payee']);
  });

  it('is not believed with GO where the judge saw a part only', async () => {
    const judge = panelOf({ one: go }, { textMax: 64 });
    expect(await codesOf(judge, { content: { note: 'x'.repeat(65) } })).toEqual(['ESCALATE', 'JUDGE_TEXT_CUT']);
  });

  it('is believed with NO-GO all the same', async () => {
    const judge = panelOf({ one: noGo }, { textMax: 64 });
    expect(await codesOf(judge, { content: { note: 'x'.repeat(65) } })).toEqual(['NO-GO', 'JUDGE_REFUSED']);
  });
});

describe('the budget', () => {
  const budget = { moneyPerHour: 1e6, moneyPerTask: 1e6, callsPerHour: 2 };

  it('of calls in an hour is kept, and comes back', async () => {
    const judge = panelOf({ one: go }, { budget });
    expect(await codesOf(judge)).toEqual(['GO', 'JUDGE_ADVISES_GO']);
    expect(await codesOf(judge)).toEqual(['GO', 'JUDGE_ADVISES_GO']);
    expect(await codesOf(judge)).toEqual(['ESCALATE', 'JUDGE_BUDGET_SPENT']);
    clock.ms += 3_600_001;
    expect(await codesOf(judge)).toEqual(['GO', 'JUDGE_ADVISES_GO']);
  });

  it('survives a restart', async () => {
    const first = panelOf({ one: go }, { budget });
    await first.rule(questionAbout());
    await first.rule(questionAbout());
    expect(await codesOf(panelOf({ one: go }, { budget }))).toEqual(['ESCALATE', 'JUDGE_BUDGET_SPENT']);
  });

  it('of one task stops that task alone', async () => {
    const tight = { moneyPerHour: 1e6, moneyPerTask: 0.03, callsPerHour: 1000 };
    const judge = panelOf({ one: go }, { budget: tight });
    const first: string[] = [];
    for (let turn = 0; turn < 20; turn += 1) first.push((await codesOf(judge))[1] ?? 'none');
    expect(first.at(-1)).toBe('JUDGE_BUDGET_SPENT');
    expect(await codesOf(judge, { task: 'task-2' })).toEqual(['GO', 'JUDGE_ADVISES_GO']);
  });

  it('is charged the most it can have cost where nobody says what it did', async () => {
    const { calls } = await panelOf({ one: hang }).rule(questionAbout());
    expect(calls[0]?.outputTokens).toBe(256);
    expect(calls[0]?.micros).toBeGreaterThan(256 * 50);
    const honest = await panelOf({ one: (p) => ({ ...said(p, 'GO'), inputTokens: Number.NaN }) }).rule(questionAbout());
    expect(honest.calls[0]?.inputTokens).toBeGreaterThan(100);
  });

  it('is not overspent by questions at one time', async () => {
    const judge = panelOf({ one: go }, { budget, concurrency: 8 });
    const all = await Promise.all(Array.from({ length: 8 }, () => judge.rule(questionAbout())));
    expect(all.filter(({ verdict }) => verdict.outcome === 'GO')).toHaveLength(2);
  });
});

describe('the line of questions', () => {
  it('is bounded: what does not fit goes to people at once', async () => {
    const judge = panelOf({ one: hang }, { concurrency: 1, queueMax: 2 });
    const all = await Promise.all(Array.from({ length: 50 }, () => judge.rule(questionAbout())));
    const codes = all.map(({ verdict }) => verdict.findings[0]?.code);
    expect(codes.filter((code) => code === 'JUDGE_OVERLOADED')).toHaveLength(47);
    expect(new Set(all.map(({ verdict }) => verdict.outcome))).toEqual(new Set(['ESCALATE']));
    expect(await codesOf(judge)).toEqual(['ESCALATE', 'JUDGE_LATE']);
  });
});
