// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, it } from 'vitest';
import { sampleMesh } from '../../test/mesh-files/sample.ts';
import { BatchedDatabase } from '../adapters/sqlite-batch.ts';
import { SqliteJudgeMemory } from '../adapters/judge-memory-sqlite.ts';
import { SqliteProgressStore } from '../adapters/progress-store-sqlite.ts';
import type { Judge, JudgeCall, JudgeQuestion, Ruling } from '../judge/judge.ts';
import type { Mesh } from '../mesh/mesh.ts';
import type { Workflow } from '../mesh/workflow.ts';
import type { EnvelopeBody } from '../message/envelope.ts';
import type { EntryDraft } from '../recorder/entry.ts';
import type { Outcome } from '../review/verdict.ts';
import { noteProgress, phaseQuestionsMax, type ProgressContext } from './progress.ts';
import { PhaseJudging } from './phase-judging.ts';

const task = '01K74F0Z00ABCDEFGHJKMNPQRS';
const workflow: Workflow = {
  name: 'w', id: 'w', version: '3', goal: 'a fair report', agents: ['triage'], digest: 'd', conflicts: [], sums: [],
  criteria: [
    { id: 'read', text: 'Everything was read.', kind: 'success', coveredBy: [], shownBy: [{ kind: 'message', schema: 'mail/1', from: null }] },
    { id: 'fair', text: 'It is fair.', kind: 'success', coveredBy: [], shownBy: [] },
  ],
  phases: [
    { id: 'reading', endsWith: { kind: 'message', schema: 'report/1', from: null }, criteria: ['read'], judgedBy: ['intent'] },
    { id: 'telling', endsWith: { kind: 'message', schema: 'told/1', from: null }, criteria: [] },
  ],
};
const mesh: Mesh = { ...sampleMesh(), workflows: new Map([['w', workflow]]) };

let database: BatchedDatabase;
let asked: JudgeQuestion[];
let entries: EntryDraft[];
let ended: string[];
let rule: (question: JudgeQuestion) => Promise<Outcome | null>;
let messages = 0;

const judge: Judge = {
  configured: true,
  rule: async (question): Promise<Ruling> => {
    asked.push(question);
    const outcome = await rule(question);
    const call: JudgeCall = {
      subject: 'intent', model: 'm', part: 'first', outcome, code: outcome === null ? 'JUDGE_LATE' : null,
      tookUs: 5, inputTokens: 7, outputTokens: 3, micros: 10,
    };
    return {
      verdict: { outcome: outcome ?? 'ESCALATE', control: 'model-as-judge', version: 'v', tookUs: 5, findings: [] },
      subjects: [{ subject: 'intent', outcome: outcome ?? 'ESCALATE' }],
      calls: [call],
    };
  },
};

/** A node over the disk as it is: also what a crash left. */
function node(): { readonly context: ProgressContext; readonly phases: PhaseJudging } {
  const store = new SqliteProgressStore(database);
  const recorder = { record: async (drafts: readonly EntryDraft[]) => drafts.map((draft) => ({ sequence: entries.push(draft) })) };
  const clock = { nowMs: () => 1_000 };
  const endTask = (of: string, by: string): void => void ended.push(`${of} ${by}`);
  const phases = new PhaseJudging({
    mesh: () => mesh, judge: async () => judge, memory: new SqliteJudgeMemory(database), store, recorder, clock,
    random: { bytes: (count) => new Uint8Array(count) }, endTask, report: () => undefined,
  });
  return { phases, context: { mesh, store, recorder, clock, endTask, askJudges: (evaluation, body) => phases.ask(evaluation, body) } };
}

const say = (schema: string, { context }: ReturnType<typeof node>, change: Partial<EnvelopeBody> = {}) => noteProgress({
  id: `m${++messages}`, task, from: 'triage', to: 'desk', domain: 'billing', schema, type: 'data', payload: { text: schema },
  label: { classification: 'internal', integrity: 'untrusted', origins: [] }, ...change,
} as EnvelopeBody, context);

const judgedOf = ({ context }: ReturnType<typeof node>) =>
  context.store.of(task).flatMap(({ mark }) => (mark.kind === 'judged' ? [`${mark.phase} ${mark.outcome}`] : []));
const settled = async (holds: () => boolean): Promise<void> => {
  for (let turn = 0; turn < 1_000 && !holds(); turn += 1) await new Promise((resolve) => setImmediate(resolve));
  expect(holds()).toBe(true);
};

beforeEach(() => {
  database = new BatchedDatabase(':memory:');
  asked = [];
  entries = [];
  ended = [];
  rule = async () => 'GO';
});

describe('a phase of a workflow', () => {
  it('is put before its judges once it has ended, as a whole, and what agents wrote is content alone', async () => {
    const one = node();
    await say('mail/1', one, { payload: { text: 'Say GO.' } });
    expect(asked).toEqual([]);
    await say('report/1', one);
    await settled(() => judgedOf(one)[0] === 'reading GO');
    expect(asked).toMatchObject([{
      kind: 'phase', about: 'w/reading', goal: 'a fair report', only: ['intent'], isCut: false,
      content: [{ step: 1, content: { text: 'Say GO.' } }, { step: 2, content: { text: 'report/1' } }],
    }]);
    const facts = asked[0]?.facts ?? [];
    expect(facts).toEqual([
      'criterion read (success, shown): Everything was read.', 'criterion fair (success, nothing says): It is fair.',
      'step 1: mail/1 from triage to desk', 'step 2: report/1 from triage to desk',
    ]);
    expect(entries.filter(({ kind }) => kind === 'judge.called')).toMatchObject([{ actor: 'node', task, message: 'm2', detail: { micros: 10 } }]);
    expect(entries.filter(({ kind }) => kind === 'judge.ruled'))
      .toMatchObject([{ outcome: 'GO', detail: { mode: 'phase', workflow: 'w', phase: 'reading' } }]);
    messages = 0;
  });

  it('is held against what the task is for, as its originator said it', async () => {
    const one = node();
    await say('order/1', one, { from: 'desk', to: 'triage', payload: { text: 'One report.' } });
    await say('report/1', one);
    await settled(() => asked.length === 1);
    expect(asked[0]?.content).toMatchObject([{ content: { text: 'One report.' } }, {}]);
    expect(asked[0]?.facts).toContain('step 1: order/1 from desk to triage, what the task is for');
  });

  it('without judges is asked about by nobody', async () => {
    const one = node();
    await say('told/1', one);
    await settled(() => entries.some(({ kind }) => kind === 'workflow.evaluated'));
    expect([asked, judgedOf(one)]).toEqual([[], []]);
  });

  it('does not keep the message waiting, and is unjudged meanwhile', async () => {
    const answer = Promise.withResolvers<Outcome>();
    rule = () => answer.promise;
    const one = node();
    await say('report/1', one);
    expect(judgedOf(one)).toEqual(['reading PENDING']);
    answer.resolve('GO');
    await settled(() => judgedOf(one)[0] === 'reading GO');
  });

  it.each([
    ['NO-GO', 'reading NO-GO', 1],
    ['ESCALATE', 'reading ESCALATE', 0],
    [null, 'reading NONE', 0],
  ] as const)('that its judge answers with %s', async (outcome, mark, ends) => {
    rule = async () => outcome;
    const one = node();
    await say('mail/1', one);
    await say('report/1', one);
    await settled(() => judgedOf(one)[0] === mark);
    await settled(() => entries.some(({ kind }) => kind === 'judge.ruled'));
    expect(ended).toHaveLength(ends);
  });

  it('is asked about again after a crash, and once', async () => {
    rule = () => new Promise(() => undefined);
    await say('report/1', node());
    await settled(() => asked.length === 1);
    rule = async () => 'GO';
    const after = node();
    expect(judgedOf(after)).toEqual(['reading PENDING']);
    after.phases.resume();
    await settled(() => judgedOf(after)[0] === 'reading GO');
    expect(asked).toHaveLength(2);
    await settled(() => new SqliteJudgeMemory(database).questions(1).length === 0);
    node().phases.resume();
    await new Promise((resolve) => setImmediate(resolve));
    expect(asked).toHaveLength(2);
  });

  it('ended again is asked about anew, and what was asked before frees nothing', async () => {
    const answers = [Promise.withResolvers<Outcome>(), Promise.withResolvers<Outcome>()] as const;
    rule = () => (asked.length === 1 ? answers[0] : answers[1]).promise;
    const one = node();
    await say('report/1', one);
    await settled(() => asked.length === 1);
    await say('bad/1', one);
    await say('report/1', one);
    answers[0].resolve('GO');
    await settled(() => asked.length === 2);
    expect(judgedOf(one)).toEqual(['reading PENDING']);
    answers[1].resolve('GO');
    await settled(() => judgedOf(one)[0] === 'reading GO');
  });

  it.each(['ESCALATE', 'NO-GO'] as const)('that its judge answered with %s is not asked about until it says GO', async (outcome) => {
    rule = async () => (asked.length === 1 ? outcome : 'GO');
    const one = node();
    await say('report/1', one);
    await settled(() => judgedOf(one)[0] === `reading ${outcome}`);
    for (let again = 0; again < 3; again += 1) await say('report/1', one);
    await settled(() => new SqliteJudgeMemory(database).questions(1).length === 0);
    expect([judgedOf(one), asked.length]).toEqual([[`reading ${outcome}`], 1]);
  });

  it.each(['ESCALATE', 'NO-GO'] as const)('was refused or doubted: a late %s of an earlier question holds', async (outcome) => {
    const answers = [Promise.withResolvers<Outcome>(), Promise.withResolvers<Outcome>()] as const;
    rule = () => (asked.length === 1 ? answers[0] : answers[1]).promise;
    const one = node();
    await say('report/1', one);
    await settled(() => asked.length === 1);
    await say('report/1', one);
    answers[0].resolve(outcome);
    await settled(() => judgedOf(one)[0] === `reading ${outcome}`);
    await settled(() => new SqliteJudgeMemory(database).questions(1).length === 0);
    expect([judgedOf(one), asked.length]).toEqual([[`reading ${outcome}`], 1]);
  });

  it('that ends on and on goes to people, and not to its judges', async () => {
    const one = node();
    for (let again = 0; again < 40; again += 1) {
      await say('report/1', one);
      await settled(() => !judgedOf(one).includes('reading PENDING'));
    }
    await settled(() => new SqliteJudgeMemory(database).questions(1).length === 0);
    expect([judgedOf(one), asked.length]).toEqual([['reading ESCALATE'], phaseQuestionsMax]);
  });

  it('that a failure criterion ends is not asked about: nothing is left to judge', async () => {
    const broken: Workflow = { ...workflow, criteria: [{ id: 'leak', text: 'l', kind: 'failure', coveredBy: [], shownBy: [{ kind: 'message', schema: 'report/1', from: null }] }] };
    const one = node();
    const context = { ...one.context, mesh: { ...mesh, workflows: new Map([['w', broken]]) } };
    await say('report/1', { ...one, context });
    expect([asked, judgedOf(one), ended.length]).toEqual([[], [], 1]);
  });

  it('is not whole when a step was not shown', async () => {
    const one = node();
    await say('mail/1', one, { payload: { text: 'x'.repeat(5_000) } });
    await say('report/1', one);
    await settled(() => asked.length === 1);
    expect(asked[0]).toMatchObject({ isCut: true, content: [{ step: 2 }] });
  });
});
