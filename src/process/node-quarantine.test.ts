// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, test } from 'vitest';
import { sqlitePutAside } from '../adapters/put-aside-store-sqlite.ts';
import { PutAside } from '../control/put-aside.ts';
import { given, KnowledgeFixture, onlyItem } from '../knowledge/knowledge-fixture.ts';
import type { ItemStore } from '../knowledge/item-store.ts';
import type { EntryDraft, RecordedEntry } from '../recorder/entry.ts';
import type { NodeFrame } from '../wire/frame.ts';
import { Quarantine } from './node-quarantine.ts';

let node: KnowledgeFixture;
let told: Map<string, NodeFrame[]>;
const agents = ['triage', 'clerk', 'planner'];

beforeEach(async () => {
  node = await KnowledgeFixture.open();
  told = new Map([['clerk', []]]);
  return () => node.close();
});

const asideOf = (): PutAside => new PutAside(sqlitePutAside(node.database), node.clock);

function quarantineOf(store: ItemStore = node.store, aside = asideOf()): Quarantine {
  return new Quarantine({
    store, aside,
    async *entriesSince() {
      for (const entry of node.entries) yield { ...entry, sequence: 0, recordedAt: entry.at } as unknown as RecordedEntry;
    },
    connected: new Map([...told].map(([agent, frames]) => [agent, { tell: (frame: NodeFrame) => void frames.push(frame) }])),
    recorder: node.context.recorder,
    clock: node.clock,
    limits: () => ({ messageLifetimeMs: 60_000, clockSkewMs: 30_000 }),
  });
}

/** The store with something happening just before one of its methods is asked for the first time. */
function interrupted<Method extends keyof ItemStore>(method: Method, happens: () => Promise<unknown>): ItemStore {
  let done = false;
  return new Proxy(node.store, {
    get: (store, name) => async (...args: unknown[]) => {
      if (name === method && !done) {
        done = true;
        await happens();
      }
      return Reflect.apply(Reflect.get(store, name) as () => unknown, store, args);
    },
  });
}

/** A message of one agent to another, as entries of the log say it. */
function sent(from: string, to: string, id = node.id()): string {
  const entry = (kind: EntryDraft['kind'], actor: string, detail: EntryDraft['detail']): EntryDraft => ({
    kind, id: `${id}.${kind}`, at: node.clock.ms, actor, task: null, message: id, causedBy: [], outcome: 'GO',
    code: null, verdicts: [], tookUs: null, detail,
  });
  node.entries.push(entry('message.outbound', `sidecar:${from}`, {}), entry('message.admitted', 'node', { from, to }));
  return id;
}

const stateOf = async (id: string) => (await node.store.get(id))?.state;

describe('what is put aside while its reader goes on', () => {
  test('takes along what the reader writes during the search', async () => {
    const poison = onlyItem(await node.remember('poison', { incarnation: 'run-1' }));
    await node.recall({}, { incarnation: 'run-2' });
    let slipped = '';
    const store = interrupted('putAside', async () => {
      slipped = onlyItem(await node.remember('made of it', { incarnation: 'run-2' })).id;
    });
    const { items } = await quarantineOf(store).putAside(poison.id, agents);
    expect(items).toBe(2);
    expect(await stateOf(slipped)).toBe('quarantined');
  });

  test('is refused what it wants to keep or look up afterwards, with a code', async () => {
    const poison = onlyItem(await node.remember('poison', { incarnation: 'run-1' }));
    await node.recall({}, { incarnation: 'run-2' });
    await quarantineOf().putAside(poison.id, agents);
    for (const answer of [
      await node.remember('later', { incarnation: 'run-2' }),
      await node.recall({}, { incarnation: 'run-2' }),
      await node.query('anything', { incarnation: 'run-2' }),
    ]) expect(answer).toEqual({ ok: false, code: 'KNOWLEDGE_QUARANTINED' });
    expect(given(await node.remember('of a fresh process', { incarnation: 'run-3' }))).toHaveLength(1);
  });

  test('is kept as quarantined where the write had passed every check before', async () => {
    const poison = onlyItem(await node.remember('poison', { incarnation: 'run-1' }));
    await node.recall({}, { incarnation: 'run-2' });
    const store = interrupted('add', () => quarantineOf().putAside(poison.id, agents));
    const late = onlyItem(await node.ask({
      kind: 'remember', id: node.id(), task: '01JD3K5V7Q8R9S0T1V2W3X4Y5Z', incarnation: 'run-2', value: 'late',
      label: { classification: 'internal', integrity: 'untrusted', origins: [] }, causes: [], principals: [],
      mandate: null, suspect: false,
    }, node.agents.triage, store));
    expect(await stateOf(late.id)).toBe('quarantined');
  });

  test('is not handed over to whoever had found it already', async () => {
    const poison = onlyItem(await node.remember('poison', { incarnation: 'run-1' }));
    const store = interrupted('noteReads', () => quarantineOf().putAside(poison.id, agents));
    const answer = await node.ask({
      kind: 'recall', id: node.id(), task: '01JD3K5V7Q8R9S0T1V2W3X4Y5Z', incarnation: 'run-2', where: {}, limit: 4,
    }, node.agents.triage, store);
    expect(given(answer)).toEqual([]);
  });
});

test('no message takes along the piece whose id its sender gave it', async () => {
  const shared = onlyItem(await node.remember('shared', { incarnation: 'run-0' }));
  const poison = onlyItem(await node.remember('poison', { incarnation: 'run-1' }));
  await node.recall({}, { incarnation: 'run-2' });
  await node.store.noteReads('run-of-another', node.id(), [shared.id]);
  sent('triage', 'planner', shared.id);
  expect(await quarantineOf().putAside(poison.id, agents)).toMatchObject({ items: 1, messages: 1 });
  expect([await stateOf(shared.id), await node.store.isBarred('run-of-another')]).toEqual(['current', false]);
});

describe('a sidecar that is away when something is put aside', () => {
  test('and comes back while it is looked for, has what it then sends looked for, too', async () => {
    told.set('planner', []);
    const poison = onlyItem(await node.remember('poison', { incarnation: 'run-1' }));
    await node.recall({}, { incarnation: 'run-2' });
    let quarantine: Quarantine | null = null;
    const store = interrupted('readsOf', async () => void quarantine?.port.putAside('triage'));
    const aside = asideOf();
    quarantine = quarantineOf(store, aside);
    await quarantine.putAside(poison.id, agents);
    const late = sent('triage', 'planner');
    node.clock.ms += 6_000;
    await quarantine.followUp();
    node.clock.ms += 6_000;
    await quarantine.followUp();
    expect(told.get('planner')?.flatMap((frame) => (frame.kind === 'quarantine' ? frame.messages : []))).toContain(late);
    // Heard of it and looked at: nothing waits for it any more at the next start.
    expect(asideOf().unfinished().filter(({ agent }) => agent === 'triage')).toEqual([]);
  });

  test('is told its runs and messages when it is back, also by a node that started since', async () => {
    const poison = onlyItem(await node.remember('poison', { incarnation: 'run-1' }));
    await node.recall({}, { incarnation: 'run-2' });
    const message = sent('triage', 'planner');
    await quarantineOf().putAside(poison.id, agents);
    expect(told.get('clerk')).toEqual([{ kind: 'quarantine', messages: [], incarnations: ['run-2'] }]);
    const { port } = quarantineOf();
    expect([port.putAside('planner'), port.runsAside()]).toEqual([[message], ['run-2']]);
    expect(port.isPutAside('planner', message)).toBe(true);
  });

  test('has what it sends on its return looked for, and put aside', async () => {
    told.set('planner', []);
    const poison = onlyItem(await node.remember('poison', { incarnation: 'run-1' }));
    await node.recall({}, { incarnation: 'run-2' });
    const quarantine = quarantineOf();
    await quarantine.putAside(poison.id, agents);
    node.clock.ms += 60_000;
    await quarantine.followUp();
    quarantine.port.putAside('triage');
    const late = sent('triage', 'planner');
    node.clock.ms += 6_001;
    await quarantine.followUp();
    expect(told.get('planner')?.at(-1)).toMatchObject({ messages: [late] });
    expect(node.entries.at(-1)).toMatchObject({ kind: 'knowledge.changed', code: 'KNOWLEDGE_QUARANTINED' });
  });
});

describe('a sidecar whose line was dead when something is put aside, and nobody had noticed', () => {
  test('has what it sends on its return looked for, as long as it may still arrive', async () => {
    for (const name of ['triage', 'planner']) told.set(name, []);
    const poison = onlyItem(await node.remember('poison', { incarnation: 'run-1' }));
    await node.recall({}, { incarnation: 'run-2' });
    const quarantine = quarantineOf();
    await quarantine.putAside(poison.id, agents);
    const wait = async (ms: number): Promise<void> => {
      node.clock.ms += ms;
      await quarantine.followUp();
    };
    await wait(6_001);
    await wait(100_000);
    quarantine.port.putAside('triage');
    const late = sent('triage', 'planner');
    // It cannot put off the look by coming back again and again.
    for (let second = 0; second < 7; second += 1) {
      quarantine.port.putAside('triage');
      await wait(1_000);
    }
    expect(told.get('planner')?.at(-1)).toMatchObject({ messages: [late] });
    const last = sent('triage', 'planner');
    await wait(6_001);
    expect(told.get('planner')?.at(-1)).toMatchObject({ messages: [last] });
    expect(node.entries.filter(({ kind }) => kind === 'knowledge.changed')).toHaveLength(2);
    expect(new Set(node.entries.map(({ id }) => id)).size).toBe(node.entries.length);
  });
});

describe('a node that starts shortly after something was put aside', () => {
  const followed = () => node.entries.filter(({ kind }) => kind === 'knowledge.changed').map(({ detail }) => detail);

  test('says what was, as it may have ended before that was on record, and puts aside only what is new', async () => {
    told.set('planner', []);
    const poison = onlyItem(await node.remember('poison', { incarnation: 'run-1' }));
    await node.recall({}, { incarnation: 'run-2' });
    sent('triage', 'planner');
    await quarantineOf().putAside(poison.id, agents);
    const restarted = quarantineOf();
    const late = sent('triage', 'planner');
    for (let round = 0; round < 3; round += 1) {
      node.clock.ms += 6_001;
      await restarted.followUp();
    }
    expect(followed()).toEqual([{ act: 'quarantine', item: poison.id, items: 1, readers: 1, afterRestart: true }]);
    expect(told.get('planner')?.slice(1)).toEqual([{ kind: 'quarantine', messages: [late], incarnations: [] }]);
  });

  test('says it also where nothing is new, and again after a recorder that was not there', async () => {
    const poison = onlyItem(await node.remember('poison', { incarnation: 'run-1' }));
    await node.recall({}, { incarnation: 'run-2' });
    await quarantineOf().putAside(poison.id, agents);
    const restarted = quarantineOf();
    node.recorderFails = true;
    node.clock.ms += 6_001;
    await expect(restarted.followUp()).rejects.toThrow();
    expect(followed()).toEqual([]);
    node.recorderFails = false;
    node.clock.ms += 6_001;
    await restarted.followUp();
    expect(followed()).toMatchObject([{ item: poison.id, afterRestart: true }]);
    node.clock.ms += 6_001;
    await restarted.followUp();
    expect(followed()).toHaveLength(1);
  });
});

describe('a node that starts while something put aside is still open', () => {
  /** What `to` was sent is poisoned; nobody read an item of it, so that no run is barred. */
  const delivered = (to: string, id: string): void => void node.entries.push({
    kind: 'message.delivered', id: `${id}.received`, at: node.clock.ms, actor: `sidecar:${to}`, task: null, message: id,
    causedBy: [id], outcome: 'GO', code: null, verdicts: [], tookUs: null, detail: {},
  });
  const later = async (quarantine: Quarantine, ms = 6_001): Promise<void> => {
    node.clock.ms += ms;
    await quarantine.followUp();
  };

  test('looks again also where no run was barred, however long it was down', async () => {
    told.set('planner', []);
    const poison = sent('clerk', 'triage');
    delivered('triage', poison);
    await quarantineOf().putAside(poison, agents);
    const late = sent('triage', 'planner');
    node.clock.ms += 3_600_000;
    await later(quarantineOf());
    expect(told.get('planner')?.at(-1)).toMatchObject({ messages: [late] });
  });

  test('goes on with one that ended it before anything was found', async () => {
    told.set('planner', []);
    const poison = sent('clerk', 'triage');
    const stuck = interrupted('causedBy', () => Promise.reject(new Error('killed')));
    await expect(quarantineOf(stuck).putAside(poison, agents)).rejects.toThrow('killed');
    const late = sent('triage', 'planner');
    delivered('triage', poison);
    const restarted = quarantineOf();
    const afterwards = sent('triage', 'planner');
    await later(restarted);
    expect(told.get('planner')?.at(-1)).toMatchObject({ messages: [afterwards] });
    expect(late).not.toBe(afterwards);
  });

  test('looks again when a sidecar is back that was away all the time, and only then', async () => {
    told.set('planner', []);
    const poison = sent('clerk', 'triage');
    delivered('triage', poison);
    const first = quarantineOf();
    await first.putAside(poison, agents);
    for (const ms of [6_001, 200_000, 6_001]) await later(first, ms);
    expect(asideOf().unfinished()).toEqual([{ subject: poison, agent: 'triage' }]);
    const restarted = quarantineOf();
    await later(restarted);
    restarted.port.putAside('triage');
    const late = sent('triage', 'planner');
    await later(restarted);
    expect(told.get('planner')?.at(-1)).toMatchObject({ messages: [late] });
    for (const ms of [6_001, 6_001]) await later(restarted, ms);
    expect(asideOf().unfinished()).toEqual([]);
  });
});

describe('looking again a lease later', () => {
  test('finds what had been sent before its sender heard of it, once', async () => {
    told.set('planner', []);
    const poison = onlyItem(await node.remember('poison', { incarnation: 'run-1' }));
    await node.recall({}, { incarnation: 'run-2' });
    const quarantine = quarantineOf();
    await quarantine.putAside(poison.id, agents);
    const late = sent('triage', 'planner');
    await quarantine.followUp();
    expect(told.get('planner')).toHaveLength(1);
    for (let round = 0; round < 3; round += 1) {
      node.clock.ms += 6_001;
      await quarantine.followUp();
    }
    expect(told.get('planner')?.slice(1)).toEqual([{ kind: 'quarantine', messages: [late], incarnations: [] }]);
    expect(node.entries.filter(({ kind }) => kind === 'knowledge.changed')).toHaveLength(1);
  });

  test('says what it found once the recorder is there again', async () => {
    const poison = onlyItem(await node.remember('poison', { incarnation: 'run-1' }));
    await node.recall({}, { incarnation: 'run-2' });
    const quarantine = quarantineOf();
    await quarantine.putAside(poison.id, agents);
    sent('triage', 'planner');
    node.recorderFails = true;
    node.clock.ms += 6_001;
    await expect(quarantine.followUp()).rejects.toThrow();
    node.recorderFails = false;
    for (let round = 0; round < 3; round += 1) {
      node.clock.ms += 6_001;
      await quarantine.followUp();
    }
    expect(node.entries.filter(({ kind }) => kind === 'knowledge.changed')).toHaveLength(1);
  });

  test('leaves alone what an operator serves again meanwhile', async () => {
    const poison = onlyItem(await node.remember('poison', { incarnation: 'run-1' }));
    const quarantine = quarantineOf();
    await quarantine.putAside(poison.id, agents);
    await node.store.setState([poison.id], 'current', null);
    node.clock.ms += 6_001;
    await quarantine.followUp();
    expect(await stateOf(poison.id)).toBe('current');
  });
});

test('a search that fails half way is gone on with, and what it then puts aside is on record', async () => {
  const poison = onlyItem(await node.remember('poison', { incarnation: 'run-1' }));
  await node.recall({}, { incarnation: 'run-2' });
  const store = interrupted('putAside', () => Promise.reject(new Error('the disk is full')));
  const quarantine = quarantineOf(store);
  await expect(quarantine.putAside(poison.id, agents)).rejects.toThrow('the disk is full');
  node.clock.ms += 10_000;
  await quarantine.followUp();
  expect(await stateOf(poison.id)).toBe('quarantined');
  expect(node.entries.filter(({ code }) => code === 'KNOWLEDGE_QUARANTINED')).toHaveLength(1);
});
