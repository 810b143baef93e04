// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/adapters/clock-system.ts';
import { clientTlsOptions } from '../../src/adapters/tls-options.ts';
import { systemRandom } from '../../src/adapters/random-system.ts';
import { signOperatorDecision } from '../../src/identity/operator-signature.ts';
import type { RevocationTarget } from '../../src/identity/revocation.ts';
import { signRevocation } from '../../src/identity/revocation-statement.ts';
import { mintUlid } from '../../src/message/identifiers.ts';
import type { JsonObject } from '../../src/message/json.ts';
import { HostileAgent, exchange } from '../mesh-harness/agent-line.ts';
import { attackMesh, makePeople } from '../mesh-harness/attack-mesh.ts';
import { BusLine, enrolIntruder, forge } from '../mesh-harness/bus-line.ts';
import { find } from '../mesh-harness/log-entries.ts';
import { maso, MeshFolder, until, up, type MasoProcess } from '../mesh-harness/running-mesh.ts';

const clock = systemClock();

/** In the order of the tests: each revokes what the later ones do not need. */
describe('a revoked identity on the running mesh', () => {
  const people = makePeople();
  let folder: MeshFolder;
  let mesh: MasoProcess;
  let desk: HostileAgent;
  let planner: HostileAgent;
  let reader: HostileAgent;
  let request = 0;

  // Rejects, and does not throw, while the sidecar has not written its token yet.
  const joinAs = async (agent: string): Promise<HostileAgent> =>
    HostileAgent.join({ socketPath: folder.socketOf(agent) }, folder.tokenOf(agent));

  beforeAll(async () => {
    folder = await MeshFolder.create(attackMesh(people));
    const jwk = JSON.stringify(people.alice.privateKey.export({ format: 'jwk' }));
    writeFileSync(join(folder.directory, 'alice.jwk'), jwk, { mode: 0o600 });
    await maso(['tools', 'pin', folder.meshFile]);
    mesh = await up(folder);
    desk = await joinAs('desk');
    planner = await joinAs('planner');
    reader = await joinAs('reader');
    const prompt = { text: 'a', payee: 'ACME-SUPPLIES', amount: 10 };
    await desk.post('/v1/tasks', { to: 'planner', schema: 'order/1', prompt });
    await until('the order', async () => (await planner.take(500)).length > 0);
  });
  afterAll(async () => {
    await mesh?.stop();
    await folder?.remove();
  });

  const agentCommand = (...args: readonly string[]) =>
    maso(['agent', ...args, '--state', folder.state, '--json']);
  const signedBy = ['--as', 'alice', '--key'] as const;
  const keyFile = (): string => join(folder.directory, 'alice.jwk');

  const revoke = (target: RevocationTarget) => {
    const statement = {
      id: mintUlid(clock, systemRandom), op: 'revoke' as const, target, lifts: null,
      operator: 'alice', at: clock.nowMs(), reason: 'test',
    };
    const signed = signRevocation(statement, people.alice);
    return folder.control('POST', '/v1/revocations', { signed });
  };

  const shown = async (agent: string): Promise<JsonObject> =>
    (await folder.control('GET', `/v1/agents/${agent}`)).body;

  const meshDigest = async (): Promise<string> =>
    String((await folder.entries()).find(({ kind }) => kind === 'mesh.started')?.detail['meshDigest']);

  const ask = (action: string, parameters: JsonObject, waitMs = 0) =>
    planner.post('/v1/requests', {
      to: 'payments', action, parameters, idempotencyKey: `key-${++request}`, waitMs,
      task: planner.task,
    });

  it('of somebody who holds the key himself is refused everything, and his line ends', async () => {
    const spare = await folder.joinToken('mallory');
    const mallory = await enrolIntruder(await folder.joinToken('mallory'));
    const digest = await meshDigest();
    const line = await BusLine.hello(mallory, digest);
    const before = forge(mallory, {});
    expect(await line.publish(before.envelope, before.entry)).toMatchObject({ kind: 'accepted' });
    const { thumbprint } = mallory.credential;
    const at = performance.now();
    const answer = await revoke({ kind: 'agent', value: 'mallory' });
    expect(answer).toMatchObject({ status: 200, body: { version: 1 } });
    expect(await line.ended).toEqual({ status: 4000, reason: 'IDENTITY_REVOKED' });
    console.log(`connection cut ${Math.round(performance.now() - at)} ms after the revocation was sent`);
    const { credential, bundlePem, nodeSpiffeId, port } = mallory;
    const again = await BusLine.open(clientTlsOptions(credential, bundlePem, nodeSpiffeId), port);
    expect(await again.ended).toEqual({ status: 4000, reason: 'IDENTITY_REVOKED' });
    await expect(enrolIntruder(spare)).rejects.toMatchObject({ code: 'CONTROL_ENROLMENT_REFUSED' });
    expect(await folder.control('POST', '/v1/join-tokens', { agent: 'mallory' })).toMatchObject({
      status: 404, body: { code: 'IDENTITY_REVOKED' },
    });
    const { revoked, certificates } = await shown('mallory');
    expect(revoked).toBe(true);
    const listed = certificates as readonly JsonObject[];
    expect(listed.find((one) => one['thumbprint'] === thumbprint)).toMatchObject({ revoked: true });
    const entries = await folder.entries();
    expect(find(entries, 'identity.revoked', 'IDENTITY_REVOKED')?.actor).toBe('operator:alice');
    expect(find(entries, 'identity.refused', 'IDENTITY_REVOKED')).not.toBeNull();
  });

  it('is heard of on another sidecar within a second, for messages that wait there, too', async () => {
    for (let index = 0; index < 150; index += 1) {
      const sent = await reader.send('planner', 'note/1', { text: `note ${index}` });
      expect(sent.status).toBe(202);
    }
    let lastAt = 0;
    let got = 0;
    const takeOne = async (): Promise<boolean> => {
      const { body } = await planner.post('/v1/inbox', { waitMs: 0, max: 1 });
      const [message] = (body['messages'] ?? []) as readonly JsonObject[];
      if (message === undefined) return false;
      if (message['from'] === 'reader') [lastAt, got] = [performance.now(), got + 1];
      await planner.post('/v1/inbox/ack', { ids: [String(message['id'])] });
      return true;
    };
    await until('the first notes', async () => (await takeOne()) && got >= 3);
    const at = performance.now();
    const revoked = revoke({ kind: 'agent', value: 'reader' });
    while (await takeOne()) await new Promise((resolve) => setTimeout(resolve, 15));
    expect(await revoked).toMatchObject({ status: 200 });
    const heardMs = Math.max(0, lastAt - at);
    console.log(`last message of the revoked agent handed over after ${Math.round(heardMs)} ms, ${got} of 150`);
    expect(heardMs).toBeLessThan(2_000);
    expect(got).toBeLessThan(150);
    const refused = await until('the refusal on record', async () =>
      find(await folder.entries(), 'message.refused', 'IDENTITY_REVOKED', (entry) =>
        entry.actor === 'sidecar:planner' && entry.detail['from'] === 'reader'));
    expect(refused.outcome).toBe('NO-GO');
  });

  it('has no session: its next message, read and request end with it', async () => {
    const ended = { status: 401, body: { code: 'SESSION_ENDED' } };
    expect(await reader.send('planner', 'note/1', { text: 'again' })).toMatchObject(ended);
    const read = { tool: 'notes', operation: 'read' };
    expect(await reader.post('/v1/tools/call', read)).toMatchObject(ended);
    expect(await reader.post('/v1/inbox', {})).toMatchObject(ended);
    const token = folder.tokenOf('reader');
    const place = { socketPath: folder.socketOf('reader') };
    expect(await exchange(place, '/v1/session', { token })).toMatchObject(ended);
    expect(await shown('reader')).toMatchObject({ revoked: true, spiffeId: null });
  });

  it('does not get what people approve after it was revoked', async () => {
    const parameters = {
      invoice: '1', payee: 'ACME-SUPPLIES', amount: 10, idempotency_key: 'refund-0001',
    };
    await ask('refund', parameters);
    const held = await until('the hold', async () => {
      const { body } = await folder.control('GET', '/v1/approvals');
      return (body['approvals'] as readonly JsonObject[]).find((one) => one['state'] === 'pending');
    });
    const { spiffeId } = await shown('planner');
    await revoke({ kind: 'instance', value: String(spiffeId) });
    const approval = String(held['id']);
    const digest = String((held['hold'] as JsonObject)['digest']);
    const statement = {
      approval, digest, decision: 'approve' as const, operator: 'alice', at: clock.nowMs(), reason: '',
    };
    const signed = signOperatorDecision(statement, people.alice);
    expect(await folder.control('POST', '/v1/approvals/decisions', { signed })).toMatchObject({ status: 200 });
    const message = String((held['hold'] as JsonObject)['message']);
    const reviewed = await until('the review', async () =>
      find(await folder.entries(), 'request.reviewed', 'IDENTITY_REVOKED', (entry) => entry.message === message));
    expect(reviewed.outcome).toBe('NO-GO');
    expect((await folder.entries()).filter(({ kind, message: id }) => kind === 'tool.intent' && id === message)).toEqual([]);
  });

  it('is still revoked after the node was killed, and the rest of the mesh starts', async () => {
    const { version } = await folder.control('GET', '/v1/agents/reader').then(({ body }) =>
      ((body['revocations'] as readonly JsonObject[]).at(-1) ?? {}));
    await mesh.kill();
    mesh = await up(folder);
    expect(await shown('reader')).toMatchObject({ revoked: true, spiffeId: null });
    expect((await shown('reader'))['revocations']).toMatchObject([{ version, op: 'revoke' }]);
    expect(mesh.said()).toContain('sidecar reader: not started (IDENTITY_REVOKED)');
    const sidecars = mesh.ready['sidecars'] as readonly JsonObject[];
    expect(sidecars.map(({ agent }) => agent).sort()).toEqual(['desk', 'payments', 'planner']);
    // The revoked instance of the planner gave way to a new one.
    const planners = await shown('planner');
    expect(planners['revoked']).toBe(false);
    expect(planners['spiffeId']).not.toBeNull();
    const revocations = planners['revocations'] as readonly JsonObject[];
    expect(revocations).not.toMatchObject([{ target: { value: planners['spiffeId'] } }]);
    planner = await joinAs('planner');
  });

  it('goes on once an operator reinstated its agent, and not before', async () => {
    const unsigned = await agentCommand('reinstate', 'desk', ...signedBy, keyFile());
    expect(unsigned).toMatchObject({ status: 1 });
    expect(JSON.parse(unsigned.out)).toEqual({ code: 'CONTROL_REVOCATION_UNKNOWN' });
    const reinstated = await agentCommand('reinstate', 'reader', ...signedBy, keyFile());
    expect(reinstated).toMatchObject({ status: 0 });
    await until('the sidecar of the reader', async () => (await shown('reader'))['spiffeId'] !== null);
    const again = await until('its token', () => joinAs('reader').catch(() => null));
    await until('a note', async () => (await again.send('planner', 'note/1', { text: 'b' })).status === 202);
  });

  it('lets the call that its tool already runs finish, and reports it', async () => {
    const prompt = { text: 'a' };
    desk = await joinAs('desk');
    await desk.post('/v1/tasks', { to: 'planner', schema: 'order/1', prompt });
    // The note of the reader may come first, and alone.
    await until('the order', async () =>
      (await planner.take(500)).some(({ schema }) => schema === 'order/1'));
    const asked = await ask('slow_count', { name: 'a' });
    expect(asked.status).toBe(202);
    const message = String(asked.body['messageId']);
    await until('the call', () => existsSync(join(folder.directory, 'calls.log')), 45_000);
    const revoked = await agentCommand('revoke', 'payments', ...signedBy, keyFile(), '--reason', 'test');
    expect(revoked).toMatchObject({ status: 0 });
    const later = await ask('count', { name: 'b' });
    expect(later.status).toBe(202);
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    const calls = readFileSync(join(folder.directory, 'calls.log'), 'utf8').trim().split('\n');
    expect(calls).toHaveLength(1);
    await agentCommand('reinstate', 'payments', ...signedBy, keyFile());
    const outcome = await until('the outcome on record', async () =>
      (await folder.entries()).find(({ kind, message: id }) => kind === 'tool.outcome' && id === message));
    expect(outcome.outcome).toBe('GO');
  });

  it('is listed for operators', async () => {
    const listed = await agentCommand('list');
    const { agents } = JSON.parse(listed.out) as { agents: readonly JsonObject[] };
    expect(agents.find(({ name }) => name === 'mallory')).toMatchObject({ revoked: true, role: 'RETRIEVER' });
    expect(agents.find(({ name }) => name === 'planner')).toMatchObject({ revoked: false, role: 'ORCHESTRATOR' });
    const text = await maso(['agent', 'list', '--state', folder.state]);
    expect(text.out).toMatch(/^mallory\s+RETRIEVER\s+REVOKED$/m);
    const one = await maso(['agent', 'show', 'planner', '--state', folder.state]);
    expect(one.out).toContain('certificate');
    expect((await agentCommand('show', 'nobody')).status).toBe(1);
    expect((await agentCommand('revoke', 'nobody', ...signedBy, keyFile())).out).toContain('CONTROL_AGENT_UNKNOWN');
  });
});
