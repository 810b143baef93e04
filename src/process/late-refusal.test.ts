// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Entries } from '../../test/mesh-harness/log-entries.ts';
import type { EntryKind } from '../recorder/entry.ts';
import { agentRequests } from '../sidecar/agent-requests.ts';
import { answerOf, JudgeStandIn } from '../../test/judge-standin/server.ts';
import { makePeople } from '../../test/mesh-harness/attack-mesh.ts';
import { mandateMesh } from '../../test/mesh-harness/mandate-mesh.ts';
import { MeshInProcess } from '../../test/mesh-harness/mesh-in-process.ts';
import { MeshFolder } from '../../test/mesh-harness/running-mesh.ts';

let standIn: JudgeStandIn;
let folder: MeshFolder;
let mesh: MeshInProcess;

/** A mesh whose LOW action `count` is escalated by a pattern for one of its names. */
beforeEach(async () => {
  standIn = await JudgeStandIn.start();
  const files = mandateMesh(makePeople());
  const text = (files['security_mesh.yaml'] ?? '').replaceAll('[a, b, c]', '[a, b, shady]');
  const judge = `  patterns: [ { id: shady, pattern: "shady", outcome: ESCALATE } ]
  judge:
    models: { one: { openai_compatible: { url: "${standIn.url}" }, model: m, family: one } }
    subjects: { fraud: { model: one } }
    sampling: { low: 1, medium: 1, messages: 1 }
`;
  folder = await MeshFolder.create({ ...files, 'security_mesh.yaml': text + judge });
  mesh = await MeshInProcess.start(folder, ['desk', 'planner', 'clerk', 'payments']);
  for (const agent of ['desk', 'planner', 'clerk']) await mesh.fresh(agent);
});

afterEach(async () => {
  await mesh.close();
  await folder.remove();
  await standIn.close();
});

async function recorded(kind: EntryKind): Promise<Entries> {
  return (await folder.entries()).filter((entry) => entry.kind === kind);
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let turn = 0; turn < 100; turn += 1) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('It did not happen.');
}

test('an action that a judge refuses afterwards ends its task: nothing more is done in it', async () => {
  standIn.behave = (asked) => ({ text: answerOf(asked, 'NO-GO') });
  const { body } = await mesh.startTask('desk', 'planner', { text: 'count' });
  const task = String(body['task']);
  await mesh.take('planner', task);
  const first = await mesh.request('planner', 'count', { name: 'shady' }, task);
  expect(first.outcome).toMatchObject({ status: 'DONE' });
  await until(async () => (await recorded('task.ended')).length > 0);
  const again = await mesh.request('planner', 'count', { name: 'a' }, task);
  expect(again.body['verdict']).toBe('NO-GO');
  expect(await recorded('tool.outcome')).toHaveLength(1);
  await until(async () => (await recorded('indicator.raised'))
    .some(({ code }) => code === 'JUDGE_REFUSED_LATE'));
});

test('a message that a judge refuses afterwards ends the session of the agent that read it', async () => {
  standIn.behave = (asked) => ({ text: answerOf(asked, 'NO-GO'), afterMs: 300 });
  const { body } = await mesh.startTask('desk', 'planner', { text: 'a shady order' });
  await mesh.take('planner', String(body['task']));
  const { sidecar } = mesh.sidecar('planner');
  await until(async () => !sidecar.isLive(mesh.memory('planner')));
  await until(async () => (await recorded('session.ended'))
    .some(({ detail }) => detail['reason'] === 'JUDGE_REFUSED_LATE'));
});

test('whoever read what was made of a refused message starts anew, and owners are named', async () => {
  standIn.behave = (asked) => ({ text: answerOf(asked, 'NO-GO'), afterMs: 1500 });
  const { body } = await mesh.startTask('desk', 'planner', { text: 'a shady order' });
  const task = String(body['task']);
  await mesh.take('planner', task);
  await mesh.instruct('planner', 'clerk', task);
  await mesh.take('clerk', task);
  const clerk = mesh.memory('clerk');
  expect(mesh.sidecar('clerk').sidecar.isLive(clerk)).toBe(true);
  await until(async () => !mesh.sidecar('clerk').sidecar.isLive(clerk));
  await until(async () => (await recorded('indicator.raised'))
    .some(({ detail }) => detail['indicator'] === 'LATE'));
  const contained = (await recorded('indicator.raised')).find(({ detail }) => detail['indicator'] === 'LATE');
  expect(contained).toMatchObject({
    code: 'JUDGE_REFUSED_LATE', task, detail: { agents: ['clerk', 'planner'], owners: [], done: 0, told: false },
  });
});

test('a sidecar that was away hears of it when it is back: what waited for it is handed to nobody', async () => {
  standIn.behave = (asked) => ({ text: answerOf(asked, 'NO-GO'), afterMs: 2000 });
  const { body } = await mesh.startTask('desk', 'planner', { text: 'a shady order' });
  const task = String(body['task']);
  await mesh.take('planner', task);
  await mesh.instruct('planner', 'clerk', task);
  await until(async () => (await recorded('message.delivered')).some(({ actor }) => actor === 'sidecar:clerk'));
  await mesh.sidecar('clerk').close();
  await until(async () => (await recorded('indicator.raised'))
    .some(({ detail }) => detail['indicator'] === 'LATE'));
  await mesh.join('clerk');
  await until(async () => (await recorded('indicator.raised'))
    .some(({ code, actor }) => code === 'SIDECAR_QUARANTINED' && actor === 'sidecar:clerk'));
  await mesh.fresh('clerk');
  const taken = await mesh.api('clerk').takeMessages(
    agentRequests.takeMessages.parse({ waitMs: 1000 }), mesh.memory('clerk'), new AbortController().signal);
  expect(taken.body['messages']).toEqual([]);
});
