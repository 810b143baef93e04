// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/message/json.ts';
import { HostileAgent } from '../mesh-harness/agent-line.ts';
import { attackMesh, makePeople } from '../mesh-harness/attack-mesh.ts';
import { maso, MeshFolder, until, up, type MasoProcess } from '../mesh-harness/running-mesh.ts';

const lifetimeMs = 5_000;
const loadMs = 11_000;

describe('identities that are replaced every few seconds', () => {
  let folder: MeshFolder;
  let mesh: MasoProcess;
  let reader: HostileAgent;
  let planner: HostileAgent;

  beforeAll(async () => {
    const files = attackMesh(makePeople());
    const text = (files['security_mesh.yaml'] ?? '').replace(
      'credential_rotation_interval_ms: 600000',
      `credential_rotation_interval_ms: ${lifetimeMs}`,
    );
    expect(text).toContain(`interval_ms: ${lifetimeMs}`);
    folder = await MeshFolder.create({ ...files, 'security_mesh.yaml': text });
    await maso(['tools', 'pin', folder.meshFile]);
    mesh = await up(folder);
    const joinAs = (agent: string): Promise<HostileAgent> =>
      HostileAgent.join({ socketPath: folder.socketOf(agent) }, folder.tokenOf(agent));
    reader = await joinAs('reader');
    planner = await joinAs('planner');
  });
  afterAll(async () => {
    await mesh?.stop();
    await folder?.remove();
  });

  const thumbprintOf = async (agent: string): Promise<unknown> =>
    (await folder.control('GET', `/v1/agents/${agent}`)).body['thumbprint'];

  it('lose, refuse and repeat no message', async () => {
    const seen = new Set<unknown>();
    const got: string[] = [];
    let sent = 0;
    const until_ = performance.now() + loadMs;
    const sending = async (): Promise<void> => {
      while (performance.now() < until_) {
        const number = (sent += 1);
        const heard = await reader.send('planner', 'note/1', { text: `note ${number}` });
        expect(heard).toMatchObject({ status: 202 });
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    };
    const watching = async (): Promise<void> => {
      while (performance.now() < until_) {
        seen.add(await thumbprintOf('reader'));
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    };
    await Promise.all([sending(), sending(), watching()]);
    await until('every message', async () => {
      for (const message of await planner.take()) got.push(String((message['payload'] as JsonObject)['text']));
      return got.length >= sent;
    });
    seen.delete(null);
    console.log(`${sent} messages over ${seen.size} identities`);
    expect(seen.size).toBeGreaterThanOrEqual(3);
    expect(new Set(got).size).toBe(sent);
    expect(got).toHaveLength(sent);
  });
});
