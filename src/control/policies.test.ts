// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, it } from 'vitest';
import { loadFiles, sampleFile, sampleFiles, sampleText } from '../../test/mesh-files/sample.ts';
import { operatorKey } from '../../test/mesh-harness/attack-mesh.ts';
import { FakeRecorder, random, startMs } from '../../test/sidecar-fixture/sidecar.ts';
import { SqlitePolicyStore } from '../adapters/policy-store-sqlite.ts';
import { BatchedDatabase } from '../adapters/sqlite-batch.ts';
import { signPolicy, type PolicyStatement } from '../identity/policy-statement.ts';
import type { Mesh } from '../mesh/mesh.ts';
import { mintUlid } from '../message/identifiers.ts';
import { applyPolicy, type PoliciesContext } from './policies.ts';
import { policyAtStart, type StartedPolicy } from './policy-start.ts';

const alice = operatorKey();
const clock = { nowMs: () => startMs };
const operatorLine = `alice: ${JSON.stringify(alice.publicJwk)}`;

/** The sample, with this operator, and one number changed. */
function meshOf(atMost = 5000, operators: string | null = operatorLine): Mesh {
  const named = /  operators:\n(    .*\n)+/;
  const text = sampleText
    .replace(named, operators === null ? '' : `  operators:\n    ${operators}\n`)
    .replace('at_most: 5000', `at_most: ${atMost}`);
  const loaded = loadFiles({ ...sampleFiles, [sampleFile]: text });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.diagnostics));
  return loaded.mesh;
}

let database: BatchedDatabase;
let store: SqlitePolicyStore;
let recorder: FakeRecorder;
let now: StartedPolicy;
let paused: string[];

async function start(disk: Mesh): Promise<StartedPolicy> {
  store = new SqlitePolicyStore(database);
  now = await policyAtStart(disk, {
    store, recorder, clock, operatorsOf: async (mesh) => mesh.operators,
  });
  return now;
}

beforeEach(async () => {
  database = new BatchedDatabase(':memory:');
  recorder = new FakeRecorder();
  paused = [];
  await start(meshOf());
});

function contextOf(change: Partial<PoliciesContext> = {}): PoliciesContext {
  return {
    store,
    recorder,
    clock,
    operators: () => now.mesh.operators,
    inForce: () => ({ version: now.policy.version, mesh: now.mesh }),
    mintId: () => mintUlid(clock, random),
    compiles: async () => true,
    pause: () => void paused.push('pause'),
    resume: () => void paused.push('resume'),
    enforce: (policy, mesh) => {
      paused.push('enforce');
      now = { ...now, policy, mesh };
    },
    ...change,
  };
}

function signedFor(mesh: Mesh, change: Partial<PolicyStatement> = {}, key = alice): string {
  return signPolicy({
    id: mintUlid(clock, random),
    version: store.highest() + 1,
    digest: mesh.digest,
    previous: now.mesh.digest,
    effective: 'now',
    operator: 'alice',
    at: startMs,
    reason: '',
    ...change,
  }, key);
}

function put(mesh: Mesh, signed = signedFor(mesh), change: Partial<PoliciesContext> = {}) {
  return applyPolicy(signed, mesh.bundle ?? { file: '', texts: {} }, contextOf(change));
}

describe('a signed version', () => {
  it.each([
    ['that does not compile', {}, { compiles: async () => false }, 'MESH_POLICY_REFUSED'],
    ['for other texts', { digest: 'A'.repeat(43) }, {}, 'MESH_POLICY_DIGEST'],
    ['that follows another one', { previous: 'A'.repeat(43) }, {}, 'MESH_POLICY_VERSION'],
    ['with the number of the one in force', { version: 1 }, {}, 'MESH_POLICY_VERSION'],
    ['of somebody else', { operator: 'bob' }, {}, 'IDENTITY_OPERATOR_UNKNOWN'],
  ])('%s is refused, and nothing changes', async (_what, statement, change, code) => {
    const mesh = meshOf(10);
    expect(await put(mesh, signedFor(mesh, statement), change)).toEqual({ ok: false, code });
    expect(paused).toEqual([]);
    expect(recorder.codes('identity.refused')).toEqual([code]);
    expect(store.inForce()?.version).toBe(1);
  });

  it('with texts that are no mesh file is refused', async () => {
    const mesh = meshOf(10);
    const bundle = { file: 'security_mesh.yaml', texts: { 'security_mesh.yaml': 'security_mesh:\n  half' } };
    const answer = await applyPolicy(signedFor(mesh), bundle, contextOf());
    expect(answer).toEqual({ ok: false, code: 'MESH_POLICY_REFUSED' });
  });

  it('that names its own operator is judged by those in force', async () => {
    const mallory = operatorKey();
    const mesh = meshOf(10, `mallory: ${JSON.stringify(mallory.publicJwk)}`);
    const signed = signedFor(mesh, { operator: 'mallory' }, mallory);
    expect(await put(mesh, signed)).toEqual({ ok: false, code: 'IDENTITY_OPERATOR_UNKNOWN' });
  });

  it('is on record before it holds, and no privileged step begins in between', async () => {
    const order: string[] = [];
    recorder.isBroken = (entries) => {
      order.push(...entries.map(({ kind }) => kind), ...paused.splice(0));
      return false;
    };
    expect(await put(meshOf(10))).toEqual({ ok: true, version: 2, effective: 'now' });
    expect(order).toEqual(['policy.signed', 'pause', 'policy.effective', 'enforce', 'resume']);
    expect(store.inForce()).toMatchObject({ version: 2, digest: meshOf(10).digest });
  });

  it('that cannot be recorded does not hold, now or later, and its number is spent', async () => {
    recorder.isBroken = (entries) => entries.some(({ kind }) => kind === 'policy.signed');
    const signed = signedFor(meshOf(10));
    expect(await put(meshOf(10), signed)).toEqual({ ok: false, code: 'CONTROL_POLICY_UNRECORDED' });
    expect(paused).toEqual(['pause', 'resume']);
    recorder.isBroken = () => false;
    expect(await start(meshOf())).toMatchObject({ policy: { version: 1 } });
    expect(await put(meshOf(10), signed)).toEqual({ ok: false, code: 'MESH_POLICY_VERSION' });
  });

  it('cannot be used again, not even after the one before it is back in force', async () => {
    const first = signedFor(meshOf(10));
    expect(await put(meshOf(10), first)).toMatchObject({ ok: true, version: 2 });
    expect(await put(meshOf())).toMatchObject({ ok: true, version: 3 });
    expect(await put(meshOf(10), first)).toEqual({ ok: false, code: 'MESH_POLICY_VERSION' });
    expect(await put(meshOf(10))).toMatchObject({ ok: true, version: 4 });
  });
});

describe('a node that starts', () => {
  it('takes up what a crash kept from being in force between signature and switch', async () => {
    const never = new Promise<never>(() => undefined);
    const crashed: PoliciesContext['recorder'] = { record: () => never };
    void put(meshOf(10), signedFor(meshOf(10)), { recorder: crashed });
    await new Promise((resolve) => setTimeout(resolve, 20));
    recorder.entries.length = 0;
    expect(await start(meshOf(10))).toMatchObject({ policy: { version: 2 }, code: null });
    expect(recorder.entries.map(({ kind }) => kind)).toEqual(['policy.signed', 'policy.effective']);
  });

  it('goes on under the signed version where the file on disk is another', async () => {
    await put(meshOf(10));
    const started = await start(meshOf(9999));
    expect(started).toMatchObject({ policy: { version: 2 }, code: 'MESH_POLICY_UNSIGNED' });
    expect(started.mesh.digest).toBe(meshOf(10).digest);
    expect(started.said).not.toBeNull();
  });

  it('takes a version that was signed for this start, and the newest of several', async () => {
    expect(await put(meshOf(10), signedFor(meshOf(10), { effective: 'restart' })))
      .toEqual({ ok: true, version: 2, effective: 'restart' });
    expect(paused).toEqual([]);
    await put(meshOf(20), signedFor(meshOf(20), { effective: 'restart' }));
    expect(await start(meshOf(20))).toMatchObject({ policy: { version: 3 }, code: null });
  });

  it('drops what was signed for this start and is no longer the next', async () => {
    const staged = signedFor(meshOf(10), { effective: 'restart' });
    await put(meshOf(10), staged);
    await put(meshOf(20));
    expect(await start(meshOf(20))).toMatchObject({ policy: { version: 3 } });
  });

  it('records a changed file as signed by nobody where no operator is named', async () => {
    database = new BatchedDatabase(':memory:');
    recorder.entries.length = 0;
    await start(meshOf(5000, null));
    expect(await start(meshOf(10, null))).toMatchObject({
      policy: { version: 2, signed: null }, code: 'MESH_POLICY_UNSIGNED',
    });
    expect(recorder.codes('policy.effective')).toEqual(Array(2).fill('MESH_POLICY_UNSIGNED'));
  });

  it('does not start on a version that cannot be loaded any more', async () => {
    await put(meshOf(10));
    database.database.exec(`UPDATE policy SET value = replace(value, 'security_mesh:', 'broken:')`);
    await expect(start(meshOf())).rejects.toMatchObject({ code: 'CONTROL_POLICY_UNREADABLE' });
  });
});
