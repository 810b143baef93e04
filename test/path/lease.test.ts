// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/message/json.ts';
import { HostileAgent } from '../mesh-harness/agent-line.ts';
import { attackMesh, makePeople } from '../mesh-harness/attack-mesh.ts';
import { find } from '../mesh-harness/log-entries.ts';
import {
  isRoot, maso, MeshFolder, sidecar, until, up, type MasoProcess,
} from '../mesh-harness/running-mesh.ts';

const leaseMs = 5_000;
const agents = ['desk', 'reader', 'planner', 'payments'] as const;

/** A node that is stopped in place: its sockets stay open and nothing answers. */
describe('a sidecar that no longer hears of its node', () => {
  let folder: MeshFolder;
  let node: MasoProcess;
  const running: MasoProcess[] = [];
  const speakers = new Map<string, HostileAgent>();
  let stoppedAt = 0;
  let request = 0;

  beforeAll(async () => {
    folder = await MeshFolder.create(attackMesh(makePeople()));
    await maso(['tools', 'pin', folder.meshFile]);
    node = await up(folder, ['--no-sidecars']);
    for (const [index, agent] of agents.entries()) {
      const uid = isRoot ? ['--agent-uid', String(62_100 + index)] : [];
      const token = await folder.joinTokenFile(agent);
      running.push(await sidecar(folder, agent, ['--join-token', token, ...uid]));
      const place = { socketPath: folder.socketOf(agent) };
      speakers.set(agent, await HostileAgent.join(place, folder.tokenOf(agent)));
    }
    const prompt = { text: 'a', payee: 'ACME-SUPPLIES', amount: 10 };
    await speaker('desk').post('/v1/tasks', { to: 'planner', schema: 'order/1', prompt });
    await until('the order', async () => (await speaker('planner').take(500)).length > 0);
    process.kill(node.pid, 'SIGSTOP');
    stoppedAt = performance.now();
  });
  afterAll(async () => {
    if (node !== undefined) process.kill(node.pid, 'SIGCONT');
    await Promise.all(running.map((one) => one.kill()));
    await node?.kill();
    await folder?.remove();
  });

  function speaker(agent: string): HostileAgent {
    const found = speakers.get(agent);
    if (found === undefined) throw new Error(`${agent} has not joined.`);
    return found;
  }

  const ask = (action: string, parameters: JsonObject, waitMs = 0) =>
    speaker('planner').post('/v1/requests', {
      to: 'payments', action, parameters, idempotencyKey: `key-${++request}`, waitMs,
      task: speaker('planner').task,
    });

  const payInvoice = (key: string): JsonObject =>
    ({ invoice: '1', payee: 'ACME-SUPPLIES', amount: 10, idempotency_key: key });

  const read = () => speaker('reader').post('/v1/tools/call', { tool: 'notes', operation: 'read' });

  it('asks for nothing dangerous, and reads nothing, once its lease has run out', async () => {
    await new Promise((resolve) => setTimeout(resolve, leaseMs - (performance.now() - stoppedAt)));
    const at = performance.now();
    const refused = await ask('pay_invoice', payInvoice('payment-2'));
    expect(refused).toMatchObject({ status: 403, body: { verdict: 'NO-GO', code: 'UNAVAILABLE' } });
    expect(performance.now() - at).toBeLessThan(1_000);
    // Nobody can tell whether it was killed meanwhile, so it is taken for killed.
    expect((await read()).body).toMatchObject({ verdict: 'NO-GO', code: 'UNAVAILABLE' });
  });

  it('asks again when the node goes on, and what it refused meanwhile is on record', async () => {
    process.kill(node.pid, 'SIGCONT');
    const refused = await until('the refusal on record', async () =>
      find(await folder.entries(), 'message.refused', 'SIDECAR_LEASE_EXPIRED'));
    expect(refused.actor).toBe('agent:planner');
    const paid = await until('a payment', async () => {
      const { body } = await ask('pay_invoice', payInvoice(`payment-${request + 100}`), 5_000);
      const outcome = body['outcome'] as JsonObject | undefined;
      return outcome?.['status'] === 'DONE' ? outcome : null;
    });
    expect(paid['code']).toBeNull();
  });
});
