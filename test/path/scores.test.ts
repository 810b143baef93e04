// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isJsonObject } from '../../src/message/json.ts';
import { agentRequests } from '../../src/sidecar/agent-requests.ts';
import { attackMesh, makePeople } from '../mesh-harness/attack-mesh.ts';
import { MeshInProcess } from '../mesh-harness/mesh-in-process.ts';
import { maso, MeshFolder, until } from '../mesh-harness/running-mesh.ts';

/** OB-2.2 on a running mesh: what is recorded is scored, and the score moves PACE by itself. */
describe('scores on a running mesh', () => {
  let folder: MeshFolder;
  let mesh: MeshInProcess;

  beforeAll(async () => {
    folder = await MeshFolder.create(attackMesh(makePeople()));
    await maso(['tools', 'pin', folder.meshFile]);
    mesh = await MeshInProcess.start(folder, ['desk', 'planner', 'reader']);
    for (const agent of ['desk', 'planner', 'reader']) await mesh.fresh(agent);
  });
  afterAll(async () => {
    await mesh?.close();
    await folder?.remove();
  });

  const note = async (from: string, to: string, task: string, round: number): Promise<number> => {
    const message = { to, type: 'data', schema: 'note/1', payload: { text: `round ${round}` }, task };
    const { status } = await mesh.api(from).sendMessage(agentRequests.sendMessage.parse(message), mesh.memory(from));
    return status;
  };

  it('stops two agents that hand a task to and fro, and says why', async () => {
    const started = await mesh.startTask('desk', 'planner', { text: 'find out' });
    const task = String(started.body['task']);
    await mesh.take('planner', task);
    let rounds = 0;
    for (; rounds < 14; rounds += 1) {
      if ((await note('planner', 'reader', task, rounds)) !== 202) break;
      if (rounds === 0) await mesh.take('reader', task);
      if ((await note('reader', 'planner', task, rounds)) !== 202) break;
    }
    expect(rounds).toBeGreaterThanOrEqual(9);
    expect(rounds).toBeLessThan(14);
    const raised = (await folder.entries()).filter(({ kind }) => kind === 'anomaly.raised');
    expect(raised.map(({ code, detail }) => [code, detail['score']])).toEqual([['ANOMALY_LOOP', 45], ['ANOMALY_LOOP', 65]]);
    const stopped = raised[1]?.detail['agent'];
    await until('the agent that closed the circle is isolated', async () => {
      const { body } = await mesh.control('GET', '/v1/pace');
      const units = Array.isArray(body['units']) ? body['units'].filter(isJsonObject) : [];
      return units.some((one) => one['unit'] === `agent:${String(stopped)}` && one['phase'] === 'ALTERNATE' &&
        one['code'] === 'PACE_SCORE_ISOLATES' && one['incident'] === raised[1]?.id);
    });
  });
});
