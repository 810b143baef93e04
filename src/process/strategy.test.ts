// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Entries } from '../../test/mesh-harness/log-entries.ts';
import { answerOf, JudgeStandIn } from '../../test/judge-standin/server.ts';
import { makePeople } from '../../test/mesh-harness/attack-mesh.ts';
import { mandateMesh } from '../../test/mesh-harness/mandate-mesh.ts';
import { MeshInProcess } from '../../test/mesh-harness/mesh-in-process.ts';
import { MeshFolder } from '../../test/mesh-harness/running-mesh.ts';
import type { JsonObject } from '../message/json.ts';
import type { EntryKind } from '../recorder/entry.ts';

let standIn: JudgeStandIn;
let folder: MeshFolder;
let mesh: MeshInProcess;

const anyText = 'schema: { type: object, required: [text], properties: { text: { type: string } } }';
const order = `schema: { type: object, required: [text], properties: { text: { type: string }, name: { type: string }, criteria: { type: string } } }
      answer: { schemas: [note/1], same: { /name: /name } }
      unclear_without: [/criteria]`;
const note = 'schema: { type: object, required: [text], properties: { text: { type: string }, name: { type: string } } }';
const workflow = `workflow_id: counting
created_by: dev@example.org
version: "1"
objective: { goal: everything is counted once }
phases: [ { id: told, ends_with: { schema: note/1, from: planner }, judged_by: [intent] } ]
agent_intents: [planner, payments]
`;

/** A planner that may ask its desk, and whose answer ends a phase that a judge looks at. */
beforeAll(async () => {
  standIn = await JudgeStandIn.start();
  const files = mandateMesh(makePeople());
  const text = (files['security_mesh.yaml'] ?? '')
    .replace(anyText, order)
    .replace(anyText, note)
    .replace('{ from: desk, to: planner, schemas: [order/1] }',
      '{ from: desk, to: planner, schemas: [order/1, clarification-answer/1] }\n    - { from: planner, to: desk, schemas: [note/1, clarification/1] }');
  const more = `  workflows: { counting: counting.yaml }
  judge:
    models: { one: { openai_compatible: { url: "${standIn.url}" }, model: m, family: one } }
    subjects: { intent: { model: one } }
    sampling: { low: 0, medium: 0, messages: 0 }
`;
  folder = await MeshFolder.create({ ...files, 'counting.yaml': workflow, 'security_mesh.yaml': text + more });
  mesh = await MeshInProcess.start(folder, ['desk', 'planner', 'payments']);
  await mesh.fresh('desk');
}, 60_000);

beforeEach(async () => {
  standIn.asked.length = 0;
  standIn.behave = (asked) => ({ text: answerOf(asked, 'GO') });
  await mesh.fresh('planner');
});

afterAll(async () => {
  await mesh?.close();
  await folder?.remove();
  await standIn?.close();
});

async function recorded(kind: EntryKind, task: string): Promise<Entries> {
  return (await folder.entries()).filter((entry) => entry.kind === kind && entry.task === task);
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let turn = 0; turn < 200; turn += 1) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('It did not happen.');
}

async function started(prompt: JsonObject): Promise<string> {
  const { body } = await mesh.startTask('desk', 'planner', { text: 'count', name: 'a', ...prompt });
  const task = String(body['task']);
  await mesh.take('planner', task);
  return task;
}

const tell = (task: string, payload: JsonObject) =>
  mesh.instruct('planner', 'desk', task, { type: 'data', schema: 'note/1', payload: { text: 'done', ...payload } });

const heldFor = async (task: string): Promise<readonly string[]> =>
  (await recorded('approval.held', task)).map(({ detail }) => JSON.stringify(detail['reasons']));

test('an instruction that nobody could understand holds the task until it is said what was meant', async () => {
  const task = await started({});
  const early = await mesh.request('planner', 'count', { name: 'a' }, task, 100);
  expect(early.outcome).toBeNull();
  await until(async () => (await heldFor(task)).some((reasons) => reasons.includes('INTENT_UNCLEAR')));
  const asked = await mesh.instruct('planner', 'desk', task, {
    type: 'data', schema: 'clarification/1', payload: { reason: 'missing', field: '/criteria' },
  });
  expect(asked.body['verdict']).toBe('GO');
  await mesh.take('desk', task);
  const told = await mesh.instruct('desk', 'planner', task, {
    schema: 'clarification-answer/1', payload: { answer: 'each once', field: '/criteria' },
  });
  expect(told.body['verdict']).toBe('GO');
  await mesh.take('planner', task);
  const after = await mesh.request('planner', 'count', { name: 'b' }, task);
  expect(after.outcome).toMatchObject({ status: 'DONE' });
}, 30_000);

test('an answer about something else does not leave, and one that fits ends the phase', async () => {
  const task = await started({ criteria: 'each once' });
  expect((await tell(task, { name: 'b' })).body['verdict']).toBe('NO-GO');
  expect((await recorded('message.refused', task)).map(({ code }) => code)).toEqual(['POLICY_ANSWER_OTHER']);
  expect((await tell(task, { name: 'a' })).body['verdict']).toBe('GO');
  await until(async () => (await recorded('judge.ruled', task)).length === 1);
  expect(await recorded('judge.ruled', task)).toMatchObject([{ actor: 'node', outcome: 'GO', detail: { mode: 'phase', phase: 'told' } }]);
  const [asked] = standIn.asked;
  expect(asked?.system).toContain('as a whole');
  expect(asked?.user).toContain('step 1: order/1 from desk to planner, what the task is for');
  const done = await mesh.request('planner', 'count', { name: 'a' }, task);
  expect(done.outcome).toMatchObject({ status: 'DONE' });
  expect(standIn.asked).toHaveLength(1);
}, 30_000);

test('while its judge has not spoken, what cannot be undone waits for a person, and the rest goes on', async () => {
  standIn.behave = () => ({ hang: true });
  const task = await started({ criteria: 'each once' });
  await tell(task, { name: 'a' });
  const low = await mesh.request('planner', 'count', { name: 'a' }, task);
  expect(low.outcome).toMatchObject({ status: 'DONE' });
  await mesh.request('planner', 'erase', { name: 'a' }, task, 100);
  await until(async () => (await heldFor(task)).some((reasons) => reasons.includes('INTENT_PHASE_UNJUDGED')));
}, 30_000);

test('a phase that a judge refuses as a whole ends its task, though every step of it was allowed', async () => {
  standIn.behave = (asked) => ({ text: answerOf(asked, 'NO-GO') });
  const task = await started({ criteria: 'each once' });
  await tell(task, { name: 'a' });
  await until(async () => (await recorded('task.ended', task)).length > 0);
  const after = await mesh.request('planner', 'count', { name: 'a' }, task);
  expect(after.body['verdict']).toBe('NO-GO');
  expect(await recorded('tool.outcome', task)).toEqual([]);
}, 30_000);
