// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/adapters/clock-system.ts';
import { systemRandom } from '../../src/adapters/random-system.ts';
import { appendBlock } from '../../src/mandate/block.ts';
import type { EffectiveMandate, MandateBlock } from '../../src/mandate/mandate.ts';
import { issueMandate, readUnverified } from '../../src/mandate/narrow.ts';
import { mintUlid } from '../../src/message/identifiers.ts';
import type { EnvelopeBody } from '../../src/message/envelope.ts';
import type { JsonObject } from '../../src/message/json.ts';
import type { EntryKind } from '../../src/recorder/entry.ts';
import { makePeople } from '../mesh-harness/attack-mesh.ts';
import { forge } from '../mesh-harness/bus-line.ts';
import { find } from '../mesh-harness/log-entries.ts';
import { mandateMesh } from '../mesh-harness/mandate-mesh.ts';
import { MeshInProcess } from '../mesh-harness/mesh-in-process.ts';
import { MeshFolder, until } from '../mesh-harness/running-mesh.ts';

const people = makePeople();
const agents = ['desk', 'annex', 'planner', 'clerk', 'intern', 'payments'] as const;

describe('an attacker without the mandate for it', () => {
  let folder: MeshFolder;
  let mesh: MeshInProcess;
  let key = 0;

  beforeAll(async () => {
    folder = await MeshFolder.create(mandateMesh(people));
    mesh = await MeshInProcess.start(folder, agents);
    for (const agent of agents) if (agent !== 'payments') await mesh.fresh(agent);
  }, 60_000);
  afterAll(async () => {
    await mesh?.close();
    await folder?.remove();
  });
  beforeEach(async () => {
    for (const agent of ['planner', 'clerk', 'desk'] as const) await mesh.fresh(agent);
  });

  const calls = (): number => {
    const file = join(folder.directory, 'calls.log');
    return existsSync(file) ? readFileSync(file, 'utf8').split('\n').length - 1 : 0;
  };
  const recorded = (kind: EntryKind, code: string, message: string) =>
    until(`${kind} ${code}`, async () =>
      find(await folder.entries(), kind, code, (entry) => entry.message === message));

  /** An order of the desk to the planner, taken: the task, and the chain that came with it. */
  async function ordered(more: JsonObject = {}, to = 'planner') {
    const started = await mesh.startTask('desk', to, { text: 'pay' }, more);
    expect(started.status, JSON.stringify(started.body)).toBe(202);
    const task = String(started.body['task']);
    await mesh.take(to, task);
    const chain = mesh.memory(to).mandates(task).at(-1)?.chain ?? '';
    const read = readUnverified(chain);
    if (!read.ok) throw new Error(read.code);
    return { task, chain, mandate: read.mandate };
  }

  /** Somebody holds the key of this agent's sidecar and writes what he likes. */
  function forgedBy(agent: string, change: Partial<EnvelopeBody>) {
    const { context } = mesh.sidecar(agent).sidecar;
    const payload = {
      action: 'count', parameters: { name: 'a' }, idempotencyKey: `forged-${++key}`, evidence: [],
    };
    return forge({ credential: context.credential() }, {
      type: 'instruction', schema: 'action-request/1', to: 'payments', payload, ...change,
    });
  }

  async function publish(agent: string, change: Partial<EnvelopeBody>) {
    const { envelope, entry, body } = forgedBy(agent, change);
    const { context } = mesh.sidecar(agent).sidecar;
    const answer = await context.link.publish({
      envelope, entry, expiresAt: body.expiresAt, resend: false,
      policyVersion: context.policy.version,
    });
    return { id: body.id, answer };
  }

  /** The node refuses it; and where a node does not, the executor does. */
  async function refusedTwice(agent: string, change: Partial<EnvelopeBody>, code: string) {
    const before = calls();
    const { id, answer } = await publish(agent, change);
    expect(answer).toMatchObject({ accepted: false, code });
    await recorded('message.refused', code, id);
    const { envelope, body } = forgedBy(agent, change);
    const { chainPem } = mesh.sidecar(agent).sidecar.context.credential();
    mesh.sidecar('payments').sidecar.deliver(envelope, chainPem, () => undefined);
    await refusedThere(body.id, code, before);
  }

  async function refusedThere(id: string, code: string, before: number): Promise<void> {
    await recorded('request.reviewed', code, id);
    expect(calls()).toBe(before);
  }

  type Pending = { readonly id: string; readonly digest: string; readonly reasons: unknown };

  async function heldFor(message: string): Promise<Pending> {
    return until('the hold', async () => {
      const { body } = await mesh.control('GET', '/v1/approvals');
      const all = body['approvals'] as readonly JsonObject[];
      for (const one of all) {
        const hold = one['hold'] as JsonObject;
        if (hold['message'] !== message || one['state'] !== 'pending') continue;
        return { id: String(one['id']), digest: String(hold['digest']), reasons: hold['reasons'] };
      }
      return null;
    });
  }

  const endOf = (id: string) =>
    until('the end', async () => (await folder.entries()).find(({ kind, message }) =>
      message === id && (kind === 'tool.outcome' || kind === 'tool.refused')));

  it('is refused what it asks for in a task that no originator started', async () => {
    const before = calls();
    const asked = await mesh.request('planner', 'count', { name: 'a' }, null);
    expect(asked.outcome).toMatchObject({ status: 'REFUSED', code: 'REFUSED' });
    await refusedThere(asked.id, 'SIDECAR_MANDATE_ABSENT', before);
  });

  it('is refused the mandate of another task', async () => {
    const { chain } = await ordered();
    const { task } = await ordered();
    await refusedTwice('planner', { task, mandate: chain }, 'MANDATE_TASK_MISMATCH');
  });

  it('is refused the mandate of another holder, whole or cut back to its first block', async () => {
    const { task, chain } = await ordered();
    await refusedTwice('clerk', { task, mandate: chain }, 'MANDATE_AUDIENCE_MISMATCH');
    await mesh.instruct('planner', 'clerk', task);
    await mesh.take('clerk', task);
    const own = mesh.memory('clerk').mandates(task).at(-1)?.chain ?? '';
    expect(own.startsWith(`${chain}~`)).toBe(true);
    const cut = own.slice(0, chain.length);
    await refusedTwice('clerk', { task, mandate: cut }, 'MANDATE_AUDIENCE_MISMATCH');
  });

  const widenings: readonly (readonly [string, Partial<MandateBlock>])[] = [
    ['MANDATE_WIDENS_TIME', { expiresAt: Date.now() + 120_000 }],
    ['MANDATE_WIDENS_DEPTH', { maxDepth: 3, approval: 'approval-1' }],
    ['MANDATE_TASK_CHANGED', { task: '01JD0000000000000000000000' }],
    ['MANDATE_CYCLE', { audience: 'desk' }],
  ];
  it.each(widenings)('is refused a block that widens what it had: %s', async (code, change) => {
    const rights = [{ right: 'request', executor: 'payments', action: 'count' }];
    const { task, chain, mandate } = await ordered({ mandate: { rights, lifetimeMs: 60_000 } });
    const credential = mesh.sidecar('planner').sidecar.context.credential();
    const block: MandateBlock = {
      v: 1, issuer: credential.spiffeId, parent: mandate.id, audience: 'clerk', task,
      sponsor: mandate.sponsor, rights: mandate.rights, notBefore: mandate.notBefore,
      expiresAt: mandate.expiresAt, output: null, maxDepth: 2, approval: null,
      oispec: mesh.sidecar('clerk').sidecar.context.agent.oispec?.digest ?? null, ...change,
    };
    const wider = appendBlock(chain, block, { kind: 'nhi', credential });
    await refusedTwice('clerk', { task, mandate: wider }, code);
  });

  /** A first block for the planner by whoever holds this agent's key. */
  function rootBy(agent: string, mandate: EffectiveMandate): string {
    const credential = mesh.sidecar(agent).sidecar.context.credential();
    const { task, rights, notBefore, oispec } = mandate;
    const block: MandateBlock = {
      v: 1, issuer: credential.spiffeId, parent: null, audience: 'planner', task, sponsor: agent,
      rights, notBefore, expiresAt: Math.min(mandate.expiresAt, credential.expiresAtMs),
      output: null, maxDepth: 2, approval: null, oispec,
    };
    return appendBlock(null, block, { kind: 'nhi', credential });
  }

  it('is refused a root that it signed itself, as one who relays no person', async () => {
    const { task, mandate } = await ordered();
    const chain = rootBy('intern', mandate);
    await refusedTwice('planner', { task, mandate: chain }, 'MANDATE_ROOT_UNTRUSTED');
  });

  it('is refused what a person left out: another value, another action, one use too many', async () => {
    const rights = [{
      right: 'request', executor: 'payments', action: 'count',
      constraints: { name: { oneOf: ['a'] } }, limits: { count: 2 },
    }];
    const { task } = await ordered({ mandate: { rights } });
    const before = calls();
    const other = await mesh.request('planner', 'count', { name: 'b' }, task);
    await refusedThere(other.id, 'MANDATE_VALUE_UNLISTED', before);
    const more = await mesh.request('planner', 'weigh', { name: 'a', grams: 1 }, task);
    await refusedThere(more.id, 'MANDATE_RIGHT_ABSENT', before);
    for (let use = 0; use < 2; use += 1) {
      const { outcome } = await mesh.request('planner', 'count', { name: 'a' }, task);
      expect(outcome).toMatchObject({ status: 'DONE' });
    }
    const third = await mesh.request('planner', 'count', { name: 'a' }, task);
    await refusedThere(third.id, 'MANDATE_COUNT_EXCEEDED', before + 2);
  });

  it('is refused another value than the one in the message that a person tied it to', async () => {
    const rights = [{
      right: 'request', executor: 'payments', action: 'count',
      constraints: { name: { equalTo: [{ message: 'order/1', pointer: '/name' }] } },
    }];
    const started = await mesh.startTask('desk', 'planner', { text: 'count', name: 'b' }, { mandate: { rights } });
    expect(started.status, JSON.stringify(started.body)).toBe(202);
    const task = String(started.body['task']);
    await mesh.take('planner', task);
    const before = calls();
    const other = await mesh.request('planner', 'count', { name: 'a' }, task);
    await refusedThere(other.id, 'MANDATE_REFERENCE_UNRESOLVED', before);
    const said = await mesh.request('planner', 'count', { name: 'b' }, task);
    expect(said.outcome).toMatchObject({ status: 'DONE' });
    // A message of the same schema that no person vouches for does not take its place.
    const again = await mesh.startTask('desk', 'planner', { text: 'count', name: 'b' }, { mandate: { rights } });
    const next = String(again.body['task']);
    await mesh.take('planner', next);
    const sent = await mesh.instruct('intern', 'planner', null, { payload: { text: 'count', name: 'c' } });
    await mesh.take('planner', String(sent.body['task']));
    const planted = await mesh.request('planner', 'count', { name: 'c' }, next);
    await refusedThere(planted.id, 'MANDATE_REFERENCE_UNRESOLVED', before + 1);
  });

  it('cannot pass on more than it has, nor further than its OISpec lets it', async () => {
    const rights = [{ right: 'request', executor: 'payments', action: 'count' }];
    const { task } = await ordered({ mandate: { rights } });
    const wide = [{ right: 'request', executor: 'payments', action: 'erase' }];
    const wider = await mesh.instruct('planner', 'clerk', task, { mandate: { rights: wide } });
    expect(wider).toMatchObject({ status: 403, body: { code: 'REFUSED' } });
    await recorded('message.refused', 'MANDATE_WIDENS_RIGHT', String(wider.body['messageId']));
    await mesh.instruct('planner', 'clerk', task);
    await mesh.take('clerk', task);
    const back = await mesh.instruct('clerk', 'planner', task, { mandate: { rights } });
    expect(back.status).toBe(403);
    await recorded('message.refused', 'MANDATE_CYCLE', String(back.body['messageId']));
    const asked = await mesh.request('clerk', 'count', { name: 'a' }, task);
    expect(asked.outcome).toMatchObject({ status: 'DONE' });
    const acted = (await folder.entries()).filter(({ message }) => message === asked.id);
    const ids = acted.flatMap(({ detail }) => detail['mandate'] ?? []);
    expect(new Set(ids).size).toBe(1);
    const reviewed = acted.find(({ kind }) => kind === 'request.reviewed');
    expect(reviewed?.detail['delegation']).toEqual(['agent:desk', 'agent:planner', 'agent:clerk']);
    expect(acted.find(({ kind }) => kind === 'tool.intent')?.detail['mandate']).toBe(ids[0]);
  });

  it('gains nothing by a revoked parent, not even where its request already waits', async () => {
    const { task, mandate } = await ordered();
    await mesh.instruct('planner', 'clerk', task);
    await mesh.take('clerk', task);
    const before = calls();
    const waiting = await mesh.request('clerk', 'erase', { name: 'a' }, task, 0);
    const pending = await heldFor(waiting.id);
    const revoked = await mesh.revoke({ kind: 'mandate', value: mandate.id }, people.alice);
    expect(revoked.status).toBe(200);
    expect(await mesh.decide(pending, 'approve', people.alice)).toMatchObject({ status: 200 });
    await refusedThere(waiting.id, 'MANDATE_REVOKED', before);
    const next = await mesh.request('clerk', 'count', { name: 'a' }, task);
    expect(next.outcome ?? next.body).toMatchObject({ code: 'REFUSED' });
    expect(calls()).toBe(before);
    const entry = find(await folder.entries(), 'mandate.revoked', 'MANDATE_REVOKED');
    expect(entry?.actor).toBe('operator:alice');
  });

  it('gains nothing by a mandate that ran out while its request waited', async () => {
    const { task } = await ordered({ mandate: { lifetimeMs: 1_500 } });
    const before = calls();
    const waiting = await mesh.request('planner', 'erase', { name: 'a' }, task, 0);
    const pending = await heldFor(waiting.id);
    await new Promise((resolve) => setTimeout(resolve, 1_600));
    expect(await mesh.decide(pending, 'approve', people.alice)).toMatchObject({ status: 200 });
    await refusedThere(waiting.id, 'MANDATE_EXPIRED', before);
  });

  it('gains nothing by the mandate of a task that a person ended', async () => {
    const { task } = await ordered();
    const before = calls();
    const first = await mesh.request('planner', 'count', { name: 'a' }, task);
    expect(first.outcome).toMatchObject({ status: 'DONE' });
    expect((await mesh.revoke({ kind: 'task', value: task }, people.alice)).status).toBe(200);
    const next = await mesh.request('planner', 'count', { name: 'a' }, task);
    expect(next.outcome ?? next.body).toMatchObject({ code: 'REFUSED' });
    const entries = await folder.entries();
    const refused = entries.filter(({ code, message }) =>
      code === 'MANDATE_TASK_ENDED' && message === next.id);
    expect(refused.length).toBeGreaterThan(0);
    expect(calls()).toBe(before + 1);
    expect(find(entries, 'task.ended', 'MANDATE_TASK_ENDED')?.task).toBe(task);
  });

  it('cannot end a task of somebody else, and its originator can: nothing runs any more', async () => {
    const { task } = await ordered();
    const own = mesh.api('planner').endTask({ task }, mesh.memory('planner'));
    expect((await own).status).toBe(403);
    const { link } = mesh.sidecar('planner').sidecar.context;
    expect(await link.endTask(task)).toBe('CONTROL_TASK_FOREIGN');
    const first = await mesh.request('planner', 'count', { name: 'a' }, task);
    expect(first.outcome).toMatchObject({ status: 'DONE' });
    const waiting = await mesh.request('planner', 'erase', { name: 'a' }, task, 0);
    const pending = await heldFor(waiting.id);
    const before = calls();
    const ended = await mesh.api('desk').endTask({ task }, mesh.memory('desk'));
    expect(ended.status).toBe(200);
    await mesh.decide(pending, 'approve', people.alice);
    await refusedThere(waiting.id, 'MANDATE_TASK_ENDED', before);
    const entry = find(await folder.entries(), 'task.ended', 'MANDATE_TASK_ENDED', (one) =>
      one.task === task);
    expect(entry?.detail['by']).toBe('agent:desk');
  });

  it('cannot have a second root for a task, nor a wider mandate than its first one', async () => {
    const rights = [{ right: 'request', executor: 'payments', action: 'count' }];
    const { task, mandate } = await ordered({ mandate: { rights } });
    const { context } = mesh.sidecar('annex').sidecar;
    const foreign = rootBy('annex', { ...mandate, task });
    const second = await publish('annex', {
      schema: 'order/1', to: 'planner', payload: { text: 'do it' }, task, mandate: foreign,
      provenance: { source: 'user', isolation: 'none' },
      label: { classification: 'internal', integrity: 'trusted', origins: ['prompt'] },
    });
    expect(second.answer).toMatchObject({ accepted: false, code: 'CONTROL_MANDATE_SECOND' });
    await recorded('message.refused', 'CONTROL_MANDATE_SECOND', second.id);
    expect(context.store.givenMandates(task)).toEqual([]);
    const wide = [...rights, { right: 'request', executor: 'payments', action: 'erase' }];
    const wider = await mesh.instruct('desk', 'planner', task, { mandate: { rights: wide } });
    expect(wider.status).toBe(403);
    await recorded('message.refused', 'CONTROL_MANDATE_SECOND', String(wider.body['messageId']));
    const equal = await mesh.instruct('desk', 'planner', task, { mandate: { rights } });
    expect(equal.status).toBe(202);
  });

  it('cannot have a revoked mandate replaced by another one for the same task', async () => {
    const { task, mandate } = await ordered();
    expect((await mesh.revoke({ kind: 'mandate', value: mandate.id }, people.alice)).status).toBe(200);
    const again = await mesh.instruct('desk', 'planner', task, { mandate: { lifetimeMs: 60_000 } });
    expect(again.status).toBe(403);
    await recorded('message.refused', 'MANDATE_REVOKED', String(again.body['messageId']));
  });

  it('is refused a chain that it edited', async () => {
    const { task, chain } = await ordered();
    const mandate = `${chain.slice(0, -8)}AAAAAAA${chain.slice(-1)}`;
    await refusedTwice('planner', { task, mandate }, 'MANDATE_SIGNATURE_INVALID');
  });

  it('holds what an operator issued for it, and nothing that was issued for others', async () => {
    const task = mintUlid(systemClock(), systemRandom);
    const { mandate } = await ordered();
    const issuedTo = (audience: string): string => {
      const { oispec } = mesh.sidecar(audience).sidecar.context.agent;
      const issued = issueMandate(
        {
          audience, task, sponsor: 'alice', rights: mandate.rights, notBefore: Date.now() - 1000,
          expiresAt: Date.now() + 60_000, output: null, maxDepth: 2, approval: null,
          oispec: oispec?.digest ?? null,
        },
        { kind: 'operator', name: 'alice', privateKey: people.alice.privateKey },
      );
      if (!issued.ok) throw new Error(issued.code);
      return issued.chain;
    };
    const hold = (agent: string, chain: string) =>
      mesh.api(agent).holdMandate({ chain }, mesh.memory(agent));
    expect((await hold('clerk', issuedTo('planner'))).status).toBe(403);
    expect(await hold('clerk', issuedTo('clerk'))).toMatchObject({ status: 200, body: { task } });
    const { outcome } = await mesh.request('clerk', 'count', { name: 'a' }, task);
    expect(outcome).toMatchObject({ status: 'DONE' });
    const { body } = await mesh.control('GET', `/v1/mandates?task=${task}`);
    expect(body['mandates']).toMatchObject([
      { path: ['operator:alice', 'agent:clerk'], revoked: false, taskEnded: false },
    ]);
  });

  it('runs nothing privileged while nobody can say what was revoked', async () => {
    const { task } = await ordered();
    const before = calls();
    const { lease } = mesh.sidecar('payments').sidecar.context;
    const { coversPrivileged } = lease;
    Object.assign(lease, { coversPrivileged: () => false });
    try {
      const held = await mesh.request('planner', 'erase', { name: 'a' }, task);
      expect(held.outcome).toMatchObject({ status: 'REFUSED' });
      const entry = await recorded('request.reviewed', 'SIDECAR_LEASE_EXPIRED', held.id);
      const found = entry.verdicts.flatMap(({ findings }) => findings.map(({ code }) => code));
      expect(found).toContain('MANDATE_SNAPSHOT_STALE');
      const low = await mesh.request('planner', 'count', { name: 'a' }, task);
      expect(low.outcome).toMatchObject({ status: 'DONE' });
    } finally {
      Object.assign(lease, { coversPrivileged });
    }
    expect(calls()).toBe(before + 1);
  });

  describe('that makes a deputy act for it', () => {
    /** The intern speaks to the planner in a task of its own, or in that of its originator. */
    async function confused(): Promise<string> {
      const { task } = await ordered();
      const sent = await mesh.instruct('intern', 'planner', null);
      expect(sent.status).toBe(202);
      await mesh.take('planner', String(sent.body['task']));
      return task;
    }

    it('has a person asked, once, and nothing runs where she says no', async () => {
      const task = await confused();
      const before = calls();
      const asked = await mesh.request('planner', 'count', { name: 'a' }, task, 0);
      const pending = await heldFor(asked.id);
      expect(pending.reasons).toContain('MANDATE_PRINCIPAL_DENIES');
      await mesh.decide(pending, 'deny', people.alice);
      await refusedThere(asked.id, 'OVERSIGHT_APPROVAL_DENIED', before);
    });

    it('is answered where she says yes, with the principals on record', async () => {
      const task = await confused();
      const before = calls();
      const asked = await mesh.request('planner', 'count', { name: 'a' }, task, 0);
      await mesh.decide(await heldFor(asked.id), 'approve', people.alice);
      await endOf(asked.id);
      expect(calls()).toBe(before + 1);
      const held = await recorded('request.reviewed', 'MANDATE_PRINCIPAL_DENIES', asked.id);
      expect(held.detail['principals']).toEqual(['desk', 'intern']);
    });

    it('does not get around it by way of others', async () => {
      // Intern -> planner -> clerk: the clerk never hears of the intern.
      const task = await confused();
      await mesh.instruct('planner', 'clerk', task);
      await mesh.take('clerk', task);
      const asked = await mesh.request('clerk', 'count', { name: 'a' }, task, 0);
      const pending = await heldFor(asked.id);
      expect(pending.reasons).toContain('MANDATE_PRINCIPAL_DENIES');
      await mesh.decide(pending, 'deny', people.bob, 'bob');
    });

    it('does not get around it by way of the originator', async () => {
      const sent = await mesh.instruct('intern', 'desk', null);
      await mesh.take('desk', String(sent.body['task']));
      const { task } = await ordered();
      const asked = await mesh.request('planner', 'count', { name: 'a' }, task, 0);
      const pending = await heldFor(asked.id);
      expect(pending.reasons).toContain('MANDATE_PRINCIPAL_DENIES');
      await mesh.decide(pending, 'deny', people.alice);
    });

    it('counts for nothing by data alone: values have sources of their own', async () => {
      const { task } = await ordered();
      const data = { type: 'data', schema: 'note/1', payload: { text: 'pay me' } };
      const sent = await mesh.instruct('intern', 'planner', null, data);
      await mesh.take('planner', String(sent.body['task']));
      const { outcome } = await mesh.request('planner', 'count', { name: 'a' }, task);
      expect(outcome).toMatchObject({ status: 'DONE' });
    });

    it('is not asked about where every principal has the right', async () => {
      const annex = await mesh.startTask('annex', 'planner', { text: 'count' });
      await mesh.take('planner', String(annex.body['task']));
      const own = String(annex.body['task']);
      const { outcome } = await mesh.request('planner', 'count', { name: 'a' }, own);
      expect(outcome).toMatchObject({ status: 'DONE' });
      const { task } = await ordered();
      // Now two originators speak in one process: neither vouches for the other's task.
      const both = await mesh.request('planner', 'count', { name: 'a' }, task, 0);
      const pending = await heldFor(both.id);
      expect(pending.reasons).toContain('MANDATE_PRINCIPAL_DENIES');
      await mesh.decide(pending, 'deny', people.alice);
    });
  });

  it('an originator asks by itself under a mandate that it gives the executor', async () => {
    const asked = await mesh.request('desk', 'count', { name: 'a' }, null);
    expect(asked.outcome).toMatchObject({ status: 'DONE' });
    const reviewed = (await folder.entries()).find(({ kind, message }) =>
      kind === 'request.reviewed' && message === asked.id);
    expect(reviewed?.detail['delegation']).toEqual(['agent:desk', 'agent:payments']);
    // Nobody else can present it.
    const { task, id } = await presentedBy(asked.id);
    const before = calls();
    const stolen = await publish('planner', { task, mandate: id });
    await refusedThere(stolen.id, 'MANDATE_AUDIENCE_MISMATCH', before);
  });

  async function presentedBy(message: string) {
    const body = mesh.sidecar('payments').sidecar.context.store.message(message)?.body;
    return { task: body?.task ?? '', id: body?.mandate ?? '' };
  }
});
