// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/message/json.ts';
import { HostileAgent, type Heard } from '../mesh-harness/agent-line.ts';
import { attackMesh, makePeople } from '../mesh-harness/attack-mesh.ts';
import { maso, MeshFolder, sidecar, until, up, type MasoProcess } from '../mesh-harness/running-mesh.ts';

/** A tool that a kill interrupts in the middle of a write, and the people who settle what it did. */
describe('a call that a kill hid the outcome of', () => {
  const people = makePeople();
  let folder: MeshFolder;
  let planner: HostileAgent;
  const running = new Map<string, MasoProcess>();

  const start = async (name: string): Promise<void> => {
    const known = existsSync(join(folder.state, 'sidecars', name));
    running.set(name, name === 'node' ? await up(folder, ['--no-sidecars'])
      : await sidecar(folder, name, known ? [] : ['--join-token', await folder.joinTokenFile(name)]));
  };
  const made = (): number => {
    const file = join(folder.directory, 'calls.log');
    return existsSync(file) ? readFileSync(file, 'utf8').split('\n').length - 1 : 0;
  };
  const ask = (idempotencyKey: string): Promise<Heard | null> =>
    planner.post('/v1/requests', {
      to: 'payments', action: 'slow_count', parameters: { name: 'a' }, idempotencyKey,
      task: planner.task, waitMs: 20_000,
    }).catch(() => null);
  const outcomeOf = (heard: Heard | null) => heard?.body['outcome'];
  const calls = async (...args: readonly string[]) => {
    const ran = await maso(['calls', ...args, '--state', folder.state, '--json']);
    return { status: ran.status, said: JSON.parse(ran.out || '{}') as JsonObject };
  };
  const listed = async (): Promise<readonly JsonObject[]> =>
    (await calls('list')).said['calls'] as readonly JsonObject[];
  const settle = (id: string, end: string, operator = 'alice', key = 'alice') =>
    calls('settle', id, end, '--reason', 'looked at the counter', '--as', operator,
      '--key', join(folder.directory, `${key}.jwk`));

  /** Asks, and kills the executor while its tool writes. */
  const interrupted = async (idempotencyKey: string): Promise<string> => {
    const before = made();
    const asked = ask(idempotencyKey);
    await until('the tool writes', () => made() > before);
    await running.get('payments')?.kill();
    await start('payments');
    expect(outcomeOf(await asked)).toMatchObject({ status: 'IN-DOUBT', result: null });
    return until('the call in the list', async () => {
      const [first] = await listed();
      return first === undefined ? null : String(first['call']);
    });
  };

  beforeAll(async () => {
    const files = attackMesh(people);
    const text = (files['security_mesh.yaml'] ?? '').replace('development: false', 'development: true');
    folder = await MeshFolder.create({ ...files, 'security_mesh.yaml': text });
    for (const [name, key] of Object.entries(people)) {
      const jwk = JSON.stringify(key.privateKey.export({ format: 'jwk' }));
      writeFileSync(join(folder.directory, `${name}.jwk`), jwk, { mode: 0o600 });
    }
    await maso(['tools', 'pin', folder.meshFile]);
    await start('node');
    for (const name of ['desk', 'planner', 'payments']) await start(name);
    const agent = async (name: string): Promise<HostileAgent> =>
      HostileAgent.join({ socketPath: folder.socketOf(name) }, folder.tokenOf(name));
    const desk = await agent('desk');
    planner = await agent('planner');
    await desk.post('/v1/tasks', { to: 'planner', schema: 'order/1', prompt: { text: 'a' } });
    await until('the order', async () => {
      await planner.take(1_000);
      return planner.task;
    });
  }, 180_000);
  afterAll(async () => {
    for (const name of ['desk', 'planner', 'payments', 'node']) await running.get(name)?.stop();
    await folder?.remove();
  });

  it('is settled as done by an operator, and by nobody else, and never runs again', async () => {
    const call = await interrupted('first');
    const before = made();
    expect(await listed()).toMatchObject([{
      call, executor: 'payments', requester: 'planner', action: 'slow_count', tool: 'counter',
      operation: 'slow', risk: 'LOW', code: 'TOOL_INTERRUPTED', connected: true,
    }]);
    expect(await settle('01', '--done', 'alice', 'bob'))
      .toEqual({ status: 1, said: { code: 'IDENTITY_DECISION_SIGNATURE_INVALID' } });
    expect(await settle('nothing', '--done'))
      .toEqual({ status: 1, said: { code: 'TOOL_CALL_UNKNOWN' } });
    expect(await settle(call, '--done'))
      .toEqual({ status: 0, said: { call, executor: 'payments', end: 'done', state: 'applied' } });
    expect(await listed()).toEqual([]);
    expect(outcomeOf(await ask('first'))).toMatchObject({ status: 'DONE', result: null });
    expect(made()).toBe(before);
    const trace = await maso(['trace', call, '--state', folder.state, '--json']);
    expect(JSON.parse(trace.out)).toMatchObject({ resolution: { outcome: 'DONE' } });
    const settled = (await folder.entries()).filter(({ kind }) => kind === 'tool.settled');
    expect(settled).toMatchObject([{ message: call, detail: { operator: 'alice', end: 'done' } }]);
  }, 120_000);

  it('is settled as not run while its executor is away, across kills, and may run again', async () => {
    const call = await interrupted('second');
    const before = made();
    await running.get('payments')?.kill();
    await until('the executor away', async () =>
      !((await folder.control('GET', '/v1/status')).body['connected'] as readonly string[])
        .includes('payments'));
    expect(await settle(call, '--not-run'))
      .toMatchObject({ status: 0, said: { end: 'not-run', state: 'waiting' } });
    await running.get('node')?.kill();
    await start('node');
    await start('payments');
    await until('the settlement', async () =>
      (await folder.entries()).some(({ kind, message }) =>
        kind === 'tool.settled' && message === call));
    await until('nothing in doubt', async () => (await listed()).length === 0);
    expect(outcomeOf(await ask('second'))).toMatchObject({ status: 'DONE' });
    expect(made()).toBe(before + 1);
    const verified = await maso(['recorder', 'verify', '--state', folder.state, '--json']);
    expect(verified.status, verified.out).toBe(0);
  }, 120_000);
});
