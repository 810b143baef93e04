// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, it } from 'vitest';
import { workflowMesh, type WorkflowMeshOptions } from '../../test/mesh-files/workflow-mesh.ts';
import { operatorKey } from '../../test/mesh-harness/attack-mesh.ts';
import { FakeRecorder, partyOf, random, startMs } from '../../test/sidecar-fixture/sidecar.ts';
import { SqlitePolicyStore } from '../adapters/policy-store-sqlite.ts';
import { BatchedDatabase } from '../adapters/sqlite-batch.ts';
import { SqliteWorkflowChangeStore } from '../adapters/workflow-change-store-sqlite.ts';
import { signPolicy, type PolicyStatement } from '../identity/policy-statement.ts';
import { RevocationList } from '../identity/revocation.ts';
import { signWorkflowDenial } from '../identity/workflow-statement.ts';
import type { Mesh } from '../mesh/mesh.ts';
import { takePolicy } from '../mesh/take-policy.ts';
import { changeWorkflow, type EdgeName, type WorkflowChange } from '../mesh/workflow-change.ts';
import { mintUlid } from '../message/identifiers.ts';
import { noApprover, type Notice } from '../oversight/approver.ts';
import { Turns } from '../oversight/turns.ts';
import type { ChangeRequest } from '../wire/frame.ts';
import { applyNarrowing, applyPolicy, type PoliciesContext } from './policies.ts';
import { policyAtStart } from './policy-start.ts';
import { WorkflowChanges, waitsForPerson, type ChangeAnswer } from './workflow-changes.ts';

const alice = operatorKey();
const approver = operatorKey();
const operators = `  operators:
    alice: ${JSON.stringify(alice.publicJwk)}
    bob: { kty: OKP, crv: Ed25519, x: "${String(approver.publicJwk['x'])}", roles: [approver] }
`;
const planner = partyOf('planner').peer;
const edge = (from: string, to: string): EdgeName => ({ from, to, domain: 'work' });
const toClerk = edge('planner', 'clerk');
const toTriage = edge('planner', 'triage');
const clerkToReviewer = edge('clerk', 'reviewer');

let nowMs: number;
const clock = { nowMs: () => nowMs };
const task = mintUlid({ nowMs: () => startMs }, random);
let database: BatchedDatabase;
let recorder: FakeRecorder;
let store: SqlitePolicyStore;
let list: RevocationList;
let now: { version: number; mesh: Mesh };
let changes: WorkflowChanges;
let keys: number;
let [told, sponsors]: [Notice[], readonly string[]] = [[], []];

async function start(options: WorkflowMeshOptions = {}): Promise<void> {
  database = new BatchedDatabase(':memory:');
  recorder = new FakeRecorder();
  list = new RevocationList([], 0, startMs);
  const mesh = workflowMesh({ operators, ...options });
  store = new SqlitePolicyStore(database);
  const started = await policyAtStart(mesh, { store, recorder, clock, operatorsOf: async (one) => one.operators });
  now = { version: started.policy.version, mesh: started.mesh };
  changes = nodeOf();
}

const turns = new Turns();
function policiesOf(): PoliciesContext {
  return {
    store, recorder, clock,
    operators: () => now.mesh.operators,
    inForce: () => now,
    mintId: () => mintUlid(clock, random),
    compiles: async () => true,
    pause: () => undefined,
    resume: () => undefined,
    enforce: ({ version }, mesh) => {
      now = { version, mesh };
    },
  };
}

let tell: (notice: Notice) => Promise<void>;
function nodeOf(): WorkflowChanges {
  return new WorkflowChanges({
    store: new SqliteWorkflowChangeStore(database),
    recorder, clock,
    causedBy: () => sponsors,
    approver: { ...noApprover, name: 'pager', waiting: (notice) => tell(notice) },
    mintId: () => mintUlid(clock, random),
    operators: () => now.mesh.operators,
    revocations: { list },
    inForce: () => now,
    versionOf: (id) => {
      let version = store.inForce();
      while (version !== null && version.change?.id !== id) version = store.before(version.version);
      return version?.version ?? null;
    },
    apply: (signed, bundle, change) => turns.take(() => applyPolicy(signed, bundle, policiesOf(), change)),
    narrow: (base, change) => turns.take(() => applyNarrowing(base, change, policiesOf())),
  });
}

beforeEach(async () => {
  [nowMs, keys, told, sponsors] = [startMs, 0, [], []];
  tell = async (notice) => void told.push(notice);
  await start();
});

const change = (open: readonly EdgeName[], close: readonly EdgeName[] = []): WorkflowChange =>
  ({ workflow: 'invoices', open, close });
const propose = (
  asked: WorkflowChange,
  more: Partial<ChangeRequest> = {},
  peer = planner,
): Promise<ChangeAnswer> => changes.propose({
  change: asked, task, key: `key-${++keys}`, policyVersion: now.version, integrity: 'internal', mandate: null,
  ...more,
}, peer);
const codeOf = (answer: ChangeAnswer): string => answer.state === 'refused' ? answer.code : answer.state;
const idOf = (answer: ChangeAnswer): string => answer.state === 'refused' ? answer.code : answer.proposed.id;

function signedFor(asked: WorkflowChange, more: Partial<PolicyStatement> = {}, key = alice): string {
  const changed = changeWorkflow(now.mesh, asked);
  return signPolicy({
    id: mintUlid(clock, random), version: store.highest() + 1,
    digest: changed.ok ? changed.mesh.digest : now.mesh.digest, previous: now.mesh.digest,
    effective: 'now', operator: 'alice', at: nowMs, reason: '', ...more,
  }, key);
}

const release = async (id: string, signed: string): Promise<string | number> => {
  const answer = await changes.release(id, signed);
  return answer.ok ? answer.version : answer.code;
};

function revoke(kind: 'agent' | 'task', value: string): void {
  const step = { version: 1, id: 'r', op: 'revoke', target: { kind, value }, at: nowMs, signed: null } as const;
  expect(list.update({ since: 0, version: 1, changes: [step] }, () => false)).toHaveLength(1);
}

describe('a worst-case orchestrator', () => {
  it('changes no workflow without the right, whoever asks for it', async () => {
    for (const agent of ['clerk', 'desk', 'triage', 'nobody']) {
      expect(codeOf(await propose(change([], [toTriage]), {}, partyOf(agent).peer))).toBe('CONTROL_WORKFLOW_DENIED');
    }
    expect(codeOf(await propose({ ...change([], [toTriage]), workflow: 'payroll' }))).toBe('CONTROL_WORKFLOW_DENIED');
    expect(now.version).toBe(1);
    expect(recorder.codes('workflow.refused')).toEqual(Array.from({ length: 5 }, () => 'CONTROL_WORKFLOW_DENIED'));
  });

  it.each([1, 2, 3] as const)('goes around no reviewer, and gets no tool and no executor, at tier %i', async (tier) => {
    await start({ tier });
    for (const asked of [
      change([edge('planner', 'payments')]), change([edge('clerk', 'payments')]),
      change([], [edge('planner', 'reviewer')]), change([], [edge('reviewer', 'payments')]),
      change([edge('planner', 'outsider')]),
    ]) {
      expect(codeOf(await propose(asked))).toBe('MESH_CHANGE_BOUNDS');
    }
    expect(now.version).toBe(1);
  });

  it('widens nothing by itself at any tier, and narrows nothing at tier 1 and 2', async () => {
    for (const tier of [1, 2, 3] as const) {
      await start({ tier });
      expect(codeOf(await propose(change([toClerk])))).toBe('held');
      expect(codeOf(await propose(change([toClerk], [toTriage])))).toBe('held');
      expect(codeOf(await propose(change([], [toTriage])))).toBe(tier === 3 ? 'effective' : 'held');
      expect(now.version).toBe(tier === 3 ? 2 : 1);
    }
  });

  it('narrows nothing by itself once it has read what a third party wrote', async () => {
    await start({ tier: 3 });
    expect(codeOf(await propose(change([], [toTriage]), { integrity: 'untrusted' }))).toBe('held');
    expect(now.version).toBe(1);
  });

  it('races two changes: the second was made for a mesh that is gone', async () => {
    await start({ tier: 3 });
    const { version: policyVersion } = now;
    const [first, second] = await Promise.all([
      propose(change([], [toTriage]), { policyVersion }), propose(change([], [clerkToReviewer]), { policyVersion }),
    ]);
    expect([codeOf(first), codeOf(second)]).toEqual(['effective', 'CONTROL_WORKFLOW_STALE']);
    expect(now.version).toBe(2);
    await start();
    const held = [await propose(change([toClerk])), await propose(change([], [toTriage]))];
    expect(await release(idOf(held[0] as ChangeAnswer), signedFor(change([toClerk])))).toBe(2);
    const late = idOf(held[1] as ChangeAnswer);
    expect(await release(late, signedFor(change([], [toTriage])))).toBe('CONTROL_WORKFLOW_STALE');
    expect((await changes.show(late))?.state).toBe('refused');
    expect(now.version).toBe(2);
  });

  it('gets an approved change once, however often it asks for it', async () => {
    const asked = change([toClerk]);
    const id = idOf(await propose(asked, { key: 'one' }));
    const signed = signedFor(asked);
    expect(await release(id, signed)).toBe(2);
    expect(codeOf(await propose(asked, { key: 'one' }))).toBe('effective');
    expect(await release(id, signed)).toBe('CONTROL_WORKFLOW_OVER');
    // Closed again by an operator, it stays closed: key, change and signature are spent.
    const back = idOf(await propose(change([], [toClerk])));
    expect(await release(back, signedFor(change([], [toClerk])))).toBe(3);
    expect(codeOf(await propose(asked, { key: 'one' }))).toBe('effective');
    expect(now.version).toBe(3);
    const again = idOf(await propose(asked));
    expect(await release(again, signed)).toBe('MESH_POLICY_VERSION');
    expect(codeOf(await propose(change([], [toTriage]), { key: 'one' }))).toBe('CONTROL_WORKFLOW_KEY');
  });

  it('changes nothing after its revocation, also not what waited before', async () => {
    const id = idOf(await propose(change([toClerk])));
    revoke('agent', 'planner');
    expect(codeOf(await propose(change([], [toTriage])))).toBe('IDENTITY_REVOKED');
    expect(await release(id, signedFor(change([toClerk])))).toBe('IDENTITY_REVOKED');
    expect(recorder.codes('workflow.refused')).toEqual(['IDENTITY_REVOKED', 'IDENTITY_REVOKED']);
    expect(now.version).toBe(1);
  });

  it('changes nothing when its task has ended, its right was taken, or nobody answered in time', async () => {
    const ended = idOf(await propose(change([toClerk])));
    revoke('task', task);
    expect(await release(ended, signedFor(change([toClerk])))).toBe('CONTROL_WORKFLOW_OVER');
    expect(codeOf(await propose(change([toClerk])))).toBe('CONTROL_WORKFLOW_OVER');
    await start();
    const taken = idOf(await propose(change([toClerk])));
    now = { ...now, mesh: workflowMesh({ operators, changes: [['      may_change: [invoices]\n', '']] }) };
    expect(await release(taken, signedFor(change([toClerk])))).toBe('CONTROL_WORKFLOW_DENIED');
    await start();
    const late = idOf(await propose(change([toClerk])));
    nowMs += now.mesh.limits.approvalTimeoutMs;
    expect(await release(late, signedFor(change([toClerk])))).toBe('CONTROL_WORKFLOW_NOT_APPROVED');
    expect(now.version).toBe(1);
  });

  it('floods nobody: three wait, and twelve an hour go by themselves', async () => {
    for (let count = 0; count < 3; count += 1) expect(codeOf(await propose(change([toClerk])))).toBe('held');
    expect(codeOf(await propose(change([toClerk])))).toBe('CONTROL_WORKFLOW_LIMIT');
    nowMs += now.mesh.limits.approvalTimeoutMs;
    expect(codeOf(await propose(change([toClerk])))).toBe('held');
    await start({ tier: 3 });
    for (let count = 0; count < 12; count += 1) {
      nowMs += 1;
      expect(codeOf(await propose(change([], [toTriage])))).toBe('effective');
      now = { ...now, mesh: workflowMesh({ operators, tier: 3 }) };
    }
    expect(codeOf(await propose(change([], [toTriage])))).toBe('CONTROL_WORKFLOW_LIMIT');
    nowMs += 3_600_000;
    expect(codeOf(await propose(change([], [toTriage])))).toBe('effective');
  });
});

describe('a person', () => {
  it('releases with a signature over the version that the change makes, and over no other', async () => {
    const asked = change([toClerk], [toTriage]);
    const id = idOf(await propose(asked));
    const wider = signedFor(change([toClerk]));
    expect(await release(id, wider)).toBe('MESH_POLICY_DIGEST');
    expect(await release(id, signedFor(asked, { operator: 'bob' }, approver))).toBe('IDENTITY_OPERATOR_UNKNOWN');
    expect(await release(id, signedFor(asked, { previous: 'A'.repeat(43) }))).toBe('MESH_POLICY_VERSION');
    expect(await release('nothing', signedFor(asked))).toBe('CONTROL_WORKFLOW_UNKNOWN');
    expect(now.version).toBe(1);
    expect(await release(id, signedFor(asked))).toBe(2);
    expect(now.mesh.edges.map(({ to, from }) => `${from} ${to}`)).toContain('planner clerk');
    const [proposed, signed, changed] = ['workflow.proposed', 'policy.signed', 'workflow.changed'].map((kind) =>
      recorder.entries.findIndex((entry) => entry.kind === kind));
    expect(proposed).toBeLessThan(signed ?? 0);
    expect(signed).toBeLessThan(changed ?? 0);
    expect(recorder.entries[changed ?? 0]?.detail).toMatchObject({ by: 'agent:planner', workflow: 'invoices', signed: true });
  });

  it('releases nothing that they set off themselves', async () => {
    const asked = change([toClerk]);
    const id = idOf(await propose(asked));
    sponsors = ['alice'];
    expect([await release(id, signedFor(asked)), now.version]).toEqual(['OVERSIGHT_APPROVAL_OWN_CAUSE', 1]);
    sponsors = ['bob'];
    expect(await release(id, signedFor(asked))).toBe(2);
  });
  it('denies with a signature of their own, and it stays denied', async () => {
    const id = idOf(await propose(change([toClerk])));
    const denial = (more = {}, key = alice): string => signWorkflowDenial({
      id: mintUlid(clock, random), change: id, operator: 'alice', at: nowMs, reason: 'not today', ...more,
    }, key);
    expect(await changes.deny(denial({ operator: 'bob' }, approver))).toBe('IDENTITY_OPERATOR_UNKNOWN');
    expect(await changes.deny(denial({ at: nowMs - 300_001 }))).toBe('CONTROL_WORKFLOW_OVER');
    expect(await changes.deny(denial({ change: mintUlid(clock, random) }))).toBe('CONTROL_WORKFLOW_UNKNOWN');
    expect(await changes.deny(`${denial().slice(0, -4)}AAAA`)).toBe('IDENTITY_DECISION_SIGNATURE_INVALID');
    expect((await changes.show(id))?.state).toBe('held');
    expect(await changes.deny(denial())).toBeNull();
    expect(await release(id, signedFor(change([toClerk])))).toBe('CONTROL_WORKFLOW_NOT_APPROVED');
    expect(recorder.entries.at(-1)).toMatchObject({ kind: 'workflow.refused', actor: 'operator:alice' });
  });

  it('is told once of each change that waits, by names of the mesh file, and of nothing that goes by itself', async () => {
    await start({ tier: 3 });
    expect([codeOf(await propose(change([], [toTriage]))), told]).toEqual(['effective', []]);
    const asked = change([toClerk], [clerkToReviewer]);
    const [held] = [await propose(asked, { key: 'one' }), await propose(asked, { key: 'one' })];
    expect(told).toEqual([{
      waits: 'change', change: idOf(held), workflow: 'invoices', agent: 'planner', opens: 1, closes: 1,
      expiresAt: nowMs + now.mesh.limits.approvalTimeoutMs,
    }]);
    expect((await changes.waiting()).map(({ id }) => id)).toEqual([idOf(held)]);
    nowMs += now.mesh.limits.approvalTimeoutMs;
    expect(await changes.waiting()).toEqual([]);
  });
  it('who cannot be told finds the change waiting all the same, and the record says so', async () => {
    tell = () => Promise.reject(new Error('no way to anybody'));
    expect(codeOf(await propose(change([toClerk])))).toBe('held');
    await new Promise(setImmediate);
    expect([recorder.codes('indicator.raised'), (await changes.waiting()).length]).toEqual([['OVERSIGHT_APPROVER_FAILED'], 1]);
  });

  it('is asked by tier, by what widens and by what was read', () => {
    const narrowing = change([], [toTriage]);
    for (const [tier, asked, integrity, waits] of [
      [1, narrowing, 'trusted', true], [2, narrowing, 'trusted', true], [3, narrowing, 'trusted', false],
      [3, narrowing, 'internal', false], [3, narrowing, 'untrusted', true], [3, change([toClerk]), 'trusted', true],
    ] as const) {
      expect(waitsForPerson(workflowMesh({ tier }), asked, integrity)).toBe(waits);
    }
  });
});

describe('what took effect', () => {
  it('is refused, and changes nothing, when it cannot be recorded first', async () => {
    await start({ tier: 3 });
    recorder.isBroken = (entries) => entries.some(({ kind }) => kind === 'workflow.changed');
    expect(codeOf(await propose(change([], [toTriage])))).toBe('CONTROL_POLICY_UNRECORDED');
    expect(now.version).toBe(1);
    recorder.isBroken = (entries) => entries.some(({ kind }) => kind === 'workflow.proposed');
    await expect(propose(change([], [toTriage]))).rejects.toThrow('broken');
    expect(now.version).toBe(1);
  });

  it('survives a crash of the node between its effect and the answer', async () => {
    await start({ tier: 3 });
    const asked = change([], [toTriage]);
    const effective = await propose(asked, { key: 'one' });
    // As it was on disk before the last write.
    const kept = new SqliteWorkflowChangeStore(database);
    const proposed = kept.get(idOf(effective));
    if (proposed === null) throw new Error('kept');
    await kept.save({ ...proposed, state: 'held', version: null });
    changes = nodeOf();
    expect(await propose(asked, { key: 'one' })).toMatchObject({ state: 'effective', proposed: { version: 2 } });
  });

  it.each([['with operators', operators], ['without', '']])('goes on after a restart, %s, whatever the disk says', async (_, named) => {
    await start({ tier: 3, operators: named });
    const disk = now.mesh;
    expect(codeOf(await propose(change([], [toTriage])))).toBe('effective');
    const again = await policyAtStart(disk, { store, recorder, clock, operatorsOf: async (one) => one.operators });
    expect([again.policy.version, again.mesh.digest, again.code]).toEqual([2, now.mesh.digest, null]);
    const edited = workflowMesh({ tier: 3, operators: named, changes: [['isolate_after: 1000', 'isolate_after: 999']] });
    const other = await policyAtStart(edited, { store, recorder, clock, operatorsOf: async (one) => one.operators });
    expect(other.code).toBe('MESH_POLICY_UNSIGNED');
    expect(other.mesh.digest).toBe(named === '' ? edited.digest : now.mesh.digest);
  });

  it('takes effect at the next start when the crash came after its record', async () => {
    await start({ tier: 3 });
    const disk = now.mesh;
    const applied = { ...change([], [toTriage]), id: mintUlid(clock, random), by: 'agent:planner' };
    const changed = changeWorkflow(now.mesh, applied);
    if (!changed.ok) throw new Error(changed.code);
    const { bundle, mesh: { digest } } = changed;
    await store.keep({ version: 2, digest, signed: null, bundle, change: applied }, 'coming');
    const again = await policyAtStart(disk, { store, recorder, clock, operatorsOf: async (one) => one.operators });
    expect([again.policy.version, again.mesh.digest]).toEqual([2, digest]);
    expect(recorder.codes('workflow.changed')).toEqual([null]);
  });
});

describe('a sidecar', () => {
  const offer = (tier: 1 | 2 | 3, asked: WorkflowChange, more = {}): string => {
    const mesh = workflowMesh({ tier, operators });
    const changed = changeWorkflow(mesh, asked);
    if (!changed.ok) throw new Error(changed.code);
    const applied = { ...asked, id: mintUlid(clock, random), by: 'agent:planner' };
    const offered = {
      version: 2, digest: changed.mesh.digest, signed: null, bundle: changed.bundle, change: applied, ...more,
    };
    const taken = takePolicy(offered, { version: 1, mesh, operators: mesh.operators, believesNode: false });
    return taken.ok ? 'taken' : taken.code;
  };

  it('takes from a node, unsigned, only what narrows at tier 3 and is what it says', () => {
    const narrowing = change([], [toTriage]);
    expect(offer(3, narrowing)).toBe('taken');
    for (const tier of [1, 2] as const) expect(offer(tier, narrowing)).toBe('MESH_POLICY_UNSIGNED');
    expect(offer(3, change([toClerk]))).toBe('MESH_POLICY_UNSIGNED');
    expect(offer(3, change([toClerk], [toTriage]))).toBe('MESH_POLICY_UNSIGNED');
    expect(offer(3, narrowing, { change: null })).toBe('MESH_POLICY_UNSIGNED');
    expect(offer(3, narrowing, { change: undefined })).toBe('MESH_POLICY_UNSIGNED');
    const other = { ...change([], [clerkToReviewer]), id: mintUlid(clock, random), by: 'agent:planner' };
    expect(offer(3, narrowing, { change: other })).toBe('MESH_POLICY_DIGEST');
    const opening = changeWorkflow(workflowMesh({ tier: 3, operators }), change([toClerk]));
    if (!opening.ok) throw new Error(opening.code);
    const texts = { digest: opening.mesh.digest, bundle: opening.bundle };
    expect(offer(3, narrowing, texts)).toBe('MESH_POLICY_DIGEST');
    expect(offer(3, narrowing, { bundle: opening.bundle })).toBe('MESH_POLICY_DIGEST');
  });
});
