// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, test } from 'vitest';
import { SqliteJudgeMemory } from '../adapters/judge-memory-sqlite.ts';
import type { JudgeQuestion, Ruling } from '../judge/judge.ts';
import type { JudgeSpecification } from '../mesh/judge-settings.ts';
import type { Outcome } from '../review/verdict.ts';
import { judgeSettings, compatibleModel } from '../../test/judge-standin/settings.ts';
import { sampleMesh } from '../../test/mesh-files/sample.ts';
import { FakeSidecar } from '../../test/sidecar-fixture/sidecar.ts';
import { Calibrating, doubtsOf } from './calibrating.ts';
import type { SidecarContext } from './context.ts';

const everyMs = 1000;
const cases = ['good', 'bad'].map((id) => ({
  id, about: 'pay_invoice', kind: 'action' as const, risk: 'HIGH' as const, reversibility: 'irreversible',
  content: { payee: id }, raised_by: ['SCAN_PATTERN'], goal: null,
  expected: id === 'good' ? 'GO' as const : 'NO-GO' as const,
}));
const spec: JudgeSpecification = {
  id: 'fraud-judge', version: '4', digest: 'digest-4', goal: 'g', criteria: [{ id: 'c', text: 't' }],
  calibration: { everyMs, agreementMin: 0.75, window: 4, cases },
};

let fake: FakeSidecar;
let context: SidecarContext;
let asked: JudgeQuestion[];
let says: (question: JudgeQuestion) => Outcome | null;

function start(agent: 'payments' | 'triage' = 'payments', of: JudgeSpecification = spec): void {
  const judge = judgeSettings([compatibleModel('m', 'http://127.0.0.1:1')], {
    subjects: [{ subject: 'fraud', model: 'm', backup: null, second: null, criteria: of.criteria, spec: of }],
  });
  fake = new FakeSidecar(agent, {}, { ...sampleMesh(), judge });
  context = {
    ...fake.context,
    judgeMemory: new SqliteJudgeMemory(fake.database),
    judge: { configured: true, rule: async (question) => rulingOf(question) },
  };
}

function rulingOf(question: JudgeQuestion): Ruling {
  asked.push(question);
  const outcome = says(question);
  return {
    verdict: { outcome: outcome ?? 'ESCALATE', control: 'model-as-judge', version: 'v', tookUs: 5, findings: [] },
    subjects: [{ subject: 'fraud', outcome: outcome ?? 'ESCALATE' }],
    calls: [{
      subject: 'fraud', model: 'm', part: 'first', outcome, code: outcome === null ? 'JUDGE_LATE' : null,
      tookUs: 5, inputTokens: 1, outputTokens: 1, micros: 1,
    }],
  };
}

/** So many cases, one after the other. */
async function calibrate(count: number): Promise<void> {
  const calibrating = new Calibrating();
  await calibrating.look(context);
  for (let turn = 0; turn < count; turn += 1) {
    fake.clock.ms += 2 * everyMs + 1;
    await calibrating.look(context);
  }
}

const codesOf = (of: SidecarContext) => doubtsOf(of).map(({ code, subject }) => `${code} ${subject}`);
const entriesOf = (kind: string) => fake.recorder.entries.filter((entry) => entry.kind === kind);
const isRight = ({ content }: JudgeQuestion): Outcome =>
  JSON.stringify(content).includes('good') ? 'GO' : 'NO-GO';

beforeEach(() => {
  asked = [];
  says = isRight;
  start();
});

describe('a case with a known answer', () => {
  test('is asked like anything else: no model is told that it is one, and nothing runs', async () => {
    await calibrate(6);
    expect(asked).toHaveLength(6);
    for (const question of asked) {
      expect(question).toMatchObject({ from: 'triage', about: 'pay_invoice', kind: 'action', only: ['fraud'] });
      expect(question.id).toMatch(/^[0-9A-HJKMNP-TV-Z]{26}$/);
      expect(JSON.stringify(question)).not.toMatch(/calibrat|expected/);
    }
    expect([fake.calls, fake.link.held, fake.link.bodies()]).toEqual([[], [], []]);
  });

  test('is on record with what was said, and by which criteria', async () => {
    says = () => 'GO';
    await calibrate(8);
    const found = entriesOf('judge.calibrated');
    expect(found).toHaveLength(8);
    for (const { code, detail } of found) {
      expect(detail).toMatchObject({ subject: 'fraud', said: 'GO', version: '4', digest: 'digest-4' });
      expect(code).toBe(detail['expected'] === 'GO' ? null : 'JUDGE_CASE_MISSED');
    }
    expect(entriesOf('judge.ruled')).toEqual([]);
  });

  test('is put to executors only, and at moments that nobody can foresee', async () => {
    start('triage');
    await calibrate(3);
    expect(asked).toEqual([]);
  });
});

describe('a judge that no longer agrees', () => {
  test('is doubted, once said, until it agrees again', async () => {
    await calibrate(4);
    expect(codesOf(context)).toEqual([]);
    says = () => 'ESCALATE';
    await calibrate(4);
    expect(codesOf(context)).toEqual(['JUDGE_UNCALIBRATED fraud']);
    expect(entriesOf('indicator.raised').map(({ code }) => code)).toEqual(['JUDGE_UNCALIBRATED']);
    const restarted = { ...context, judgeMemory: new SqliteJudgeMemory(fake.database) };
    expect(codesOf(restarted)).toEqual(['JUDGE_UNCALIBRATED fraud']);
    says = isRight;
    await calibrate(4);
    expect(codesOf(context)).toEqual([]);
  });

  test('is not doubted for being away, nor for what it said under other criteria', async () => {
    says = () => null;
    await calibrate(6);
    expect(codesOf(context)).toEqual([]);
    expect(entriesOf('judge.calibrated')).toEqual([]);
    expect(entriesOf('judge.called')).toHaveLength(6);
    says = () => 'ESCALATE';
    await calibrate(4);
    expect(codesOf(context)).toEqual(['JUDGE_UNCALIBRATED fraud']);
    start('payments', { ...spec, digest: 'digest-5' });
    expect(codesOf(context)).toEqual([]);
  });
});

describe('two models of a judge', () => {
  const window = 40;
  const both: JudgeSpecification = { ...spec, calibration: { everyMs, agreementMin: 0.1, window, cases } };
  let second: (question: JudgeQuestion) => Outcome;

  beforeEach(() => {
    start('payments', both);
    const { rule } = context.judge;
    // Drawn alike in each run: four of one case at the start would be another doubt before the one that is meant.
    let state = 2;
    const drawn = (): number => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state >>> 24;
    };
    context = { ...context, random: { bytes: (count) => Uint8Array.from({ length: count }, drawn) }, judge: { configured: true, rule: async (question) => {
      const ruling = await rule(question);
      const [first] = ruling.calls;
      const calls = first === undefined ? [] : [first, { ...first, model: 'n', part: 'second' as const, outcome: second(question) }];
      return { ...ruling, calls };
    } } };
  });

  test('that are wrong on the same cases are one opinion: said once, and the judge releases nothing', async () => {
    says = () => 'GO';
    second = () => 'GO';
    await calibrate(30);
    expect(codesOf(context)).toEqual(['JUDGE_ERRS_ALIKE fraud']);
    expect(entriesOf('indicator.raised').map(({ code }) => code)).toEqual(['JUDGE_ERRS_ALIKE']);
    expect(entriesOf('judge.calibrated')[0]?.detail['models']).toEqual({ m: 'GO', n: 'GO' });
    const restarted = { ...context, judgeMemory: new SqliteJudgeMemory(fake.database) };
    expect(codesOf(restarted)).toEqual(['JUDGE_ERRS_ALIKE fraud']);
  });

  test('that are wrong on different cases are two, though each is wrong as often', async () => {
    says = () => 'GO';
    second = () => 'NO-GO';
    await calibrate(30);
    expect(codesOf(context)).toEqual([]);
  });
});
