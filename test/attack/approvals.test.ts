// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OperatorKey } from '../../src/identity/operator-key.ts';
import {
  signOperatorDecision, type OperatorStatement,
} from '../../src/identity/operator-signature.ts';
import type { JsonObject } from '../../src/message/json.ts';
import { HostileAgent, type Heard } from '../mesh-harness/agent-line.ts';
import { attackMesh, makePeople, operatorKey } from '../mesh-harness/attack-mesh.ts';
import { find } from '../mesh-harness/log-entries.ts';
import { maso, MeshFolder, until, up, type MasoProcess } from '../mesh-harness/running-mesh.ts';

/** Started by a person's own prompt, so that only the missing approvals stand in the way. */
describe('somebody who wants a held action released', () => {
  const people = makePeople();
  let folder: MeshFolder;
  let mesh: MasoProcess;
  let desk: HostileAgent;
  let planner: HostileAgent;
  let request = 0;

  beforeAll(async () => {
    folder = await MeshFolder.create(attackMesh(people));
    await maso(['tools', 'pin', folder.meshFile]);
    mesh = await up(folder);
    const join_ = (agent: string): Promise<HostileAgent> =>
      HostileAgent.join({ socketPath: folder.socketOf(agent) }, folder.tokenOf(agent));
    [desk, planner] = await Promise.all([join_('desk'), join_('planner')]);
    const prompt = { text: 'a', payee: 'ACME-SUPPLIES', amount: 10 };
    await desk.post('/v1/tasks', { to: 'planner', schema: 'order/1', prompt });
    await until('the order', async () => (await planner.take(500)).length > 0);
  });
  afterAll(async () => {
    await mesh?.stop();
    await folder?.remove();
  });

  type Pending = { readonly id: string; readonly digest: string };

  const ask = (action: string, parameters: JsonObject, waitMs = 0): Promise<Heard> =>
    planner.post('/v1/requests', {
      to: 'payments', action, parameters, idempotencyKey: `key-${++request}`, waitMs,
      task: planner.task,
    });

  /** Asks for an action that is held, and gives the approval that waits and the request's end. */
  async function held(
    action: string,
    parameters: JsonObject,
  ): Promise<Pending & { readonly end: Promise<JsonObject> }> {
    const end = ask(action, parameters, 15_000).then(
      (heard) => heard.body['outcome'] as JsonObject
    );
    const known = new Set(seen);
    const approval = await until('the hold', async () => {
      const { body } = await folder.control('GET', '/v1/approvals');
      const all = body['approvals'] as readonly JsonObject[];
      return all.find((one) => one['state'] === 'pending' && !known.has(String(one['id'])));
    });
    seen.add(String(approval['id']));
    return {
      id: String(approval['id']), digest: String((approval['hold'] as JsonObject)['digest']), end,
    };
  }
  const seen = new Set<string>();

  async function decide(
    pending: Pending,
    operator: string,
    key: OperatorKey,
    change: Partial<Pick<OperatorStatement, 'digest' | 'decision' | 'approval'>> = {},
  ) {
    const statement = {
      approval: pending.id, digest: pending.digest, decision: 'approve' as const, operator,
      at: Date.now(), reason: '', ...change,
    };
    return folder.control(
      'POST', '/v1/approvals/decisions', { signed: signOperatorDecision(statement, key) }
    );
  }

  const calls = (): number => {
    const file = join(folder.directory, 'calls.log');
    return existsSync(file) ? readFileSync(file, 'utf8').split('\n').length - 1 : 0;
  };

  const refund = (key: string): JsonObject => (
    { invoice: '1', payee: 'ACME-SUPPLIES', amount: 10, idempotency_key: key }
  );

  it('needs two people for a CRITICAL action: one of them twice is one', async () => {
    const pending = await held('close_account', { name: 'a' });
    expect(await decide(pending, 'alice', people.alice)).toMatchObject({ status: 200 });
    expect(await decide(pending, 'alice', people.alice)).toMatchObject({
      status: 409, body: { code: 'OVERSIGHT_APPROVAL_SAME_PERSON' },
    });
    const before = calls();
    expect(before).toBe(0);
    expect(await decide(pending, 'bob', people.bob)).toMatchObject({ status: 200 });
    expect(await pending.end).toMatchObject({ status: 'DONE' });
    expect(calls()).toBe(1);
  });

  it('cannot decide by a forged signature, a foreign name, digest or approval', async () => {
    const pending = await held('refund', refund('refund-0001'));
    const stranger = operatorKey();
    const attacks = [
      [await decide(pending, 'alice', stranger), 'IDENTITY_DECISION_SIGNATURE_INVALID'],
      [await decide(pending, 'bob', people.alice), 'IDENTITY_DECISION_SIGNATURE_INVALID'],
      [await decide(pending, 'mallory', stranger), 'IDENTITY_OPERATOR_UNKNOWN'],
      [
        await decide(pending, 'alice', people.alice, { digest: 'A'.repeat(43) }),
        'OVERSIGHT_APPROVAL_DIGEST_MISMATCH',
      ],
      [
        await decide(pending, 'alice', people.alice, { approval: 'nothing' }),
        'OVERSIGHT_APPROVAL_UNKNOWN',
      ],
    ] as const;
    for (const [answer, code] of attacks) expect(answer).toMatchObject(
      { status: 409, body: { code } }
    );
    for (const [, code] of attacks) {
      await until(`${code} in the log`, async () =>
        (await folder.entries()).some((entry) => entry.code === code));
    }
    expect(
      await decide(pending, 'alice', people.alice, { decision: 'deny' })
    ).toMatchObject({ status: 200 });
    expect(await pending.end).toMatchObject({ status: 'REFUSED' });
    expect(await decide(pending, 'bob', people.bob)).toMatchObject({
      status: 409, body: { code: 'OVERSIGHT_APPROVAL_CLOSED' },
    });
  });

  it('gets a denial when nobody decides in time', async () => {
    const pending = await held('refund', refund('refund-0002'));
    expect(await pending.end).toMatchObject({ status: 'REFUSED' });
    expect(await decide(pending, 'alice', people.alice)).toMatchObject({ status: 409 });
    await until('the expiry', async () =>
      find(await folder.entries(), 'approval.expired', 'OVERSIGHT_APPROVAL_EXPIRED'));
  });

  it('cannot drown the people: the fourth that waits is denied at once', async () => {
    const asked = [1, 2, 3, 4, 5].map((index) => ask('refund', refund(`flood-000${index}`)));
    await Promise.all(asked);
    await until('the flood', async () =>
      find(await folder.entries(), 'indicator.raised', 'OVERSIGHT_APPROVAL_FLOOD'));
    const { body } = await folder.control('GET', '/v1/approvals');
    const pending = (
      body['approvals'] as readonly JsonObject[]
    ).filter((one) => one['state'] === 'pending');
    expect(pending.length).toBeLessThanOrEqual(3);
    await until('the denial at the executor', async () =>
      (await folder.entries()).some((entry) =>
        entry.kind === 'request.reviewed' && entry.code === 'OVERSIGHT_APPROVAL_DENIED'));
  });
});
