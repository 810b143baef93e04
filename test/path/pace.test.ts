// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isJsonObject, type JsonObject } from '../../src/message/json.ts';
import { HostileAgent } from '../mesh-harness/agent-line.ts';
import { find } from '../mesh-harness/log-entries.ts';
import { paceMesh, pacePeople, writeKeys, type PacePeople } from '../mesh-harness/pace-mesh.ts';
import { maso, MeshFolder, until, up, type MasoProcess } from '../mesh-harness/running-mesh.ts';

/** A killed agent's next action fails (G7). Each test goes on where the one before ended. */
describe('PACE on the running mesh', () => {
  const people = pacePeople();
  const agents = ['one', 'two', 'three'];
  const pace = '    kill_window_ms: 30000\n  workflows: { pair: { agents: [one, two], pace: { supervised: two } } }\n';
  let folder: MeshFolder;
  let mesh: MasoProcess;
  const speakers = new Map<string, HostileAgent>();

  beforeAll(async () => {
    folder = await MeshFolder.create(paceMesh(people, agents, pace));
    writeKeys(folder, people);
    await maso(['tools', 'pin', folder.meshFile]);
    mesh = await up(folder);
    for (const agent of agents) speakers.set(agent, await joinAs(agent));
  });
  afterAll(async () => {
    await mesh?.stop();
    await folder?.remove();
  });

  // Rejects, and does not throw, while the sidecar has not written its token yet.
  const joinAs = async (agent: string): Promise<HostileAgent> =>
    HostileAgent.join({ socketPath: folder.socketOf(agent) }, folder.tokenOf(agent));

  const call = async (agent: string, operation = 'count') =>
    (await speakers.get(agent)?.post('/v1/tools/call', {
      tool: 'counter', operation, arguments: { agent },
    }))?.body ?? {};

  const order = async (by: keyof PacePeople, ...args: readonly string[]): Promise<JsonObject> => {
    const key = join(folder.directory, `${by}.jwk`);
    const ran = await maso([...args, '--as', by, '--key', key, '--state', folder.state, '--json']);
    const said: unknown = JSON.parse(ran.out);
    return { status: ran.status ?? -1, ...(isJsonObject(said) ? said : {}) };
  };

  const clampOf = async (agent: string): Promise<JsonObject> => {
    const { body } = await folder.control('GET', '/v1/pace');
    const listed = Array.isArray(body['agents']) ? body['agents'].filter(isJsonObject) : [];
    return listed.find((one) => one['agent'] === agent) ?? {};
  };

  const calls = (): readonly string[] => {
    const file = join(folder.directory, 'calls.log');
    return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
  };

  /** A fresh session of an agent whose sidecar was told that it may work again. */
  const back = async (agent: string): Promise<void> => {
    speakers.set(agent, await until(`${agent} is back`, () => joinAs(agent).catch(() => null), 30_000));
  };

  /** Its lease is a question and an answer away. */
  const works = (agent: string) =>
    until(`${agent} works`, async () => (await call(agent))['verdict'] === 'GO', 5_000);

  const evidence = ['--root-cause', 'drill', '--remediation', 'none needed'];

  it('isolates the agent whose sign of compromise is recorded, and nobody else', async () => {
    expect((await call('three'))['verdict']).toBe('GO');
    // Only its own sidecar can say so of it: a token that is used twice.
    await joinAs('three').catch(() => null);
    await until('the isolation', async () => (await clampOf('three'))['phase'] === 'ALTERNATE');
    expect(await clampOf('three')).toMatchObject({ allows: 'nothing' });
    expect(await clampOf('one')).toMatchObject({ phase: 'PRIMARY', allows: 'all' });
    expect((await call('one'))['verdict']).toBe('GO');
    const entry = await until('the entry', async () =>
      find(await folder.entries(), 'pace.changed', 'PACE_COMPROMISE'));
    expect(entry.detail).toMatchObject({ unit: 'agent:three', fromPhase: 'PRIMARY', toPhase: 'ALTERNATE' });
  });

  it('lets nobody lead it back without authority or evidence', async () => {
    expect(await order('bob', 'pace', 'recover', 'agent:three', ...evidence))
      .toMatchObject({ status: 1, code: 'PACE_AUTHORITY_MISSING' });
    expect(await order('alice', 'pace', 'recover', 'agent:three', '--root-cause', ' ', '--remediation', 'x'))
      .toMatchObject({ status: 1, code: 'PACE_EVIDENCE_MISSING' });
    expect(await order('alice', 'pace', 'recover', 'agent:three', ...evidence)).toMatchObject({ status: 0 });
    await until('the clamp', async () => (await clampOf('three'))['allows'] === 'all');
  });

  it('leaves one supervised agent at work in Contingency', async () => {
    expect(await order('alice', 'pace', 'transition', 'workflow:pair', 'CONTINGENCY')).toMatchObject({ status: 0 });
    expect((await call('one'))['verdict']).toBe('NO-GO');
    expect((await call('two'))['verdict']).toBe('GO');
    expect(await clampOf('two')).toMatchObject({ allows: 'supervised' });
    expect(await order('alice', 'pace', 'recover', 'workflow:pair', ...evidence)).toMatchObject({ status: 0 });
    expect(await order('alice', 'pace', 'recover', 'workflow:pair', ...evidence)).toMatchObject({ status: 0 });
    await back('one');
    await works('one');
  });

  it('drills an isolation there and back, and keeps what it saw', async () => {
    const drilled = await order('alice', 'pace', 'drill', 'isolate', 'agent:three');
    expect(drilled).toMatchObject({ status: 0, ok: true, scenario: 'isolate' });
    const kept: unknown = JSON.parse(readFileSync(String(drilled['file']), 'utf8'));
    expect(kept).toMatchObject({ ok: true, steps: [{ seen: { phase: 'ALTERNATE' } }, { seen: { phase: 'PRIMARY' } }] });
    const entry = find(await folder.entries(), 'pace.changed', 'PACE_ORDERED', ({ detail }) =>
      detail['reason'] === `drill ${String(drilled['drill'])}`);
    expect(entry?.detail).toMatchObject({ unit: 'agent:three', toPhase: 'ALTERNATE' });
    await back('three');
    expect(await order('alice', 'pace', 'drill', 'contain', 'agent:nobody')).toMatchObject({ status: 1, ok: false });
    // Bob may raise and not lead back: his drill would leave it stopped. And no drill leads back what is isolated for a reason.
    expect(await order('bob', 'pace', 'drill', 'contain', 'agent:three')).toMatchObject({ status: 1, code: 'PACE_AUTHORITY_MISSING' });
    expect(await order('alice', 'pace', 'transition', 'agent:three', 'ALTERNATE')).toMatchObject({ status: 0 });
    expect(await order('alice', 'pace', 'drill', 'isolate', 'agent:three')).toMatchObject({ status: 1, code: 'PACE_DRILL_BUSY' });
    expect(await order('alice', 'pace', 'recover', 'agent:three', ...evidence)).toMatchObject({ status: 0 });
    await back('three');
  });

  it('kills one agent: its call under way is aborted and reported, and none comes after', async () => {
    const lingering = call('one', 'linger');
    await until('a call under way', () => calls().some((line) => line.startsWith('begun one')));
    const killed = await order('bob', 'kill', 'agent:one');
    expect(killed).toMatchObject({ status: 0, state: 'killed' });
    expect(killed['report']).toMatchObject({
      connected: 1, confirmed: 1, revoked: 1, mayGoOn: [{ agent: 'one', operation: 'linger', end: 'told' }],
    });
    await until('the end of the call', () => calls().some((line) => line.startsWith('aborted one')));
    expect((await lingering)['verdict']).not.toBe('GO');
    const before = calls().length;
    expect((await call('one').catch(() => ({})))).not.toMatchObject({ verdict: 'GO' });
    expect(calls().length).toBe(before);
    expect((await call('two'))['verdict']).toBe('GO');
    expect(await order('alice', 'pace', 'recover', 'agent:one', ...evidence, '--baselines', 'anew'))
      .toMatchObject({ code: 'PACE_AUTHORITY_MISSING' });
    expect(await order('carol', 'pace', 'recover', 'agent:one', ...evidence))
      .toMatchObject({ code: 'PACE_EVIDENCE_MISSING' });
  });

  it('keeps it dead over a restart, and brings it back as another instance', async () => {
    await mesh.stop();
    mesh = await up(folder);
    for (const agent of ['two', 'three']) await back(agent);
    expect(await clampOf('one')).toMatchObject({ phase: 'EMERGENCY', allows: 'nothing', connected: false });
    await works('two');
    expect(await order('carol', 'pace', 'recover', 'agent:one', ...evidence, '--baselines', '30 d anew'))
      .toMatchObject({ status: 0 });
    await back('one');
    await works('one');
  });

  it('stops the mesh at the first word, and for good with the second', async () => {
    const suspended = await order('bob', 'kill', 'mesh');
    expect(suspended).toMatchObject({ status: 0, state: 'suspended' });
    for (const agent of agents) expect((await call(agent).catch(() => ({})))).not.toMatchObject({ verdict: 'GO' });
    const stop = String(suspended['id']);
    expect(await order('bob', 'pace', 'decline', stop)).toMatchObject({ code: 'PACE_SECOND_PERSON' });
    expect(await order('dave', 'pace', 'decline', stop)).toMatchObject({ status: 0 });
    for (const agent of agents) await back(agent);
    for (const agent of agents) await works(agent);
  });

  it('halts after what was begun has ended, and goes on when people say so', async () => {
    const halted = await order('alice', 'halt', 'zone:outside');
    expect(halted).toMatchObject({ status: 0, state: 'halted', report: { confirmed: 1, connected: 1 } });
    expect((await call('two').catch(() => ({})))).not.toMatchObject({ verdict: 'GO' });
    await works('one');
    expect(await order('alice', 'pace', 'resume', String(halted['id']))).toMatchObject({ status: 0 });
    await back('two');
    await works('two');
  });

  it('is killed while its node hangs: no lease outlives it, and none is given when it goes on', async () => {
    process.kill(mesh.pid, 'SIGSTOP');
    const killed = await order('bob', 'kill', 'type:RETRIEVER');
    expect(killed).toMatchObject({ status: 0, state: 'left' });
    const before = calls().length;
    process.kill(mesh.pid, 'SIGCONT');
    await until('the kill', async () => (await clampOf('three'))['phase'] === 'EMERGENCY');
    for (const agent of agents) expect((await call(agent).catch(() => ({})))).not.toMatchObject({ verdict: 'GO' });
    expect(calls().length).toBe(before);
    await until('its report', async () => find(await folder.entries(), 'pace.reported', null,
      ({ detail }) => detail['stop'] === killed['id']));
  });
});
