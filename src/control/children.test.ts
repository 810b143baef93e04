// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, it } from 'vitest';
import { partyOf, random } from '../../test/sidecar-fixture/sidecar.ts';
import { SqliteLineageStore } from '../adapters/bounds-store-sqlite.ts';
import { SqliteChildStore } from '../adapters/child-store-sqlite.ts';
import { SqliteRevocationStore } from '../adapters/revocation-store-sqlite.ts';
import { BatchedDatabase } from '../adapters/sqlite-batch.ts';
import type { PeerIdentity } from '../identity/credential.ts';
import type { Agent, Mesh } from '../mesh/mesh.ts';
import { withChildren } from '../mesh/spawn.ts';
import { Turns } from '../oversight/turns.ts';
import type { EntryDraft } from '../recorder/entry.ts';
import { sampleMesh } from '../../test/mesh-files/sample.ts';
import type { SpawnRequest } from '../wire/frame.ts';
import { Children, parentAwayMsMax, type SpawnAnswer } from './children.ts';
import { revokeByNode, type RevocationsContext } from './revocations.ts';
import type { SpawnApprovals } from './spawn-approval.ts';

const startMs = 1_800_000_000_000;
const task = '01K74F0Z00ABCDEFGHJKMNPQRS';
const asked: SpawnRequest = {
  template: 'helper', task, key: 'one', incarnation: 'run-1',
  lifetimeMs: null, tools: null, requests: null, clearance: null,
};

let nowMs: number;
let mesh: Mesh;
let database: BatchedDatabase;
let entries: EntryDraft[];
let started: string[];
let stopped: string[];
let connected: Map<string, PeerIdentity>;
let revocations: RevocationsContext;
let children: Children;
let startFails: boolean;
let handsOver: SqliteLineageStore['add'];
let approvals: SpawnApprovals;

function meshWith(change: Partial<Agent> = {}, tier: Mesh['autonomyTier'] = 2): Mesh {
  const base = sampleMesh();
  const triage = base.agents.get('triage');
  if (triage === undefined) throw new Error('no agent');
  const spawn = { templates: ['helper', 'lead'], childrenMax: 2, depthMax: 2, tools: [], approval: 'policy' } as const;
  const agents = new Map(base.agents)
    .set('triage', { ...triage, spawn, ...change })
    .set('lead', { ...triage, name: 'lead', spawn, template: { instancesMax: 2, lifetimeMs: 60_000 } })
    .set('helper', { ...triage, name: 'helper', template: { instancesMax: 3, lifetimeMs: 60_000 } });
  return withChildren({ ...base, agents, autonomyTier: tier });
}

function openChildren(given: Mesh): void {
  mesh = given;
  const clock = { nowMs: () => nowMs };
  const recorder = {
    record: async (drafts: readonly EntryDraft[]) => {
      entries.push(...drafts);
      return drafts.map((_draft, sequence) => ({ sequence }));
    },
  };
  const store = new SqliteRevocationStore(database);
  revocations = {
    mesh, store, recorder, clock,
    list: store.load(nowMs),
    operators: new Map(),
    turns: new Turns(),
    mintId: () => `id-${entries.length}`,
    applied: () => children.revocationsChanged(),
  };
  children = new Children({
    mesh, clock, random, recorder, revocations,
    store: new SqliteChildStore(database),
    lineage: { add: (steps, atMs) => handsOver(steps, atMs) },
    approvals: (question) => approvals(question),
    host: () => ({
      start: async (name) => {
        if (startFails) throw new Error('no sidecar');
        started.push(name);
      },
      stop: async (name) => void stopped.push(name),
    }),
    connectedAs: (agent) => connected.get(agent) ?? null,
    report: () => undefined,
  });
}

beforeEach(() => {
  nowMs = startMs;
  [entries, started, stopped] = [[], [], []];
  startFails = false;
  approvals = async () => ({ state: 'approved' });
  database = new BatchedDatabase(':memory:');
  handsOver = (steps, atMs) => new SqliteLineageStore(database).add(steps, atMs);
  connected = new Map([['triage', partyOf('triage').peer]]);
  openChildren(meshWith());
});

const spawn = (change: Partial<SpawnRequest> = {}, by: PeerIdentity | undefined = connected.get('triage')) => {
  if (by === undefined) throw new Error('nobody');
  return children.spawn({ ...asked, ...change }, by, `agent:${by.name}`);
};
const codeOf = (answer: SpawnAnswer): string | null => (answer.state === 'refused' ? answer.code : null);
/** Everything that waits for the database, which answers in the next turn, has been done. */
const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 30; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

/** The identity that a child of this name would connect with. */
function peerOf(name: string): PeerIdentity {
  const child = children.of(name);
  if (child === null) throw new Error(name);
  const peer = { ...partyOf(name).peer, spiffeId: child.spiffeId, lineage: child.lineage };
  connected.set(name, peer);
  return peer;
}
const reasonOf = (name: string): unknown =>
  entries.findLast(({ kind, detail }) => kind === 'agent.ended' && detail['agent'] === name)?.detail['reason'];
const isRevoked = (spiffeId: string, name: string): boolean => revocations.list.isSenderRevoked(name, spiffeId);

describe('a spawn', () => {
  it('is refused without the right, and to who is not connected under the identity that asks', async () => {
    expect(codeOf(await spawn({}, partyOf('payments').peer))).toBe('CONTROL_SPAWN_DENIED');
    expect(codeOf(await spawn({ template: 'triage' }))).toBe('CONTROL_SPAWN_DENIED');
    const other = { ...partyOf('triage').peer, spiffeId: 'spiffe://example.test/agent/triage/two' };
    expect(codeOf(await spawn({}, other))).toBe('CONTROL_SPAWN_PARENT');
    openChildren(meshWith({ spawn: null }));
    expect(codeOf(await spawn())).toBe('CONTROL_SPAWN_DENIED');
    expect(entries.map(({ kind, code }) => [kind, code])).toContainEqual(['identity.refused', 'CONTROL_SPAWN_DENIED']);
    expect(started).toEqual([]);
  });

  it('is refused beyond what parent and template have', async () => {
    for (const change of [{ tools: ['bank'] }, { requests: ['pay_invoice', 'x'] },
      { clearance: 'restricted' as const }, { lifetimeMs: 60_001 }]) {
      expect(codeOf(await spawn({ ...change, key: JSON.stringify(change) }))).toBe('CONTROL_SPAWN_WIDER');
    }
    openChildren(meshWith({ tools: [] }));
    expect(codeOf(await spawn({ tools: ['mail'] }))).toBe('CONTROL_SPAWN_WIDER');
    const narrow = await spawn();
    expect(narrow).toMatchObject({ state: 'running', child: { lineage: { scope: { tools: [] } } } });
  });

  it('is refused beyond number and depth, for all that stands below', async () => {
    await spawn({ template: 'lead', key: 'a' });
    const lead = peerOf('lead-1');
    await spawn({ template: 'helper', key: 'b' }, lead);
    expect(codeOf(await spawn({ key: 'c' }))).toBe('CONTROL_SPAWN_LIMIT');
    expect(codeOf(await spawn({ key: 'd' }, lead))).toBe('CONTROL_SPAWN_LIMIT');
    expect(children.below(connected.get('triage')?.spiffeId ?? '').map(({ name }) => name)).toEqual(['lead-1', 'helper-1']);
    await children.end('helper-1', 'ENDED_BY_PARENT');
    await spawn({ template: 'lead', key: 'e' }, lead);
    const deep = peerOf('lead-2');
    expect(deep.lineage?.depthLeft).toBe(0);
    expect(codeOf(await spawn({ template: 'helper', key: 'f' }, deep))).toBe('CONTROL_SPAWN_DEPTH');
  });

  it('under one key gives one child, also when it is asked for twice at a time', async () => {
    const [one, two] = await Promise.all([spawn(), spawn()]);
    expect(one).toMatchObject({ state: 'running', child: { name: 'helper-1' } });
    expect(two).toMatchObject({ state: 'running', child: { name: 'helper-1' } });
    expect(started).toEqual(['helper-1']);
    await children.end('helper-1', 'TASK_ENDED');
    expect(codeOf(await spawn())).toBe('CONTROL_SPAWN_OVER');
  });

  it('that does not start leaves nothing behind', async () => {
    startFails = true;
    expect(codeOf(await spawn())).toBe('CONTROL_SPAWN_FAILED');
    expect(children.all()).toEqual([]);
    expect(reasonOf('helper-1')).toBe('NOT_STARTED');
  });

  it('waits for a person by autonomy tier', async () => {
    const tier = async (level: Mesh['autonomyTier'], approval: 'policy' | 'required' = 'policy') => {
      const right = { templates: ['helper'], childrenMax: 9, depthMax: 1, tools: [], approval };
      openChildren(meshWith({ spawn: right }, level));
      approvals = async () => ({ state: 'held', approval: 'a1' });
      return (await spawn({ key: `${level} ${approval}`, requests: [] })).state;
    };
    expect([await tier(1), await tier(2), await tier(3)]).toEqual(['held', 'running', 'running']);
    expect(await tier(3, 'required')).toBe('held');
    openChildren(meshWith());
    approvals = async () => ({ state: 'refused' });
    await spawn({ template: 'lead', key: 'l', requests: [] });
    expect(codeOf(await spawn({ key: 'below', requests: [] }, peerOf('lead-1')))).toBe('CONTROL_SPAWN_NOT_APPROVED');
  });
});

describe('a child', () => {
  const born = async (): Promise<string> => {
    const answer = await spawn();
    if (answer.state !== 'running') throw new Error(answer.state);
    return answer.child.spiffeId;
  };

  it('does not start in a task that ended, or below who was revoked, while it was written down', async () => {
    const { list } = revocations;
    const step = { id: 'x', op: 'revoke', at: nowMs, signed: null } as const;
    const fall = (kind: 'task' | 'instance', value: string) => async (): Promise<void> => {
      const version = list.version + 1;
      list.update({ since: list.version, version, changes: [{ ...step, version, target: { kind, value } }] }, () => true);
    };
    handsOver = fall('task', task);
    expect(await children.spawn(asked, partyOf('triage').peer, 'agent:triage'))
      .toEqual({ state: 'refused', code: 'CONTROL_SPAWN_OVER' });
    handsOver = fall('instance', partyOf('triage').peer.spiffeId);
    const other = { ...asked, key: 'two', task: '01K74F0Z00ABCDEFGHJKMNPQRZ' };
    expect(await children.spawn(other, partyOf('triage').peer, 'agent:triage'))
      .toEqual({ state: 'refused', code: 'IDENTITY_REVOKED' });
    expect(started).toEqual([]);
    expect(children.all()).toEqual([]);
    expect(entries.map(({ kind }) => kind).filter((kind) => kind.startsWith('agent.')))
      .toEqual(['agent.spawned', 'agent.ended', 'agent.spawned', 'agent.ended']);
  });

  it('ends at its time, exactly, and is revoked', async () => {
    const spiffeId = await born();
    nowMs = startMs + 59_999;
    children.sweep();
    expect(children.of('helper-1')).not.toBeNull();
    nowMs = startMs + 60_000;
    children.sweep();
    expect(children.of('helper-1')).toBeNull();
    await settled();
    expect(reasonOf('helper-1')).toBe('TIME_OVER');
    expect(isRevoked(spiffeId, 'helper-1')).toBe(true);
    expect(stopped).toEqual(['helper-1']);
  });

  it('ends when its parent is away for too long, or another instance stands in its place', async () => {
    await born();
    const parent = connected.get('triage');
    connected.delete('triage');
    nowMs += parentAwayMsMax;
    children.sweep();
    expect(children.of('helper-1')).not.toBeNull();
    nowMs += 1;
    children.sweep();
    expect(children.of('helper-1')).toBeNull();
    await settled();
    connected.set('triage', parent ?? partyOf('triage').peer);
    await spawn({ key: 'two' });
    connected.set('triage', { ...partyOf('triage').peer, spiffeId: 'spiffe://example.test/agent/triage/two' });
    children.sweep();
    await settled();
    expect(entries.filter(({ detail }) => detail['reason'] === 'PARENT_GONE')).toHaveLength(2);
  });

  it('ends with the process that spawned it, with its own, and with nobody else\'s', async () => {
    await born();
    const { spiffeId } = peerOf('helper-1');
    const parent = connected.get('triage')?.spiffeId ?? '';
    children.sessionEnded(parent, 'another run');
    children.sessionEnded('spiffe://example.test/agent/payments/one', 'run-1');
    expect(children.of('helper-1')).not.toBeNull();
    children.sessionEnded(parent, 'run-1');
    await settled();
    expect(reasonOf('helper-1')).toBe('PARENT_ENDED');
    expect(isRevoked(spiffeId, 'helper-1')).toBe(true);
    await spawn({ key: 'two', incarnation: null });
    children.sessionEnded(parent, 'run-1');
    expect(children.of('helper-1')).not.toBeNull();
    children.sessionEnded(peerOf('helper-1').spiffeId, 'its own');
    await settled();
    expect(reasonOf('helper-1')).toBe('PROCESS_ENDED');
  });

  it('falls with a revoked ancestor, and so does all below it', async () => {
    await spawn({ template: 'lead', key: 'a' });
    const lead = peerOf('lead-1');
    await spawn({ key: 'b' }, lead);
    const helper = peerOf('helper-1');
    await revokeByNode(connected.get('triage')?.spiffeId ?? '', revocations);
    expect(children.all()).toEqual([]);
    expect(revocations.list.isRevoked(helper)).toBe(true);
    await settled();
    await settled();
    expect([reasonOf('lead-1'), reasonOf('helper-1')]).toEqual(['PARENT_REVOKED', 'PARENT_REVOKED']);
    expect(isRevoked(helper.spiffeId, 'helper-1')).toBe(true);
    expect(codeOf(await spawn({ key: 'c' }))).toBe('IDENTITY_REVOKED');
  });

  it('of an earlier run of the node is ended and revoked before anybody may connect', async () => {
    const spiffeId = await born();
    openChildren(meshWith());
    expect(children.of('helper-1')).toBeNull();
    await children.begin();
    expect(isRevoked(spiffeId, 'helper-1')).toBe(true);
    expect(reasonOf('helper-1')).toBe('NODE_RESTARTED');
    const count = entries.length;
    openChildren(meshWith());
    await children.begin();
    expect(entries).toHaveLength(count);
    expect(codeOf(await spawn())).toBe('CONTROL_SPAWN_OVER');
  });

  it('was handed its task by its parent, durably before it starts and after it has ended', async () => {
    handsOver = () => Promise.reject(new Error('disk full'));
    await expect(spawn()).rejects.toThrow();
    expect([children.all(), started]).toEqual([[], []]);
    handsOver = (steps, atMs) => new SqliteLineageStore(database).add(steps, atMs);
    await spawn({ template: 'lead', key: 'a' });
    await spawn({ key: 'b' }, peerOf('lead-1'));
    await children.endOwn(connected.get('triage')?.spiffeId ?? '', 'lead-1', null);
    expect(children.all()).toEqual([]);
    const lineage = new SqliteLineageStore(database);
    expect([lineage.handedBy(task, 'helper-1'), lineage.handedBy(task, 'lead-1')])
      .toEqual([['lead-1'], ['triage']]);
  });

  it('is ended by its parent only', async () => {
    await born();
    expect(await children.endOwn('spiffe://example.test/agent/payments/one', 'helper-1', null)).toBe(0);
    expect(await children.endOwn(connected.get('triage')?.spiffeId ?? '', 'helper-1', null)).toBe(1);
    expect(reasonOf('helper-1')).toBe('ENDED_BY_PARENT');
  });
});
