// SPDX-License-Identifier: Apache-2.0
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/message/json.ts';
import { HostileAgent, type Heard } from '../mesh-harness/agent-line.ts';
import { makePeople } from '../mesh-harness/attack-mesh.ts';
import { find } from '../mesh-harness/log-entries.ts';
import { keyFile, policyOf } from '../mesh-harness/policy-change.ts';
import { maso, MeshFolder, until, up, type MasoProcess } from '../mesh-harness/running-mesh.ts';
import { workflowFiles } from '../mesh-files/workflow-mesh.ts';

const people = makePeople();
const publicLine = (name: 'alice' | 'bob'): string => {
  const { kty, crv, x } = people[name].publicJwk;
  return `    ${name}: { kty: ${String(kty)}, crv: ${String(crv)}, x: "${String(x)}" }\n`;
};

describe('a workflow that an orchestrator may change, on a running mesh', () => {
  let folder: MeshFolder;
  let mesh: MasoProcess;
  let planner: HostileAgent;
  let triage: HostileAgent;
  let task = '';
  let alice = '';
  let keys = 0;
  let hook: Server;
  /** What the webhook of approvals was told. */
  const told: unknown[] = [];

  const joinAs = (agent: string): Promise<HostileAgent> =>
    HostileAgent.join({ socketPath: folder.socketOf(agent) }, folder.tokenOf(agent));
  const change = (
    words: { readonly open?: readonly string[]; readonly close?: readonly string[] },
    by = planner,
    key = `key-${++keys}`,
  ): Promise<Heard> => by.post('/v1/workflows/changes', {
    workflow: 'invoices', task, key,
    open: (words.open ?? []).map(edgeOf), close: (words.close ?? []).map(edgeOf),
  });
  const order = (to: string): Promise<Heard> =>
    planner.send(to, 'order/1', { text: 'sort' }, { type: 'instruction', task });
  const edges = async (): Promise<readonly string[]> => {
    const { workflows } = (await planner.get('/v1/workflows')).body as {
      workflows: readonly { readonly edges: readonly { from: string; to: string; open: boolean }[] }[];
    };
    return workflows.flatMap((one) => one.edges.map(({ from, to, open }) => `${from} ${to} ${open}`)).toSorted();
  };
  const workflow = (...args: readonly string[]): ReturnType<typeof maso> =>
    maso(['workflow', ...args, '--state', folder.state]);
  const signed = ['--as', 'alice'];
  const begin = async (): Promise<void> => {
    const desk = await joinAs('desk');
    [planner, triage] = await Promise.all([joinAs('planner'), joinAs('triage')]);
    await desk.post('/v1/tasks', { to: 'planner', schema: 'order/1', prompt: { text: 'a' } });
    await until('the order', async () => {
      const [first] = await planner.take(500);
      task = String(first?.['task']);
      return first !== undefined;
    });
  };

  beforeAll(async () => {
    hook = createServer((request, response) => {
      request.on('data', (body: Buffer) => told.push(JSON.parse(body.toString())));
      request.on('end', () => response.end());
    });
    await new Promise<void>((resolve) => hook.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(hook.address() as AddressInfo).port}/`;
    folder = await MeshFolder.create(workflowFiles({
      tier: 3,
      operators: `  oversight: { webhooks: [{ name: team, url: "${url}" }] }\n` +
        `  operators:\n${publicLine('alice')}${publicLine('bob')}`,
    }));
    await maso(['tools', 'pin', folder.meshFile]);
    alice = await keyFile(folder, 'alice', people.alice);
    signed.push('--key', alice);
    mesh = await up(folder);
    await begin();
  });
  afterAll(async () => {
    await mesh?.stop();
    await folder?.remove();
    hook?.close();
  });

  it('is refused to whoever lacks the right, and is a sign against them', async () => {
    expect(await change({ close: ['planner triage'] }, triage)).toMatchObject({ status: 403, body: { verdict: 'NO-GO' } });
    await until('the sign', async () =>
      find(await folder.entries(), 'indicator.raised', 'SIDECAR_WORKFLOW_DENIED'));
    expect(await change({ close: ['planner reviewer'] })).toMatchObject({ status: 403 });
    expect(await change({ open: ['planner payments'] })).toMatchObject({ status: 403 });
    await until('the refusals', async () => {
      const entries = await folder.entries();
      return entries.filter(({ kind, code }) => kind === 'workflow.refused' && code === 'MESH_CHANGE_BOUNDS').length === 2;
    });
    expect((await policyOf(folder)).version).toBe(1);
  });

  it('narrows at tier 3 by itself, for node and sidecars', async () => {
    expect(await edges()).toEqual(['clerk reviewer true', 'planner clerk false', 'planner triage true']);
    expect(await order('triage')).toMatchObject({ status: 202 });
    expect(await order('clerk')).toMatchObject({ status: 403 });
    expect(await change({ close: ['planner triage'] })).toMatchObject({
      status: 200, body: { verdict: 'GO', code: null, version: 2 },
    });
    expect(await policyOf(folder)).toMatchObject({ version: 2, signed: null });
    expect(await order('triage')).toMatchObject({ status: 403 });
    expect(await edges()).toContain('planner triage false');
    const changed = find(await folder.entries(), 'workflow.changed', null);
    expect(changed?.detail).toMatchObject({ by: 'agent:planner', closed: ['planner -> triage in work'], signed: false });
  });

  it('widens when a person has signed what it makes, and not before', async () => {
    const key = 'clerk helps';
    const held = await change({ open: ['planner clerk'] }, planner, key);
    expect(held).toMatchObject({ status: 202, body: { verdict: 'ESCALATE', code: 'HELD', version: null } });
    expect(await order('clerk')).toMatchObject({ status: 403 });
    const id = String(held.body['change']);
    await until('the webhook', () => told.length > 0);
    expect(told).toEqual([expect.objectContaining({ waits: 'change', change: id, workflow: 'invoices', agent: 'planner', opens: 1, closes: 0 })]);
    const standing = await maso(['status', '--state', folder.state, '--json']);
    expect([standing.status, JSON.parse(standing.out)]).toEqual([1, expect.objectContaining({ changes: [expect.objectContaining({ id })] })]);
    const shown = await workflow('show', id);
    expect(shown.out).toContain('added   edge planner -> clerk in work (widens)');
    const approved = await workflow('approve', id, ...signed, '--json');
    expect([approved.status, JSON.parse(approved.out)]).toEqual([0, { change: id, version: 3 }]);
    expect(await change({ open: ['planner clerk'] }, planner, key)).toMatchObject({ status: 200, body: { version: 3 } });
    expect(await order('clerk')).toMatchObject({ status: 202 });
    expect((await workflow('approve', id, ...signed)).status).toBe(1);
    expect(find(await folder.entries(), 'policy.signed', null)?.actor).toBe('operator:alice');
  });

  it('stays as it is when a person says no', async () => {
    const held = await change({ open: ['planner triage'], close: ['planner clerk'] });
    expect((await workflow('deny', String(held.body['change']), ...signed)).status).toBe(0);
    const listed = await workflow('list', '--json');
    const { changes } = JSON.parse(listed.out) as { changes: readonly JsonObject[] };
    expect(changes.map(({ state, code }) => [state, code])).toEqual([
      ['refused', 'CONTROL_WORKFLOW_NOT_APPROVED'], ['effective', null], ['effective', null],
    ]);
    expect(await policyOf(folder)).toMatchObject({ version: 3 });
    expect(await order('clerk')).toMatchObject({ status: 202 });
    expect(await order('triage')).toMatchObject({ status: 403 });
  });
});

function edgeOf(words: string): JsonObject {
  const [from = '', to = ''] = words.split(' ');
  return { from, to };
}
