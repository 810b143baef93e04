// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeEach, expect, test } from 'vitest';
import { answerOf, JudgeStandIn } from '../judge-standin/server.ts';
import { SpiralMesh } from '../mesh-harness/spiral-mesh.ts';

let standIn: JudgeStandIn;
let mesh: SpiralMesh;

beforeEach(async () => {
  standIn = await JudgeStandIn.start();
  mesh = await SpiralMesh.start(standIn.url);
});

afterEach(async () => {
  await mesh.stop();
  await standIn.close();
});

async function until(holds: () => boolean): Promise<void> {
  for (let turn = 0; turn < 400 && !holds(); turn += 1) await new Promise((resolve) => setTimeout(resolve, 50));
  expect(holds()).toBe(true);
}

test('an action that waited for the judge when its sidecar was killed is judged again, and done once', async () => {
  standIn.behave = () => ({ hang: true });
  const running = mesh.request('PROFORMA-42');
  await until(() => standIn.asked.length === 1);
  standIn.behave = (asked) => ({ text: answerOf(asked, 'GO'), tokens: [100, 100] });
  mesh.killSidecar('payments');
  const { task } = await running;
  expect(standIn.asked).toHaveLength(2);
  const entries = (await mesh.entries()).filter((entry) => entry.task === task);
  expect(entries.filter(({ kind }) => kind === 'tool.outcome')).toHaveLength(1);
  const ledger = await mesh.ledger(task);
  expect(ledger).toMatchObject({ hops: [{}, {}, {}, {}], judge: { calls: 1, callsOnPath: 1, micros: 10_000 } });
  const again = await mesh.ledger(task);
  expect(again).toEqual(ledger);
}, 60_000);
