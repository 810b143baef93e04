// SPDX-License-Identifier: Apache-2.0
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/adapters/clock-system.ts';
import { stampOf } from '../../src/adapters/process-stamp.ts';
import { systemRandom } from '../../src/adapters/random-system.ts';
import { signOperatorDecision } from '../../src/identity/operator-signature.ts';
import { mintUlid } from '../../src/message/identifiers.ts';
import type { JsonObject } from '../../src/message/json.ts';
import { HostileAgent, type Heard } from '../mesh-harness/agent-line.ts';
import { makePeople } from '../mesh-harness/attack-mesh.ts';
import { find } from '../mesh-harness/log-entries.ts';
import { killSidecar, maso, MeshFolder, until, up, type MasoProcess } from '../mesh-harness/running-mesh.ts';
import { spawnMesh } from '../mesh-harness/spawn-mesh.ts';

const clock = systemClock();

/** In the order of the tests: each leaves the mesh without children. */
describe('agents that are spawned on a running mesh', () => {
  const people = makePeople();
  let folder: MeshFolder;
  let mesh: MasoProcess;
  let planner: HostileAgent;
  let desk: HostileAgent;
  let task: string;
  let keys = 0;

  const joinAs = async (agent: string): Promise<HostileAgent> =>
    HostileAgent.join({ socketPath: folder.socketOf(agent) }, folder.tokenOf(agent));
  const joined = (agent: string): Promise<HostileAgent> =>
    until(`the token of ${agent}`, () => joinAs(agent).catch(() => null));

  const begin = async (): Promise<void> => {
    desk = await joined('desk');
    planner = await joined('planner');
    await desk.post('/v1/tasks', { to: 'planner', schema: 'order/1', prompt: { text: 'a' } });
    await until('the order', async () => {
      const [order] = await planner.take(500);
      task = String(order?.['task']);
      return order !== undefined;
    });
  };

  beforeAll(async () => {
    folder = await MeshFolder.create(spawnMesh(people));
    chmodSync(join(folder.directory, 'pids', 'worker'), 0o666);
    const jwk = JSON.stringify(people.alice.privateKey.export({ format: 'jwk' }));
    writeFileSync(join(folder.directory, 'alice.jwk'), jwk, { mode: 0o600 });
    await maso(['tools', 'pin', folder.meshFile]);
    mesh = await up(folder);
    await begin();
  });
  afterAll(async () => {
    await mesh?.stop();
    await folder?.remove();
  });

  const spawn = (template: string, more: JsonObject = {}, by = planner): Promise<Heard> =>
    by.post('/v1/children', { template, task, key: `key-${++keys}`, ...more });
  /** The place of a child is free once its sidecar is gone, a little after its end. */
  const spawnSoon = (template: string, more: JsonObject = {}) =>
    until(`a ${template}`, async () => (await spawn(template, more)).status === 200);
  const agents = async (): Promise<readonly JsonObject[]> =>
    (await folder.control('GET', '/v1/agents')).body['agents'] as readonly JsonObject[];
  const shown = async (agent: string): Promise<JsonObject | undefined> =>
    (await agents()).find(({ name }) => name === agent);
  const gone = (agent: string) =>
    until(`the end of ${agent}`, async () => (await shown(agent)) === undefined);
  const refusedAs = (code: string) => until(code, async () =>
    find(await folder.entries(), 'identity.refused', code, ({ detail }) => detail['at'] === 'spawn'));
  const endOf = (agent: string, reason: string) => until(`${agent} ${reason}`, async () =>
    (await folder.entries()).findLast(({ kind, detail }) =>
      kind === 'agent.ended' && detail['agent'] === agent && detail['reason'] === reason));
  const agentCommand = (...args: readonly string[]) =>
    maso(['agent', ...args, '--state', folder.state, '--json']);
  const signedBy = (): readonly string[] => ['--as', 'alice', '--key', join(folder.directory, 'alice.jwk')];

  it('have a fresh identity below their parent, and only what was given to them', async () => {
    const before = performance.now();
    const answer = await spawn('helper', { tools: [], lifetimeMs: 30_000 });
    console.log(`a child ran ${Math.round(performance.now() - before)} ms after it was asked for`);
    expect(answer).toMatchObject({ status: 200, body: { verdict: 'GO', child: 'helper-1' } });
    const parent = await shown('planner');
    const child = await shown('helper-1');
    expect(parent?.['children']).toEqual(['helper-1']);
    expect(child?.['lineage']).toMatchObject({
      template: 'helper', by: 'agent:planner', task, tools: [], requests: ['count'],
      ancestors: [parent?.['spiffeId']],
    });
    const entries = await folder.entries();
    expect(entries.find(({ kind }) => kind === 'agent.spawned')?.detail).toMatchObject({
      agent: 'helper-1', parent: parent?.['spiffeId'], spiffeId: child?.['spiffeId'],
    });
    const helper = await joined('helper-1');
    const read = await helper.post('/v1/tools/call', { tool: 'notes', operation: 'read' });
    expect(read.status).toBe(403);
    const listed = await maso(['agent', 'list', '--state', folder.state]);
    expect(listed.out).toContain('spawned by agent:planner from helper');
    expect(listed.out).toContain('children helper-1');
    expect((await spawn('helper', { key: 'key-1', tools: [], lifetimeMs: 30_000 })).body).toMatchObject({
      child: 'helper-1',
    });
  });

  it('work in their task, in their scope, and in no other', async () => {
    const spare = await spawn('helper');
    const name = String(spare.body['child']);
    expect(name).toBe('helper-2');
    const other = await joined(name);
    const alone = await other.send('planner', 'note/1', { text: 'of my own' });
    expect(alone).toMatchObject({ status: 403 });
    await planner.send(name, 'order/1', { text: 'go' }, { type: 'instruction', task });
    await until('the order', async () => (await other.take(500)).length > 0);
    expect(await other.send('planner', 'note/1', { text: 'b' }, { task })).toMatchObject({ status: 202 });
    const foreign = await planner.send(name, 'order/1', { text: 'go' }, { type: 'instruction' });
    expect(foreign.status).toBe(403);
    const wide = await other.post('/v1/requests', {
      to: 'payments', action: 'refund', parameters: {}, idempotencyKey: 'w', task, waitMs: 0,
    });
    expect(wide.status).toBe(403);
    const read = await other.post('/v1/tools/call', { tool: 'notes', operation: 'read', task });
    expect(read).toMatchObject({ status: 200 });
    const ended = await planner.post('/v1/children/end', { task });
    expect(ended.body).toMatchObject({ ended: 2 });
    await gone('helper-1');
    await endOf(name, 'TASK_ENDED');
    const late = await planner.send(name, 'order/1', { text: 'go' }, { type: 'instruction', task });
    expect(late.status).toBe(403);
    await until('the refusal', async () => find(await folder.entries(), 'message.refused', 'BUS_CHILD_GONE'));
  });

  it('are refused beyond the limits, the right, and what their parent has', async () => {
    const reader = await joined('reader');
    const denied = await spawn('helper', {}, reader);
    expect(denied).toMatchObject({ status: 403, body: { code: 'REFUSED' } });
    await until('the indicator', async () => find(await folder.entries(), 'indicator.raised', 'SIDECAR_SPAWN_DENIED'));
    expect(await spawn('reader')).toMatchObject({ status: 403 });
    expect(await spawn('helper', { tools: ['bank'] })).toMatchObject({ status: 403 });
    expect(await spawn('helper', { requests: ['refund'] })).toMatchObject({ status: 403 });
    expect(await spawn('helper', { clearance: 'restricted' })).toMatchObject({ status: 403 });
    expect(await spawn('helper', { lifetimeMs: 60_001 })).toMatchObject({ status: 403 });
    await refusedAs('CONTROL_SPAWN_WIDER');
    expect(await spawn('helper', { task: mintUlid(clock, systemRandom) })).toMatchObject({ status: 403 });
    const three = await Promise.all([spawn('helper'), spawn('helper'), spawn('helper'), spawn('helper')]);
    expect(three.map(({ status }) => status).sort()).toEqual([200, 200, 200, 403]);
    await refusedAs('CONTROL_SPAWN_LIMIT');
    expect((await planner.post('/v1/children/end', { task })).body).toMatchObject({ ended: 3 });
    await gone('helper-3');
  });

  it('of a child wait for a person, stay within it, and fall with it', async () => {
    expect(await spawn('lead')).toMatchObject({ status: 200, body: { child: 'lead-1' } });
    const lead = await joined('lead-1');
    await planner.send('lead-1', 'order/1', { text: 'go' }, { type: 'instruction', task });
    await until('the order', async () => (await lead.take(500)).length > 0);
    const asked = { template: 'helper', task, key: 'of the lead' };
    expect(await lead.post('/v1/children', asked)).toMatchObject({
      status: 202, body: { verdict: 'ESCALATE', code: 'HELD' },
    });
    const held = await until('the approval', async () =>
      ((await folder.control('GET', '/v1/approvals')).body['approvals'] as readonly JsonObject[])
        .find(({ state }) => state === 'pending'));
    const { digest, action, requester } = held['hold'] as JsonObject;
    expect([action, requester]).toEqual(['spawn', 'lead-1']);
    const signed = signOperatorDecision({
      approval: String(held['id']), digest: String(digest), decision: 'approve' as const,
      operator: 'alice', at: clock.nowMs(), reason: '',
    }, people.alice);
    const decided = await folder.control('POST', '/v1/approvals/decisions', { signed });
    expect(decided.body).toMatchObject({ code: null });
    expect(await lead.post('/v1/children', { ...asked, tools: [] })).toMatchObject({ status: 403 });
    const grandchild = await lead.post('/v1/children', asked);
    expect(grandchild).toMatchObject({ status: 200 });
    const name = String(grandchild.body['child']);
    const { lineage } = (await shown(name)) ?? {};
    expect(lineage).toMatchObject({ depthLeft: 0, requests: [], tools: ['notes'] });
    expect((lineage as JsonObject)['ancestors']).toHaveLength(2);
    const { spiffeId } = (await shown('lead-1')) ?? {};
    const at = performance.now();
    expect(await agentCommand('revoke', String(spiffeId), ...signedBy())).toMatchObject({ status: 0 });
    await gone('lead-1');
    await gone(name);
    console.log(`child and grandchild gone ${Math.round(performance.now() - at)} ms after the revocation`);
    await endOf('lead-1', 'REVOKED');
    await endOf(name, 'PARENT_REVOKED');
    const revoked = (await folder.entries()).filter(({ kind }) => kind === 'identity.revoked');
    expect(revoked.map(({ detail }) => (detail['target'] as JsonObject)['value'])).toContain(spiffeId);
  });

  const workers = (): readonly number[] =>
    readFileSync(join(folder.directory, 'pids', 'worker'), 'utf8').trim().split('\n').filter(Boolean).map(Number);
  const lastWorker = (count: number) => until('the worker', () => workers().length >= count && workers().at(-1));

  it('end with their process, and their process with them', async () => {
    await spawnSoon('worker');
    process.kill(await lastWorker(1), 'SIGKILL');
    await endOf('worker-1', 'PROCESS_ENDED');
    await gone('worker-1');
    await spawnSoon('worker', { lifetimeMs: 5_000 });
    const second = await lastWorker(2);
    await endOf('worker-1', 'TIME_OVER');
    await until('the end of the process', () => stampOf(second) === null);
    await spawnSoon('worker');
    const third = await lastWorker(3);
    await killSidecar(mesh.pid, 'worker-1');
    await until('the end of the process', () => stampOf(third) === null);
    await gone('worker-1');
  });

  it('end with the process of their parent', async () => {
    await spawnSoon('worker');
    const worker = await lastWorker(4);
    const token = folder.tokenOf('planner');
    // A second use of the token ends the session: the process that spawned is no more believed.
    await HostileAgent.join({ socketPath: folder.socketOf('planner') }, token).catch(() => null);
    await endOf('worker-1', 'PARENT_ENDED');
    await until('the end of the process', () => stampOf(worker) === null);
  });

  it('are spawned by an operator, below a parent that may have them', async () => {
    const by = ['--parent', 'planner', ...signedBy()];
    const done = await agentCommand('spawn', 'helper', ...by);
    expect(done, done.err).toMatchObject({ status: 0 });
    expect(JSON.parse(done.out)).toMatchObject({ child: 'helper-1' });
    expect((await shown('helper-1'))?.['lineage']).toMatchObject({ by: 'operator:alice' });
    const denied = await agentCommand('spawn', 'helper', '--parent', 'reader', ...signedBy());
    expect(JSON.parse(denied.out)).toEqual({ code: 'CONTROL_SPAWN_DENIED' });
    const away = await agentCommand('spawn', 'helper', '--parent', 'mallory', ...signedBy());
    expect(JSON.parse(away.out)).toEqual({ code: 'CONTROL_SPAWN_PARENT' });
    expect(await folder.control('POST', '/v1/join-tokens', { agent: 'helper-1' })).toMatchObject({
      status: 404, body: { code: 'CONTROL_AGENT_UNKNOWN' },
    });
  });

  it('end when their node is killed, processes and all, and do not come back', async () => {
    const { spiffeId } = (await shown('helper-1')) ?? {};
    await planner.post('/v1/children/end', { task });
    await mesh.kill();
    mesh = await up(folder);
    expect(await shown('helper-1')).toBeUndefined();
    await endOf('helper-1', 'NODE_RESTARTED');
    const { revocations } = (await folder.control('GET', '/v1/agents/helper-1')).body;
    const targets = (revocations as readonly JsonObject[]).map(({ target }) => (target as JsonObject)['value']);
    expect(targets).toContain(spiffeId);
  });
});
