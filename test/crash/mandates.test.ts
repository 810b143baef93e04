// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/adapters/clock-system.ts';
import { readMeshOrThrow } from '../../src/adapters/mesh-files.ts';
import { systemRandom } from '../../src/adapters/random-system.ts';
import { signOperatorDecision } from '../../src/identity/operator-signature.ts';
import { signRevocation } from '../../src/identity/revocation-statement.ts';
import { appendBlock } from '../../src/mandate/block.ts';
import { noLimits } from '../../src/mandate/mandate.ts';
import { mintUlid } from '../../src/message/identifiers.ts';
import type { JsonObject } from '../../src/message/json.ts';
import { HostileAgent } from '../mesh-harness/agent-line.ts';
import { makePeople } from '../mesh-harness/attack-mesh.ts';
import { BusLine, enrolIntruder, forge, type Intruder } from '../mesh-harness/bus-line.ts';
import { mandateMesh } from '../mesh-harness/mandate-mesh.ts';
import { maso, MeshFolder, sidecar, until, up, type MasoProcess } from '../mesh-harness/running-mesh.ts';

const agents = ['desk', 'planner', 'intern', 'payments'] as const;
type Victim = 'node' | (typeof agents)[number];

describe('a mesh whose control plane and sidecars are killed', () => {
  const people = makePeople();
  let folder: MeshFolder;
  let annex: Intruder;
  let digest: string;
  let keys = 0;
  const running = new Map<Victim, MasoProcess>();
  const joined = new Map<string, HostileAgent>();

  const start = async (victim: Victim): Promise<void> => {
    const known = existsSync(join(folder.state, 'sidecars', victim));
    const token = victim === 'node' || known ? [] : ['--join-token', await folder.joinTokenFile(victim)];
    const started = victim === 'node' ? up(folder, ['--no-sidecars']) : sidecar(folder, victim, token);
    running.set(victim, await started);
  };
  /** `kill -9` of all of these at once, then all of them again: a sidecar waits for its node. */
  const crash = async (...victims: readonly Victim[]): Promise<void> => {
    await Promise.all(victims.map((victim) => running.get(victim)?.kill()));
    await Promise.all(victims.map(start));
  };
  const agent = (name: string): HostileAgent => {
    const found = joined.get(name);
    if (found === undefined) throw new Error(name);
    return found;
  };
  const calls = (): number => {
    const file = join(folder.directory, 'calls.log');
    return existsSync(file) ? readFileSync(file, 'utf8').split('\n').length - 1 : 0;
  };

  beforeAll(async () => {
    folder = await MeshFolder.create(mandateMesh(people));
    ({ digest } = readMeshOrThrow(folder.meshFile));
    await start('node');
    for (const name of agents) {
      await start(name);
      if (name === 'payments') continue;
      joined.set(name, await HostileAgent.join({ socketPath: folder.socketOf(name) }, folder.tokenOf(name)));
    }
    annex = await enrolIntruder(await folder.joinToken('annex'));
  }, 120_000);
  afterAll(async () => {
    for (const one of [...running.values()].toReversed()) await one.stop();
    await folder?.remove();
  });

  async function ordered(): Promise<string> {
    const body = { to: 'planner', schema: 'order/1', prompt: { text: 'count' } };
    const started = await until('the order to go out', async () => {
      const answered = await agent('desk').post('/v1/tasks', body);
      return answered.status === 202 && answered;
    });
    const task = String(started.body['task']);
    await until('the order', async () =>
      (await agent('planner').take(500)).some((message) => message['task'] === task));
    return task;
  }

  async function ask(task: string): Promise<{ readonly id: string; readonly outcome: JsonObject }> {
    const idempotencyKey = `key-${(keys += 1)}`;
    const asked = { to: 'payments', action: 'count', parameters: { name: 'a' }, task, idempotencyKey };
    const { body } = await until('an answer', async () => {
      const answered = await agent('planner').post('/v1/requests', { ...asked, waitMs: 2_000 });
      return answered.body['code'] !== 'UNAVAILABLE' && answered;
    }, 30_000);
    return { id: String(body['messageId']), outcome: (body['outcome'] ?? body) as JsonObject };
  }

  const mandateOf = async (task: string): Promise<string> => {
    const { body } = await folder.control('GET', `/v1/mandates?task=${task}`);
    const listed = body['mandates'] as readonly JsonObject[];
    return String(listed[0]?.['id']);
  };

  /** Somebody with the key of another originator starts the same task once more. */
  async function secondChain(task: string): Promise<JsonObject> {
    const now = Date.now();
    const { credential } = annex;
    const chain = appendBlock(null, {
      v: 1, issuer: credential.spiffeId, parent: null, audience: 'planner', task, sponsor: 'annex',
      rights: [{ right: 'request', executor: 'payments', action: 'count', constraints: {}, limits: noLimits }],
      notBefore: now - 1_000, expiresAt: Math.min(now + 60_000, credential.expiresAtMs),
      output: null, maxDepth: 2, approval: null,
      oispec: readMeshOrThrow(folder.meshFile).agents.get('planner')?.oispec?.digest ?? null,
    }, { kind: 'nhi', credential });
    const line = await until('a line', () => BusLine.hello(annex, digest).catch(() => null));
    const { envelope, entry } = forge(annex, {
      type: 'instruction', schema: 'order/1', to: 'planner', payload: { text: 'do it' }, task, mandate: chain,
      provenance: { source: 'user', isolation: 'none' },
      label: { classification: 'internal', integrity: 'trusted', origins: ['prompt'] },
    });
    const answer = await line.publish(envelope, entry);
    line.close();
    return answer;
  }

  it('knows a second chain for a task by the first one, also when both come after the crash of the node', async () => {
    const task = await ordered();
    expect(await secondChain(task)).toMatchObject({ kind: 'refused', code: 'CONTROL_MANDATE_SECOND' });
    await crash('node');
    expect(await secondChain(task)).toMatchObject({ kind: 'refused', code: 'CONTROL_MANDATE_SECOND' });
    expect(await ask(task)).toMatchObject({ outcome: { status: 'DONE' } });
    expect(await secondChain(mintUlid(systemClock(), systemRandom))).toMatchObject({ kind: 'accepted' });
  }, 60_000);

  it('keeps a mandate revoked and a task ended, at node and executor', async () => {
    const [revoked, ended] = [await ordered(), await ordered()];
    const targets = [
      { kind: 'mandate', value: await mandateOf(revoked) }, { kind: 'task', value: ended },
    ] as const;
    for (const target of targets) {
      const statement = {
        id: mintUlid(systemClock(), systemRandom), op: 'revoke' as const, target, lifts: null,
        operator: 'alice', at: Date.now(), reason: 'test',
      };
      const signed = signRevocation(statement, people.alice);
      expect(await folder.control('POST', '/v1/revocations', { signed })).toMatchObject({ status: 200 });
    }
    await crash('node', 'payments');
    const before = calls();
    for (const task of [revoked, ended]) {
      expect((await ask(task)).outcome).toMatchObject({ code: 'REFUSED' });
      expect(await secondChain(task)).toMatchObject({ kind: 'refused' });
    }
    const listed = await maso(['mandate', 'list', '--task', revoked, '--state', folder.state, '--json']);
    expect(listed.out).toContain('"revoked":true');
    const shown = await maso(['mandate', 'show', targets[0].value, '--state', folder.state]);
    expect(shown.out).toContain('agent:desk -> agent:planner');
    const unknown = await maso(['mandate', 'show', 'A'.repeat(43), '--state', folder.state]);
    expect(unknown.status).toBe(2);
    expect(calls()).toBe(before);
  }, 60_000);

  it('remembers who led to a request: it is still within what all of them may ask', async () => {
    const task = await ordered();
    // The intern may write to everybody and ask for nothing.
    const sent = await agent('intern').post('/v1/messages', {
      to: 'planner', type: 'instruction', schema: 'order/1', payload: { text: 'count b' },
    });
    expect(sent.status, JSON.stringify(sent.body)).toBe(202);
    await until('the instruction', async () => (await agent('planner').take(500)).length > 0);
    await crash('node', 'planner', 'payments');
    const before = calls();
    const { id } = await ask(task);
    const pending = await until('the hold', async () => {
      const { body } = await folder.control('GET', '/v1/approvals');
      const all = body['approvals'] as readonly JsonObject[];
      return all.find((one) => (one['hold'] as JsonObject)['message'] === id && one['state'] === 'pending');
    });
    expect((pending['hold'] as JsonObject)['reasons']).toContain('MANDATE_PRINCIPAL_DENIES');
    // And while it is held, its executor and the node are killed once more.
    await crash('payments', 'node');
    const statement = {
      approval: String(pending['id']), digest: String((pending['hold'] as JsonObject)['digest']),
      decision: 'deny' as const, operator: 'alice', at: Date.now(), reason: '',
    };
    const signed = signOperatorDecision(statement, people.alice);
    expect(await folder.control('POST', '/v1/approvals/decisions', { signed })).toMatchObject({ status: 200 });
    const refused = await until('the end', async () => (await folder.entries()).find(({ kind, message, outcome }) =>
      kind === 'request.reviewed' && message === id && outcome === 'NO-GO'));
    expect(refused.code).toBe('OVERSIGHT_APPROVAL_DENIED');
    // The annex spoke to the planner above, before the node was killed for the first time.
    expect(refused.detail['principals']).toEqual(['annex', 'desk', 'intern']);
    expect(calls()).toBe(before);
  }, 90_000);

  it('runs nothing that was approved, but whose mandate was revoked while it was held and all was down', async () => {
    const task = await ordered();
    const mandate = await mandateOf(task);
    const { id } = await ask(task);
    const pending = await until('the hold', async () => {
      const { body } = await folder.control('GET', '/v1/approvals');
      const all = body['approvals'] as readonly JsonObject[];
      return all.find((one) => (one['hold'] as JsonObject)['message'] === id && one['state'] === 'pending');
    });
    await running.get('payments')?.kill();
    const statement = {
      id: mintUlid(systemClock(), systemRandom), op: 'revoke' as const,
      target: { kind: 'mandate' as const, value: mandate }, lifts: null,
      operator: 'alice', at: Date.now(), reason: 'test',
    };
    const revoking = { signed: signRevocation(statement, people.alice) };
    expect(await folder.control('POST', '/v1/revocations', revoking)).toMatchObject({ status: 200 });
    const decision = {
      approval: String(pending['id']), digest: String((pending['hold'] as JsonObject)['digest']),
      decision: 'approve' as const, operator: 'alice', at: Date.now(), reason: '',
    };
    const deciding = { signed: signOperatorDecision(decision, people.alice) };
    expect(await folder.control('POST', '/v1/approvals/decisions', deciding)).toMatchObject({ status: 200 });
    const before = calls();
    await crash('node');
    await start('payments');
    await until('the end', async () => (await folder.entries()).find(({ kind, message, code }) =>
      kind === 'request.reviewed' && message === id && code === 'MANDATE_REVOKED'));
    expect(calls()).toBe(before);
  }, 90_000);
});
