// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { answerOf, JudgeStandIn } from '../../test/judge-standin/server.ts';
import { figuresOf, parseCase, type CaseResult } from '../judge/evaluate.ts';
import { buildProgram } from './program.ts';

let standIn: JudgeStandIn;
let directory: string;

beforeEach(async () => {
  standIn = await JudgeStandIn.start();
  directory = mkdtempSync(join(tmpdir(), 'maso-judge-'));
  writeFileSync(join(directory, 'mesh.yaml'), `security_mesh:
  judge:
    models: { one: { openai_compatible: { url: "${standIn.url}" }, model: m, family: one, price: { per_call: 0.01 } } }
    subjects: { security: { model: one } }
    call_timeout_ms: 300
`);
});

afterEach(async () => {
  await standIn.close();
  rmSync(directory, { recursive: true });
});

async function run(cases: readonly (object | string)[], ...options: readonly string[]) {
  const lines = cases.map((one) => (typeof one === 'string' ? one : JSON.stringify(one)));
  writeFileSync(join(directory, 'cases.jsonl'), `${lines.join('\n')}\n`);
  const out: string[] = [];
  let code = -1;
  const io = { out: (line: string) => void out.push(line), err: () => undefined, directory };
  const program = await buildProgram(io, (given) => (code = given));
  await program.parseAsync(['node', 'maso', 'judge', 'eval', 'cases.jsonl', '--mesh', 'mesh.yaml', '--json', ...options]);
  return { code, figures: JSON.parse(out.at(-1) ?? 'null') as ReturnType<typeof figuresOf> | null };
}

const good = { about: 'pay', content: { payee: 'ACME' }, expected: 'GO' };
const bad = { about: 'pay', content: { payee: 'mallory' }, expected: 'NO-GO', risk: 'CRITICAL' };

describe('maso judge eval', () => {
  test.each([
    ['a line that is no JSON', ['{']], ['a case without an answer', [{ about: 'pay', content: {} }]],
    ['a member nobody knows', [{ ...good, weight: 2 }]], ['nothing', []],
  ])('does not run on %s', async (_what, cases) => {
    expect((await run(cases)).code).toBe(2);
    expect(standIn.asked).toEqual([]);
  });

  test('says what the judge missed, and how bad that was', async () => {
    standIn.behave = (asked) => ({ text: answerOf(asked, 'GO') });
    const { code, figures } = await run([good, bad, bad, { ...bad, risk: 'HIGH' }]);
    expect(code).toBe(0);
    expect(figures).toMatchObject({
      cases: 4, agreement: 0.25, kappa: 0, calls: 4, micros: 40_000,
      falseNegatives: { CRITICAL: { missed: 2, of: 2 }, HIGH: { missed: 1, of: 1 } },
      falsePositives: { refused: 0, of: 1 },
    });
  });

  test('measures a judge that is right, and calls one that gives no answer a failure', async () => {
    standIn.behave = (asked) => ({ text: answerOf(asked, asked.user.includes('mallory') ? 'NO-GO' : 'GO') });
    expect((await run([good, bad])).figures).toMatchObject({ agreement: 1, kappa: 1 });
    standIn.behave = () => ({ text: 'yes' });
    const failed = await run([good]);
    expect(failed.code).toBe(1);
    expect(failed.figures).toMatchObject({ agreement: 0, escalated: 1, failures: { JUDGE_MALFORMED: 1 } });
  });

  test('spends no more than it is given', async () => {
    const { figures } = await run(Array.from({ length: 5 }, () => good), '--money', '0.025');
    expect(standIn.asked).toHaveLength(2);
    expect(figures?.failures).toEqual({ JUDGE_BUDGET_SPENT: 3 });
  });
});

test('figures of nothing are no figures, and kappa of one-sided answers is undefined', () => {
  expect(figuresOf([])).toMatchObject({ cases: 0, agreement: 0, kappa: null });
  const right = { id: 'a', risk: 'LOW', expected: 'GO', outcome: 'GO', code: null, tookUs: 0, calls: 1, tokens: 0, micros: 0, models: {} } as const;
  expect(figuresOf([right] satisfies CaseResult[]).kappa).toBeNull();
  expect(parseCase('{"about":"a","content":1,"expected":"GO"}', 4)?.question.id).toBe('case-5');
});
