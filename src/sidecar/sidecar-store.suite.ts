// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { AllotmentReport } from '../bounds/ask.ts';
import { freshContext } from '../label/context.ts';
import type { EnvelopeBody } from '../message/envelope.ts';
import type { EntryDraft } from '../recorder/entry.ts';
import type { InboxMessage, InboxState, Reply, SidecarStore } from './ports.ts';

export type StoreHarness = {
  /** Opens the same disk again, as a process does that was killed. */
  readonly open: () => SidecarStore;
  /** A message that no other one equals. */
  readonly body: () => EnvelopeBody;
  readonly entry: (number: number) => EntryDraft;
  readonly report: (number: number) => AllotmentReport;
};

/** What every `SidecarStore` does; `create` gives a new disk. */
export function sidecarStoreSuite(name: string, create: () => StoreHarness): void {
  const received = (body: EnvelopeBody, state: InboxState = 'pending'): InboxMessage => ({
    body,
    state,
    entries: [],
    incarnation: null,
    reply: null,
  });
  const nothing = { context: freshContext, values: [], mandates: [], handed: [], done: [], entries: [] };

  describe(`${name} as a sidecar's store`, () => {
    it('takes a message once, before and after a restart, and keeps their order', async () => {
      const { open, body } = create();
      const store = open();
      const [first, second] = [received(body()), received(body())];
      const taken = store.receive(first);
      expect(taken.isNew).toBe(true);
      expect(store.receive(first).isNew).toBe(false);
      expect(store.message(first.body.id)).toEqual(first);
      await taken.durable;
      await store.receive(second).durable;
      const again = open();
      expect(again.receive(first).isNew).toBe(false);
      expect(again.messages('pending', 10)).toEqual([first, second]);
      expect(again.messages('pending', 1)).toEqual([first]);
      expect(again.message('01JABSENT0000000000000000A')).toBeNull();
    });

    it('keeps how far a message has come, and its answer', async () => {
      const { open, body, entry } = create();
      const store = open();
      const message = received(body(), 'working');
      await store.receive(message).durable;
      const reply: Reply = {
        envelope: 'a.b.c',
        entry: entry(1),
        instance: 'spiffe://mesh/agent/payments/1',
        outcome: { action: 'pay', idempotencyKey: 'k', status: 'DONE', code: null, result: null },
      };
      await store.saveReply(message.body.id, reply);
      await store.setState(message.body.id, 'held');
      expect(open().message(message.body.id)).toEqual({ ...message, state: 'held', reply });
      expect(open().messages('working', 10)).toEqual([]);
    });

    it('commits what one hand-over changes together', async () => {
      const { open, body, entry } = create();
      const store = open();
      const [old, next] = [received(body()), received(body())];
      await store.receive(old).durable;
      await store.receive(next).durable;
      const mandate = { task: 't', principal: 'p', isOwn: true, chain: 'chain' };
      await store.absorb({ ...nothing, incarnation: 'one', handed: [old.body.id] });
      await store.absorb({
        ...nothing,
        incarnation: 'one',
        context: { ...freshContext, count: 2 },
        values: [{ value: '"a"', source: 'prompt' }],
        mandates: [mandate, mandate],
        handed: [next.body.id],
        done: [old.body.id],
        entries: [entry(1)],
      });
      const again = open();
      expect(again.context('one')?.count).toBe(2);
      expect(again.values('one')).toEqual([{ value: '"a"', source: 'prompt' }]);
      expect(again.mandates('one')).toEqual([mandate]);
      expect(again.message(old.body.id)?.state).toBe('done');
      expect(again.messages('handed', 10)).toEqual([{ ...next, state: 'handed', incarnation: 'one' }]);
      expect(again.spooled(10).map((row) => row.entry)).toEqual([entry(1)]);
      expect(again.context('another')).toBeNull();
      expect(again.mandates('another')).toEqual([]);
    });

    it('lets one process of an agent finish nothing that another was handed', async () => {
      const { open, body } = create();
      const store = open();
      const message = received(body());
      await store.receive(message).durable;
      await store.absorb({ ...nothing, incarnation: 'one', handed: [message.body.id] });
      await store.absorb({ ...nothing, incarnation: 'two', done: [message.body.id] });
      expect(open().message(message.body.id)?.state).toBe('handed');
    });

    it('shows at once what the agent has dealt with, and keeps it', async () => {
      const { open, body } = create();
      const store = open();
      const [first, second] = [received(body()), received(body())];
      await store.receive(first).durable;
      await store.receive(second).durable;
      await store.absorb({ ...nothing, incarnation: 'one', handed: [first.body.id, second.body.id] });
      const finished = store.finish('one', [first.body.id]);
      const foreign = store.finish('two', [second.body.id]);
      expect(store.messages('handed', 10).map(({ body: { id } }) => id)).toEqual([second.body.id]);
      expect(store.message(first.body.id)?.state).toBe('done');
      await Promise.all([finished, foreign]);
      expect(open().messages('handed', 10).map(({ body: { id } }) => id)).toEqual([second.body.id]);
    });

    it('keeps entries and reports in order until they were taken', async () => {
      const { open, entry, report } = create();
      const store = open();
      await store.spool([entry(1), entry(2)]);
      await store.spool([entry(3)]);
      await store.queueReport(report(1));
      await store.queueReport(report(2));
      const [first] = open().spooled(1);
      await store.unspool([first?.position ?? -1]);
      await store.dropReports(open().reports(1).map(({ position }) => position));
      expect(open().spooled(10).map((row) => row.entry)).toEqual([entry(2), entry(3)]);
      expect(open().reports(10).map((row) => row.report)).toEqual([report(2)]);
    });

    it('counts refusals by task, and knows what was passed on', async () => {
      const { open } = create();
      const store = open();
      const given = { task: 't', delegate: 'd', chain: 'chain' };
      await store.countRefusal('t', 1);
      await store.countRefusal('t', 2);
      await store.giveMandate(given, 1);
      const again = open();
      expect(again.refusals('t')).toBe(2);
      expect(again.refusals('other')).toBe(0);
      expect(again.givenMandates('t')).toEqual([given]);
      expect(again.givenMandates('other')).toEqual([]);
    });

    it('prunes what is over and older, and nothing that somebody still has to deal with', async () => {
      const { open, body } = create();
      const store = open();
      const states = ['pending', 'handed', 'working', 'judging', 'held', 'done', 'refused'] as const;
      const ids = new Map<InboxState, string>();
      for (const state of states) {
        const message = received(body(), state);
        ids.set(state, message.body.id);
        await store.receive(message).durable;
      }
      await store.prune(0);
      for (const id of ids.values()) expect(store.message(id)).not.toBeNull();
      await store.prune(Number.MAX_SAFE_INTEGER);
      const kept = states.filter((state) => open().message(ids.get(state) ?? '') !== null);
      expect(kept).toEqual(['pending', 'handed', 'working', 'judging', 'held']);
    });

    it('knows the run of the agent process that it had', async () => {
      const { open } = create();
      const store = open();
      expect(store.incarnation()).toBeNull();
      const run = { id: 'one', tokenDigest: 't', sessionDigest: null, endedAt: null, next: null };
      await store.saveIncarnation(run);
      expect(open().incarnation()).toEqual(run);
    });
  });
}
