// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HostileAgent, type Heard } from '../mesh-harness/agent-line.ts';
import { makePeople } from '../mesh-harness/attack-mesh.ts';
import { mandateMesh } from '../mesh-harness/mandate-mesh.ts';
import { maso, MeshFolder, sidecar, until, up, type MasoProcess } from '../mesh-harness/running-mesh.ts';

const cap = 6;
const requests = 16;
const executors = ['payments', 'vault'] as const;

/** Two executors of one action, whose cap is for both together. */
function twoExecutors(): { readonly [file: string]: string } {
  const files = mandateMesh(makePeople());
  const spec = files['oispec/payments.yaml'] ?? '';
  const text = (files['security_mesh.yaml'] ?? '')
    .replace('  agents:\n', '  bounds: { escalate_at: 1, breaker: { failures: 1000, agent_failures: 1000 } }\n' +
      '  agents:\n    vault:\n      { role: EXECUTOR, zone: core, oispec: oispec/vault.yaml, ' +
      'tools: [counter], isolation: uid }\n')
    .replace('  edges:\n', '  edges:\n    - { from: planner, to: vault, may_request: [weigh] }\n')
    .replace('grams: { type: number } }\n', 'grams: { type: number, minimum: 0 } }\n' +
      `      caps: { grams: { per_hour: ${cap} } }\n`);
  return {
    ...files,
    'security_mesh.yaml': text,
    'oispec/vault.yaml': spec.replaceAll('payments', 'vault')
      .replace('permitted_tools: []', 'permitted_tools: [counter]'),
  };
}

describe('a cap of two executors whose processes are killed', () => {
  let folder: MeshFolder;
  const running = new Map<string, MasoProcess>();
  let planner: HostileAgent;

  const start = async (name: string): Promise<void> => {
    const known = existsSync(join(folder.state, 'sidecars', name));
    running.set(name, name === 'node' ? await up(folder, ['--no-sidecars'])
      : await sidecar(folder, name, known ? [] : ['--join-token', await folder.joinTokenFile(name)]));
  };
  const calls = (): readonly string[] => {
    const file = join(folder.directory, 'calls.log');
    return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
  };
  const ask = (key: number): Promise<Heard | null> =>
    planner.post('/v1/requests', {
      to: executors[key % 2] ?? '', action: 'weigh', parameters: { name: 'a', grams: 1 },
      idempotencyKey: `k${key}`, task: planner.task, waitMs: 20_000,
    }).catch(() => null);

  beforeAll(async () => {
    folder = await MeshFolder.create(twoExecutors());
    await maso(['tools', 'pin', folder.meshFile]);
    await start('node');
    for (const name of ['desk', 'planner', ...executors]) await start(name);
    const agent = async (name: string): Promise<HostileAgent> =>
      HostileAgent.join({ socketPath: folder.socketOf(name) }, folder.tokenOf(name));
    const desk = await agent('desk');
    planner = await agent('planner');
    await desk.post('/v1/tasks', { to: 'planner', schema: 'order/1', prompt: { text: 'weigh' } });
    await until('the order', async () => {
      await planner.take(1_000);
      return planner.task;
    });
  }, 180_000);
  afterAll(async () => {
    for (const name of ['desk', 'planner', ...executors, 'node']) await running.get(name)?.stop();
    await folder?.remove();
  });

  it('is never exceeded, with many requests in flight, and is remembered afterwards', async () => {
    const asked = Array.from({ length: requests }, (_, key) => ask(key));
    for (const name of ['payments', 'node', 'vault']) {
      await until('a call', async () => calls().length > 0 ? true : null).catch(() => null);
      await running.get(name)?.kill();
      await start(name);
    }
    await Promise.all(asked);
    for (let key = 0; key < requests; key += 1) await ask(requests + key);
    const made = calls();
    expect(made.length).toBeLessThanOrEqual(cap);
    expect(new Set(made).size).toBe(made.length);
    expect(made.length).toBeGreaterThan(0);
    await until('the refusal', async () => (await folder.entries())
      .some(({ kind, code }) => kind === 'request.reviewed' && code === 'BOUNDS_EXCEEDED'));
  }, 240_000);
});
