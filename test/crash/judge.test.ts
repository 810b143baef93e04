// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeEach, expect, test } from 'vitest';
import { answerOf, JudgeStandIn } from '../judge-standin/server.ts';
import { SpiralMesh } from '../mesh-harness/spiral-mesh.ts';

let standIn: JudgeStandIn;
let mesh: SpiralMesh | null = null;

beforeEach(async () => {
  standIn = await JudgeStandIn.start();
  mesh = await SpiralMesh.start(standIn.url);
}, 60_000);

afterEach(async () => {
  await mesh?.stop();
  mesh = null;
  await standIn.close();
});

function started(): SpiralMesh {
  if (mesh === null) throw new Error('The mesh did not start.');
  return mesh;
}

async function until(holds: () => boolean): Promise<void> {
  for (let turn = 0; turn < 400 && !holds(); turn += 1) await new Promise((resolve) => setTimeout(resolve, 50));
  expect(holds()).toBe(true);
}

test('an action that waited for the judge when its sidecar was killed is judged again, and done once', async () => {
  standIn.behave = () => ({ hang: true });
  const running = started().request('PROFORMA-42');
  await until(() => standIn.asked.length === 1);
  standIn.behave = (asked) => ({ text: answerOf(asked, 'GO'), tokens: [100, 100] });
  await started().killSidecar('payments');
  const { task } = await running;
  expect(standIn.asked).toHaveLength(2);
  const entries = (await started().entries()).filter((entry) => entry.task === task);
  expect(entries.filter(({ kind }) => kind === 'tool.outcome')).toHaveLength(1);
  const ledger = await started().ledger(task);
  expect(ledger).toMatchObject({ hops: [{}, {}, {}, {}], judge: { calls: 1, callsOnPath: 1, micros: 10_000 } });
  const again = await started().ledger(task);
  expect(again).toEqual(ledger);
}, 90_000);
