// SPDX-License-Identifier: Apache-2.0
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/message/json.ts';
import { HostileAgent, type Heard } from '../mesh-harness/agent-line.ts';
import { attackMesh, makePeople, operatorKey } from '../mesh-harness/attack-mesh.ts';
import { CrashLoad } from '../mesh-harness/crash-load.ts';
import { find } from '../mesh-harness/log-entries.ts';
import {
  edit, keyFile, offer, policyOf, reload, signedChange, type Reloaded,
} from '../mesh-harness/policy-change.ts';
import {
  isRoot, maso, MeshFolder, sidecar, until, up, type MasoProcess,
} from '../mesh-harness/running-mesh.ts';

const people = makePeople();
const agents = ['desk', 'reader', 'planner', 'payments'] as const;

describe('a version of the mesh file', () => {
  let folder: MeshFolder;
  let mesh: MasoProcess;
  let desk: HostileAgent;
  let planner: HostileAgent;
  let alice = '';
  let original = '';
  let request = 0;

  beforeAll(async () => {
    const files = attackMesh(people);
    const text = files['security_mesh.yaml'] ?? '';
    folder = await MeshFolder.create({
      ...files,
      'security_mesh.yaml': text.replace('approval_timeout_ms: 4000', 'approval_timeout_ms: 60000'),
    });
    await maso(['tools', 'pin', folder.meshFile]);
    original = readFileSync(folder.meshFile, 'utf8');
    alice = await keyFile(folder, 'alice', people.alice);
    mesh = await up(folder);
    const join_ = (agent: string): Promise<HostileAgent> =>
      HostileAgent.join({ socketPath: folder.socketOf(agent) }, folder.tokenOf(agent));
    [desk, planner] = await Promise.all([join_('desk'), join_('planner')]);
    await desk.post('/v1/tasks', {
      to: 'planner', schema: 'order/1', prompt: { text: 'a', payee: 'ACME-SUPPLIES', amount: 10 },
    });
    await until('the order', async () => (await planner.take(500)).length > 0);
  });
  afterEach(() => writeFileSync(folder.meshFile, original));
  afterAll(async () => {
    await mesh?.stop();
    await folder?.remove();
  });

  const ask = (action: string, parameters: JsonObject, waitMs = 10_000): Promise<Heard> =>
    planner.post('/v1/requests', {
      to: 'payments', action, parameters, idempotencyKey: `key-${++request}`, waitMs,
      task: planner.task,
    });
  const pay = (amount: number, waitMs?: number): Promise<Heard> =>
    ask('pay_invoice', {
      invoice: '1', payee: 'ACME-SUPPLIES', amount, idempotency_key: `payment-${++request}`,
    }, waitMs);
  const outcome = (heard: Heard): unknown => (heard.body['outcome'] as JsonObject | undefined)?.['status'];
  const put = (options: readonly string[] = []): Promise<Reloaded> =>
    reload(folder, 'alice', alice, options);

  it('that was there first is recorded as signed by nobody, and said at start', async () => {
    expect(await policyOf(folder)).toMatchObject({ version: 1, signed: null });
    const first = find(await folder.entries(), 'policy.effective', 'MESH_POLICY_UNSIGNED');
    expect(first?.detail['policy']).toBe(1);
    expect(mesh.said()).toContain('without an operator');
  });

  it.each([
    ['cut off in the middle', () => writeFileSync(folder.meshFile, original.slice(0, 900))],
    ['with a key that nobody knows', () =>
      edit(folder, 'security_mesh:\n', 'security_mesh:\n  surprise: true\n')],
    ['with a schema that no longer compiles', () =>
      edit(folder, 'properties: { calls: { type: integer } }', 'properties: { calls: { type: nothing } }')],
    ['with Cedar that does not parse', async () => {
      writeFileSync(join(folder.directory, 'broken.cedar'), '@id("broken")\npermit (principal, oops;\n');
      await edit(folder, '  operators:\n', '  policies: [broken.cedar]\n  operators:\n');
    }],
  ])('%s changes nothing', async (_what, break_) => {
    const before = await policyOf(folder);
    await break_();
    expect(await put()).toMatchObject({ status: 1, body: { code: 'MESH_POLICY_REFUSED' } });
    expect(await policyOf(folder)).toMatchObject({ version: before.version, digest: before.digest });
  });

  it('whose Cedar is broken is refused by the node too, whoever leaves the check out', async () => {
    writeFileSync(join(folder.directory, 'broken.cedar'), '@id("broken")\npermit (principal, oops;\n');
    await edit(folder, '  operators:\n', '  policies: [broken.cedar]\n  operators:\n');
    const { signed, bundle } = await signedChange(folder, people.alice);
    expect(await offer(folder, signed, bundle)).toMatchObject({ code: 'MESH_POLICY_REFUSED' });
  });

  it('that changes an address, a key or a program needs a restart', async () => {
    await edit(folder, 'mallory: { role: RETRIEVER', 'mallory: { role: ANALYST');
    await edit(folder, 'allowed_roles: [', 'allowed_roles: [ANALYST, ');
    expect(await put()).toMatchObject({ status: 1, body: { code: 'MESH_POLICY_NEEDS_RESTART' } });
    const { signed, bundle } = await signedChange(folder, people.alice);
    expect(await offer(folder, signed, bundle)).toMatchObject({ code: 'MESH_POLICY_NEEDS_RESTART' });
  });

  it('is only looked at with --dry-run', async () => {
    await edit(folder, 'at_most: 5000', 'at_most: 500');
    const { status, body } = await put(['--dry-run']);
    expect(status).toBe(0);
    expect(body).toMatchObject({ changed: true, effect: 'narrows' });
    expect((await policyOf(folder)).version).toBe(1);
  });

  it.each([
    ['an operator whom nobody knows', { operator: 'eve' }, people.alice, 'IDENTITY_OPERATOR_UNKNOWN'],
    ['another key', {}, operatorKey(), 'IDENTITY_DECISION_SIGNATURE_INVALID'],
    ['another digest', { digest: 'A'.repeat(43) }, people.alice, 'MESH_POLICY_DIGEST'],
    ['another predecessor', { previous: 'A'.repeat(43) }, people.alice, 'MESH_POLICY_VERSION'],
    ['the version in force', { version: 1 }, people.alice, 'MESH_POLICY_VERSION'],
  ])('signed for %s is refused', async (_what, change, key, code) => {
    await edit(folder, 'at_most: 5000', 'at_most: 500');
    const { signed, bundle } = await signedChange(folder, key, change);
    expect(await offer(folder, signed, bundle)).toEqual({ status: 409, code });
    expect((await policyOf(folder)).version).toBe(1);
  });

  it('that narrows holds for the next action, and its signature is on record before', async () => {
    expect(outcome(await pay(10))).toBe('DONE');
    await edit(folder, 'at_most: 5000', 'at_most: 5');
    const first = await signedChange(folder, people.alice);
    expect(await put()).toMatchObject({ status: 0, body: { version: 2, effective: 'now' } });
    expect(outcome(await pay(10))).toBe('REFUSED');
    const entries = await folder.entries();
    const signed = find(entries, 'policy.signed', null);
    const effective = find(entries, 'policy.effective', null);
    expect(signed?.actor).toBe('operator:alice');
    expect(signed?.sequence).toBeLessThan(effective?.sequence ?? 0);
    const reviewed = entries.findLast(({ kind }) => kind === 'request.reviewed');
    expect(reviewed?.detail['policy']).toBe(2);
    // The same permission again, and the first version's texts under it: neither counts twice.
    expect(await offer(folder, first.signed, first.bundle)).toMatchObject({ code: 'MESH_POLICY_VERSION' });
    writeFileSync(folder.meshFile, original);
    expect(await put()).toMatchObject({ status: 0, body: { version: 3 } });
    expect(await offer(folder, first.signed, first.bundle)).toMatchObject({ code: 'MESH_POLICY_VERSION' });
    expect(outcome(await pay(10))).toBe('DONE');
    const { agents: on } = await policyOf(folder);
    expect(on.filter(({ agent }) => agent !== 'mallory').map(({ version }) => version))
      .toEqual([3, 3, 3, 3]);
  });

  it('that changes a held action puts it before people anew', async () => {
    const refund = ask('refund', {
      invoice: '1', payee: 'ACME-SUPPLIES', amount: 10, idempotency_key: 'refund-0001',
    }, 50_000);
    const held = async (): Promise<readonly JsonObject[]> => {
      const { body } = await folder.control('GET', '/v1/approvals');
      return (body['approvals'] as readonly JsonObject[])
        .filter((one) => one['state'] === 'pending');
    };
    const [before] = await until('the hold', async () => (await held()).length === 1 && held());
    await edit(folder, '    refund:\n      risk: HIGH', '    refund:\n      risk: CRITICAL');
    expect(await put()).toMatchObject({ status: 0 });
    const [after] = await until('the new hold', async () => {
      const now = await held();
      return now.length === 1 && now[0]?.['id'] !== before?.['id'] && now;
    });
    expect(after).toMatchObject({ hold: { approvalsNeeded: 2 } });
    const approve = (id: unknown): Promise<{ readonly status: number | null; readonly out: string }> =>
      maso(['approvals', 'approve', String(id), '--state', folder.state, '--as', 'alice',
        '--key', alice, '--json']);
    expect((await approve(before?.['id'])).out).toContain('OVERSIGHT_APPROVAL_');
    expect((await approve(after?.['id'])).status).toBe(0);
    expect(find(await folder.entries(), 'approval.expired', 'OVERSIGHT_APPROVAL_SUPERSEDED')).not.toBeNull();
    await edit(folder, '    refund:\n      risk: CRITICAL', '    refund:\n      risk: HIGH');
    expect(await put()).toMatchObject({ status: 0 });
    const [again] = await until('the hold as it was', async () => {
      const now = await held();
      return now.length === 1 && now[0]?.['id'] !== after?.['id'] && now;
    });
    expect((await approve(again?.['id'])).status).toBe(0);
    expect(outcome(await refund)).toBe('DONE');
  }, 60_000);
});

describe('a mesh under load', () => {
  let folder: MeshFolder;
  let node: MasoProcess;
  let desk: HostileAgent;
  const running = new Map<string, MasoProcess>();
  let alice = '';

  const start = async (agent: string): Promise<void> => {
    const uid = isRoot ? ['--agent-uid', String(62_300 + agents.indexOf(agent as never))] : [];
    const token = running.has(agent)
      ? [] : ['--join-token', await folder.joinTokenFile(agent)];
    running.set(agent, await sidecar(folder, agent, [...token, ...uid]));
  };

  beforeAll(async () => {
    const files = attackMesh(people, ', queued_messages_max: 100000');
    const text = files['security_mesh.yaml'] ?? '';
    folder = await MeshFolder.create({
      ...files,
      'security_mesh.yaml': text.replace('development: false', 'development: true').replaceAll(
        'message_lifetime_ms: 20000', 'message_lifetime_ms: 60000',
      ),
    });
    await maso(['tools', 'pin', folder.meshFile]);
    alice = await keyFile(folder, 'alice', people.alice);
    node = await up(folder, ['--no-sidecars']);
    for (const agent of agents) await start(agent);
    desk = await HostileAgent.join({ socketPath: folder.socketOf('desk') }, folder.tokenOf('desk'));
  });
  afterAll(async () => {
    await Promise.all([...running.values()].map((one) => one.stop()));
    await node?.stop();
    await folder?.remove();
  });

  const put = (): Promise<Reloaded> => reload(folder, 'alice', alice);
  const change = (index: number): Promise<void> =>
    edit(folder, /maxLength: 200\d\d/, `maxLength: 200${String(index).padStart(2, '0')}`);
  const behind = async (version: number): Promise<number> => (await policyOf(folder)).agents
    .filter((one) => one.version !== null && one.version !== version).length;

  it('changes its policy again and again without a lost or doubled message', async () => {
    await edit(folder, 'maxLength: 20000', 'maxLength: 20001');
    const load = await CrashLoad.start(folder, desk, { messages: 6, requests: 2 });
    let version = 1;
    for (let index = 2; index < 6; index += 1) {
      await change(index);
      const { status, body } = await put();
      expect(status, JSON.stringify(body)).toBe(0);
      version = Number(body['version']);
      await until('every sidecar on the version', async () => (await behind(version)) === 0);
    }
    await load.stop();
    await until('every note', () => load.lost().length === 0, 20_000).catch(() => null);
    await until('every end', () => load.open().length === 0, 20_000).catch(() => null);
    await load.end();
    expect(version).toBe(5);
    expect({ lost: load.lost(), twice: load.twice, open: load.open() })
      .toEqual({ lost: [], twice: [], open: [] });
    expect(load.count('REFUSED') + load.count('FAILED') + load.count('IN-DOUBT')).toBe(0);
    const calls = readFileSync(join(folder.directory, 'calls.log'), 'utf8').trim().split('\n');
    expect(new Set(calls).size).toBe(calls.length);
    expect(load.count('DONE')).toBe(calls.length);
    expect(find(await folder.entries(), 'indicator.raised', null)).toBeNull();
    process.stdout.write(`${version - 1} reloads: ${load.summary()}\n`);
  }, 120_000);

  it('gives a sidecar that was away the new version before it may act', async () => {
    await running.get('payments')?.kill();
    await change(7);
    const { body } = await put();
    await start('payments');
    const now = await policyOf(folder);
    expect(now.agents.find(({ agent }) => agent === 'payments')?.version).toBe(body['version']);
  }, 60_000);

  it('comes up on the last signed version, whatever lies on disk, after kill -9', async () => {
    const before = await policyOf(folder);
    await edit(folder, 'at_most: 5000', 'at_most: 4999999');
    await node.kill();
    node = await up(folder, ['--no-sidecars']);
    expect(node.said()).toContain('MESH_POLICY_UNSIGNED');
    expect(await policyOf(folder)).toMatchObject({ version: before.version, digest: before.digest });
    writeFileSync(folder.meshFile, 'security_mesh:\n  half');
    await running.get('planner')?.kill();
    await start('planner');
    await until('the sidecar on the version', async () => (await policyOf(folder)).agents
      .find(({ agent }) => agent === 'planner')?.version === before.version);
  }, 60_000);
});
