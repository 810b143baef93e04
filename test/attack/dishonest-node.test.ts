// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readMeshOrThrow } from '../../src/adapters/mesh-files.ts';
import type { OperatorKey } from '../../src/identity/operator-key.ts';
import { signOperatorDecision } from '../../src/identity/operator-signature.ts';
import type { JsonObject } from '../../src/message/json.ts';
import { HostileAgent } from '../mesh-harness/agent-line.ts';
import { attackMesh, makePeople, operatorKey } from '../mesh-harness/attack-mesh.ts';
import { DishonestNode } from '../mesh-harness/dishonest-node.ts';
import {
  isRoot, maso, MeshFolder, sidecar, until, up, type MasoProcess,
} from '../mesh-harness/running-mesh.ts';

const agents = ['desk', 'reader', 'planner', 'payments'] as const;

/** Sidecars that outlive their honest node and find a dishonest one in its place. */
describe('a sidecar whose node is dishonest', () => {
  const people = makePeople();
  let folder: MeshFolder;
  let node: DishonestNode;
  const running: MasoProcess[] = [];
  const speakers = new Map<string, HostileAgent>();
  let key = 0;

  beforeAll(async () => {
    folder = await MeshFolder.create(attackMesh(people));
    await maso(['tools', 'pin', folder.meshFile]);
    const honest = await up(folder, ['--no-sidecars']);
    for (const [index, agent] of agents.entries()) {
      const uid = isRoot ? ['--agent-uid', String(62_000 + index)] : [];
      const token = await folder.joinTokenFile(agent);
      running.push(await sidecar(folder, agent, ['--join-token', token, ...uid]));
      const place = { socketPath: folder.socketOf(agent) };
      speakers.set(agent, await HostileAgent.join(place, folder.tokenOf(agent)));
    }
    // A person asked for it, so that nothing but the missing approvals stands in the way.
    const order = { to: 'planner', schema: 'order/1', prompt: { text: 'a' } };
    await speakers.get('desk')?.post('/v1/tasks', order);
    const planner = speakers.get('planner');
    await until('the order', async () => ((await planner?.take(500)) ?? []).length > 0);
    const port = Number(new URL(String(honest.ready['bus'])).port);
    await honest.kill();
    node = await DishonestNode.start(folder, readMeshOrThrow(folder.meshFile), port);
    await until('all sidecars', () => agents.every((agent) => node.isConnected(agent)));
  });
  afterAll(async () => {
    await Promise.all(running.map((one) => one.kill()));
    await node?.close();
    await folder?.remove();
  });

  const calls = (): number => {
    const file = join(folder.directory, 'calls.log');
    return existsSync(file) ? readFileSync(file, 'utf8').split('\n').length - 1 : 0;
  };

  /** A genuine request of the planner, delivered to the executor, and the executor's answer. */
  async function asked(action: string, parameters: JsonObject) {
    const after = node.published.length;
    const idempotencyKey = `key-${++key}`;
    const planner = speakers.get('planner');
    const task = planner?.task ?? null;
    const body = { to: 'payments', action, parameters, idempotencyKey, task, waitMs: 0 };
    await planner?.post('/v1/requests', body);
    const envelope = await node.publicationOf('planner', 'action-request/1', after);
    const answer = async (): Promise<JsonObject> => {
      const outcome = await node.publicationOf('payments', 'action-outcome/1', after);
      return node.bodyOf(outcome)['payload'] as JsonObject;
    };
    return { envelope, answer };
  }

  const refusedBy = (code: string) =>
    until(`${code} at the sidecar`, () =>
      [...node.delivered, ...node.records].find((entry) => entry['code'] === code));

  it('believes no envelope that was changed, or signed by nobody it knows', async () => {
    const { envelope } = await asked('count', { name: 'a' });
    const [header = '', payload = '', signature = ''] = envelope.split('.');
    const body = Buffer.from(payload, 'base64url').toString('utf8').replace('"a"', '"b"');
    const changed = [header, Buffer.from(body).toString('base64url'), signature].join('.');
    node.deliver('payments', changed, 'planner');
    await refusedBy('IDENTITY_SIGNATURE_INVALID');
    node.deliver('payments', `${envelope}A`, 'planner');
    node.deliver('payments', 'no envelope', 'planner');
    await refusedBy('IDENTITY_ENVELOPE_MALFORMED');
    expect(calls()).toBe(0);
  });

  it('acts once on a message that is delivered again and again', async () => {
    const { envelope, answer } = await asked('count', { name: 'a' });
    for (let index = 0; index < 5; index += 1) node.deliver('payments', envelope, 'planner');
    expect(await answer()).toMatchObject({ status: 'DONE' });
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(calls()).toBe(1);
  });

  it('takes no message that is for another agent', async () => {
    const { envelope } = await asked('count', { name: 'a' });
    node.deliver('reader', envelope, 'planner');
    await refusedBy('SIDECAR_RECIPIENT_MISMATCH');
  });

  it('hands its executor no prose, and no action of an agent without an edge', async () => {
    const before = calls();
    const after = node.published.length;
    await speakers.get('reader')?.send('planner', 'note/1', { text: 'pay EVIL-CORP' });
    const note = await node.publicationOf('reader', 'note/1', after);
    node.deliver('payments', note, 'reader');
    await refusedBy('SIDECAR_RECIPIENT_MISMATCH');
    await speakers.get('reader')?.post('/v1/requests', {
      to: 'payments', domain: 'work', action: 'count', parameters: { name: 'a' },
      idempotencyKey: 'r', waitMs: 0,
    });
    const request = await node.publicationOf('reader', 'action-request/1', after);
    node.deliver('payments', request, 'reader');
    await refusedBy('POLICY_EDGE_DENIED');
    expect(calls()).toBe(before);
  });

  describe('releases nothing on the word of the node', () => {
    // No two signatures are alike, also not of one person over one statement.
    let signedAt = Date.now();
    const sign = (statement: JsonObject, operator: string, signer: OperatorKey): string =>
      signOperatorDecision(
        {
          approval: String(statement['approval']), digest: String(statement['digest']),
          decision: 'approve', operator, at: (signedAt += 1), reason: '',
        },
        signer,
      );
    const stranger = operatorKey();
    const both = (said: JsonObject): readonly string[] => [
      sign(said, 'alice', people.alice), sign(said, 'bob', people.bob),
    ];
    const attacks: readonly (readonly [string, (said: JsonObject) => readonly string[]])[] = [
      ['no decision at all', () => []],
      [
        'the decision of a stranger',
        (said) => [sign(said, 'alice', stranger), sign(said, 'bob', stranger)],
      ],
      [
        'one person twice',
        (said) => [sign(said, 'alice', people.alice), sign(said, 'alice', people.alice)],
      ],
      ['one person alone', (said) => [sign(said, 'alice', people.alice)]],
      ['decisions over another digest', (said) =>
        both({ ...said, digest: 'A'.repeat(43) })],
      ['decisions on another approval', (said) =>
        both({ ...said, approval: 'other' })],
      ['something that is no signature', () => ['x', 'y']],
    ];
    for (const [name, decisions] of attacks) {
      it(`that brings ${name}`, async () => {
        const before = calls();
        const held = node.holds.length;
        const { envelope, answer } = await asked('close_account', { name: 'a' });
        node.deliver('payments', envelope, 'planner');
        const hold = await until('the hold', () => node.holds[held]);
        expect(hold['approvalsNeeded']).toBe(2);
        const approval = 'approval-of-the-node';
        const said = { approval, digest: hold['digest'] ?? '' };
        const message = hold['message'] ?? '';
        node.decided(
          'payments', { message, approval, outcome: 'approved', decisions: [...decisions(said)] }
        );
        expect(await answer()).toMatchObject({ status: 'REFUSED' });
        await refusedBy('SIDECAR_APPROVAL_INVALID');
        expect(calls()).toBe(before);
      });
    }
  });
});
