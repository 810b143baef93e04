// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { RiskClass } from '../mesh/mesh.ts';
import { firewallCodes } from './codes.ts';
import type { FirewallTiming } from './answers.ts';
import { checkThresholds, reviewTexts } from './firewall.ts';
import type { InjectionAnswer, InjectionModel } from './injection-model.ts';
import { noInjectionModel } from './injection-model.ts';

const defaultThresholds = { escalateAt: 0.5, refuseAt: 0.9, timeoutMs: 50 };
let nowUs = 0;
const timing: FirewallTiming = {
  nowUs: () => (nowUs += 10),
  within: async (promise) => ({ late: false, value: await promise }),
};
const late: FirewallTiming = { ...timing, within: async () => ({ late: true }) };

function modelOf(answer: (text: string) => unknown): InjectionModel {
  return {
    name: 'test',
    configured: true,
    classify: async ({ text }): Promise<InjectionAnswer> => {
      const json = JSON.stringify({ answer: answer(text) });
      return JSON.parse(json, (_, value) => (value === 'NaN' ? NaN : value)).answer;
    },
  };
}

const sure = (probability: unknown) => () => ({ status: 'ok', probability, version: '7' });

async function review(
  model: InjectionModel,
  risk: RiskClass = 'HIGH',
  texts: readonly string[] = ['x'],
  clock: FirewallTiming | undefined = timing,
) {
  const base = { model, thresholds: defaultThresholds, texts, channel: 'email', risk } as const;
  const verdict = await reviewTexts(clock === undefined ? base : { ...base, timing: clock });
  return { ...verdict, code: verdict.findings[0]?.code ?? null };
}

describe('semantic firewall', () => {
  it.each<[string, unknown]>([
    ['NaN', 'NaN'],
    ['a negative number', -0.1],
    ['more than one', 1.1],
    ['a word', '0.1'],
    ['nothing', undefined],
    ['null', null],
  ])('refuses when the probability is %s', async (_, probability) => {
    const verdict = await review(modelOf(sure(probability)));
    expect(verdict).toMatchObject({ outcome: 'NO-GO', code: 'FIREWALL_MALFORMED' });
  });

  it.each<[string, unknown]>([
    ['null', null],
    ['an unknown status', { status: 'fine', probability: 0 }],
    ['nothing', {}],
  ])('refuses when the answer is %s', async (_, answer) => {
    const verdict = await review(modelOf(() => answer));
    expect(verdict).toMatchObject({ outcome: 'NO-GO', code: 'FIREWALL_MALFORMED' });
  });

  it('refuses when the model throws, and keeps the error to itself', async () => {
    const model: InjectionModel = {
      name: 'test',
      configured: true,
      classify: async () => {
        throw new Error('secret text');
      },
    };
    const verdict = await review(model);
    expect(verdict).toMatchObject({ outcome: 'NO-GO', code: 'FIREWALL_UNAVAILABLE' });
    expect(JSON.stringify(verdict)).not.toContain('secret text');
  });

  it('refuses when the model is gone or late, escalates LOW and MEDIUM', async () => {
    const gone = modelOf(() => ({ status: 'unavailable', reason: 'no memory' }));
    for (const risk of ['HIGH', 'CRITICAL'] as const) {
      expect(await review(gone, risk)).toMatchObject({ outcome: 'NO-GO' });
      expect(await review(modelOf(sure(0)), risk, ['x'], late)).toMatchObject({
        outcome: 'NO-GO',
        code: 'FIREWALL_LATE',
      });
    }
    for (const risk of ['LOW', 'MEDIUM'] as const) {
      expect(await review(gone, risk)).toMatchObject({
        outcome: 'ESCALATE',
        code: 'FIREWALL_UNAVAILABLE',
      });
      expect((await review(modelOf(sure(0)), risk, ['x'], late)).outcome).toBe('ESCALATE');
    }
  });

  it('refuses when the deadline itself fails', async () => {
    const broken: FirewallTiming = { ...timing, within: () => Promise.reject(new Error('timer')) };
    expect(await review(modelOf(sure(0)), 'HIGH', ['x'], broken)).toMatchObject({
      outcome: 'NO-GO',
      code: 'FIREWALL_LATE',
    });
  });

  it('refuses a configured model that nothing limits', async () => {
    const base = { thresholds: defaultThresholds, texts: [], channel: 'web', risk: 'LOW' } as const;
    const verdict = await reviewTexts({ ...base, model: modelOf(sure(0)) });
    expect(verdict).toMatchObject({
      outcome: 'NO-GO',
      findings: [{ code: 'FIREWALL_UNBOUNDED' }],
    });
  });

  it('lets the surest text lead, even where another could not be read', async () => {
    const model = modelOf((text) =>
      text === 'bad' ? sure(0.99)() : { status: 'unavailable', reason: 'x' },
    );
    expect(await review(model, 'LOW', ['a', 'bad', 'b'])).toMatchObject({
      outcome: 'NO-GO',
      code: 'FIREWALL_INJECTION',
    });
  });

  it('does not let a flood of texts hide one from the model', async () => {
    const texts = Array.from({ length: 300 }, () => 'x');
    expect(await review(modelOf(sure(0)), 'LOW', texts)).toMatchObject({
      outcome: 'ESCALATE',
      code: 'FIREWALL_TOO_MANY_TEXTS',
    });
  });

  it('draws its lines at the thresholds', async () => {
    expect(await review(modelOf(sure(0.49)))).toMatchObject({ outcome: 'GO', code: null });
    expect(await review(modelOf(sure(0.5)))).toMatchObject({
      outcome: 'ESCALATE',
      code: 'FIREWALL_SUSPECT',
    });
    expect(await review(modelOf(sure(0.9)))).toMatchObject({
      outcome: 'NO-GO',
      code: 'FIREWALL_INJECTION',
    });
    expect((await review(modelOf(sure(0.2)))).version).toBe('test 7');
  });

  it('judges what the model says at once without waiting, and counts no other work as its time', async () => {
    let atUs = 0;
    const clock: FirewallTiming = { nowUs: () => atUs, within: () => Promise.reject(new Error('timer')) };
    const atOnce = (answer: unknown): InjectionModel => ({ ...modelOf(sure(0)), classify: () => answer as InjectionAnswer });
    const other = Promise.resolve().then(() => (atUs += 1_000_000));
    const verdicts = [sure(0.2)(), sure(0.9)(), sure(NaN)(), null, {}].map((answer) =>
      review(atOnce(answer), 'HIGH', ['x', 'y'], clock),
    );
    await other;
    expect((await Promise.all(verdicts)).map(({ outcome, code, tookUs }) => [outcome, code, tookUs])).toEqual([
      ['GO', null, 0],
      ['NO-GO', 'FIREWALL_INJECTION', 0],
      ['NO-GO', 'FIREWALL_MALFORMED', 0],
      ['NO-GO', 'FIREWALL_MALFORMED', 0],
      ['NO-GO', 'FIREWALL_MALFORMED', 0],
    ]);
  });

  it('refuses when the model throws at once', async () => {
    const broken: InjectionModel = {
      ...modelOf(sure(0)),
      classify: () => {
        throw new Error('secret text');
      },
    };
    const verdict = await review(broken);
    expect(verdict).toMatchObject({ outcome: 'NO-GO', code: 'FIREWALL_UNAVAILABLE' });
    expect(JSON.stringify(verdict)).not.toContain('secret text');
  });

  it('waits for all texts where one of them needs waiting', async () => {
    const later = modelOf((text) => sure(text === 'bad' ? 0.99 : 0)());
    const mixed: InjectionModel = {
      ...later,
      classify: (question) =>
        question.text === 'bad' ? later.classify(question) : { status: 'ok', probability: 0, version: '7' },
    };
    expect(await review(mixed, 'LOW', ['a', 'bad'])).toMatchObject({ code: 'FIREWALL_INJECTION' });
    expect(await review(mixed, 'HIGH', ['a', 'bad'], late)).toMatchObject({ code: 'FIREWALL_LATE' });
  });

  it('says GO without a model only by declaration, and says so', async () => {
    const verdict = await review(noInjectionModel);
    expect(verdict).toMatchObject({ outcome: 'GO', version: 'none (not configured)', code: null });
    expect(verdict.control).toBe('semantic-firewall');
  });

  it.each([
    { escalateAt: 0 },
    { escalateAt: NaN },
    { refuseAt: 0.4 },
    { refuseAt: 1.5 },
    { timeoutMs: 0 },
    { timeoutMs: NaN },
  ])('does not start with %j', (change) => {
    expect(() => checkThresholds({ ...defaultThresholds, ...change })).toThrow(
      expect.objectContaining({ code: 'FIREWALL_THRESHOLDS_INVALID' }),
    );
    expect(() => checkThresholds(defaultThresholds)).not.toThrow();
    expect(Object.keys(firewallCodes).every((code) => code.startsWith('FIREWALL_'))).toBe(true);
  });
});
