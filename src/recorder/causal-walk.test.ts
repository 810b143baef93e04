// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { draft, go } from '../../test/faults/recorder-fixture.ts';
import { walkBack, walkForward } from './causal-walk.ts';
import type { CausalChain } from './causal-walk.ts';
import type { EntryDraft, RecordedEntry } from './entry.ts';
import { idsIn, matches } from './entry-query.ts';
import type { EntryQuery } from './entry-query.ts';

const label = { classification: 'internal', integrity: 'untrusted', origins: ['tool:mail'] };
const sent = (message: string, from: string, to: string, causedBy: readonly string[]) =>
  draft(0, {
    id: `${message}.outbound`, message, causedBy, actor: `agent:${from}`, kind: 'message.outbound',
    detail: { to, schema: 'note/1', label },
  });
const read = (message: string, agent: string) =>
  draft(0, {
    id: `${message}.intent`, message, causedBy: [message], actor: `agent:${agent}`,
    kind: 'tool.intent', verdicts: [], detail: { tool: 'mail', operation: 'read', action: null },
  });
const decided = (message: string, operator: string) =>
  draft(0, {
    id: `${message}.decided`, message, causedBy: [message], kind: 'approval.decided',
    actor: `operator:${operator}`, verdicts: [], detail: { operator },
  });

/** A poisoned mail reaches payments over two agents; another task goes its own way. */
const story = [
  sent('order', 'desk', 'orchestrator', []),
  read('mail', 'triage'),
  sent('report', 'triage', 'orchestrator', ['order', 'mail']),
  sent('other', 'desk', 'orchestrator', []),
  sent('request', 'orchestrator', 'payments', ['order', 'report']),
  decided('request', 'alice'),
  sent('answer', 'payments', 'orchestrator', ['request']),
];

function log(drafts: readonly EntryDraft[]) {
  const entries = drafts.map((one, sequence): RecordedEntry => ({ ...one, sequence, recordedAt: sequence }));
  return {
    namedBy: async (id: string) => entries.filter((entry) => idsIn(entry).has(id)),
    newest: async (query: EntryQuery, limit: number) =>
      entries.filter((entry) => matches(entry, query)).toReversed().slice(0, limit),
  };
}

const idsOf = (chain: CausalChain) => (chain.ok ? chain.steps.map(({ id }) => id) : []);

describe('a chain of causes', () => {
  it('is unknown for an id that the log does not hold', async () => {
    const unknown = { ok: false, code: 'RECORDER_TRACE_UNKNOWN' };
    expect(await walkBack('nothing', log(story))).toEqual(unknown);
    expect(await walkForward('nothing', log(story))).toEqual(unknown);
  });

  it('says which cause is not on record', async () => {
    const chain = await walkBack('b', log([sent('b', 'x', 'y', ['gone'])]));
    expect(chain).toMatchObject({ ok: true, unknown: ['gone'] });
  });

  it('ends, also where forged links form a cycle', async () => {
    const cycle = [sent('a', 'x', 'y', ['b']), sent('b', 'y', 'x', ['a'])];
    expect(idsOf(await walkBack('a', log(cycle)))).toEqual(['a', 'b']);
    expect(idsOf(await walkForward('a', log(cycle)))).toEqual(['a', 'b']);
  });

  it('goes back to every first input, with labels and who could have stopped it', async () => {
    const chain = await walkBack('request', log(story));
    expect(idsOf(chain)).toEqual(['order', 'mail', 'report', 'request']);
    const steps = chain.ok ? chain.steps : [];
    expect(steps[1]).toMatchObject({ tool: 'mail.read', causes: [] });
    expect(steps[3]).toMatchObject({
      from: 'orchestrator',
      to: 'payments',
      label: { integrity: 'untrusted' },
      origins: ['tool:mail'],
      causes: ['order', 'report'],
      stoppers: [
        { who: `${go.control} at orchestrator`, outcome: 'GO' },
        { who: 'operator:alice', outcome: 'GO' },
      ],
    });
    expect(idsOf(await walkBack('request.decided', log(story)))).toEqual(idsOf(chain));
  });

  it('goes through what an agent kept in memory, and comes to the source of what it looked up', async () => {
    const kept = (call: string, item: string, causedBy: readonly string[]) => draft(0, {
      id: `${call}.remember`, message: call, causedBy, actor: 'node', kind: 'memory.written', verdicts: [],
      detail: { agent: 'triage', item, classification: 'internal', integrity: 'untrusted' },
    });
    const asked = (call: string, causedBy: readonly string[], more: { readonly [name: string]: string } = {}) => draft(0, {
      id: `${call}.ask`, message: call, causedBy, actor: 'node', verdicts: [],
      kind: Object.hasOwn(more, 'source') ? 'knowledge.read' : 'memory.read', detail: { agent: 'triage', ...more },
    });
    const remembered = [
      read('mail', 'triage'),
      asked('query', ['piece'], { source: 'manual' }),
      kept('write', 'item', ['mail']),
      asked('recall', ['item']),
      sent('late', 'triage', 'payments', ['recall', 'query']),
    ];
    expect(idsOf(await walkForward('mail', log(remembered)))).toEqual(['mail', 'item', 'recall', 'late']);
    for (const id of ['write', 'write.remember', 'item']) {
      expect(idsOf(await walkForward(id, log(remembered))), id).toEqual(['item', 'recall', 'late']);
    }
    expect(idsOf(await walkForward('piece', log(remembered)))).toEqual(['piece', 'query', 'late']);
    const back = await walkBack('late', log(remembered));
    expect(idsOf(back)).toEqual(['piece', 'mail', 'query', 'item', 'recall', 'late']);
    expect(back).toMatchObject({ unknown: [] });
    expect(back.ok ? back.steps : []).toMatchObject([
      { from: 'knowledge:manual', causes: [] },
      {},
      { tool: 'knowledge.query', causes: ['piece'] },
      { from: 'triage', tool: 'memory.remember', label: { integrity: 'untrusted' }, causes: ['mail'] },
      { tool: 'memory.recall', causes: ['item'] },
      {},
    ]);
  });

  it('follows a process that reads in one task and acts in another, and says that it is not certain', async () => {
    const at = (one: EntryDraft, second: number, task: string): EntryDraft => ({ ...one, at: second, task });
    const session = (agent: string, kind: 'session.opened' | 'session.ended', run: string, second: number) =>
      draft(0, {
        id: `${run}.${kind}`, kind, at: second, task: null, message: null, actor: `agent:${agent}`,
        verdicts: [], detail: { incarnation: run },
      });
    const end = (message: string, agent: string) => draft(0, {
      id: `${message}.outcome`, message, causedBy: [message], actor: `agent:${agent}`, kind: 'tool.outcome',
      verdicts: [], detail: { tool: 'mail', operation: 'read', action: null },
    });
    const received = (message: string, agent: string) => draft(0, {
      id: `${message}.received`, message, causedBy: [message], actor: `sidecar:${agent}`,
      kind: 'message.delivered', verdicts: [], detail: {},
    });
    const hidden = log([
      session('triage', 'session.opened', 'run-1', 1),
      session('planner', 'session.opened', 'run-2', 1),
      at(sent('early', 'triage', 'planner', []), 2, 'b'),
      at(end('mail', 'triage'), 3, 'a'),
      at(sent('note', 'triage', 'planner', []), 4, 'b'),
      at(received('note', 'planner'), 5, 'b'),
      at(sent('request', 'planner', 'payments', ['order']), 6, 'c'),
      at(received('request', 'payments'), 7, 'c'),
      // The executor has no process of an agent: what it does for others follows from what they asked.
      at(sent('answer', 'payments', 'desk', ['elsewhere']), 8, 'd'),
      session('triage', 'session.ended', 'run-1', 9),
      session('triage', 'session.opened', 'run-3', 10),
      at(sent('fresh', 'triage', 'planner', []), 11, 'b'),
    ]);
    const forward = await walkForward('mail', hidden);
    expect(forward.ok && forward.steps.map(({ id, certain }) => [id, certain]))
      .toEqual([['mail', true], ['note', false], ['request', false]]);
    const back = await walkBack('note', hidden);
    expect(back).toMatchObject({ steps: [{ id: 'note', causes: [], besides: ['mail'] }] });
    expect(await walkBack('early', hidden)).toMatchObject({ steps: [{ besides: [] }] });
    expect(await walkBack('fresh', hidden)).toMatchObject({ steps: [{ besides: [] }] });
  });

  it('takes what was read and kept from the node, and from a sidecar only what it said of its own agent', async () => {
    const node = (kind: 'memory.written' | 'memory.read', call: string, causedBy: readonly string[], detail: EntryDraft['detail']) =>
      draft(0, { id: `${call}.node`, kind, message: call, causedBy, actor: 'node', verdicts: [], detail });
    const review = (
      name: string, kind: 'memory.written' | 'memory.read' | 'knowledge.read', message: string,
      causedBy: readonly string[], detail: EntryDraft['detail'],
    ) => draft(0, { id: `${name}.${message}.reviewed`, kind, message, causedBy, actor: `sidecar:${name}`, detail });
    const opened = draft(0, {
      id: 'run-b.opened', kind: 'session.opened', task: null, message: null, actor: 'agent:victim', verdicts: [],
      detail: { incarnation: 'run-b' },
    });
    const forged = log([
      opened,
      read('mail', 'thief'),
      node('memory.written', 'write', [], { agent: 'victim', item: 'shared' }),
      review('victim', 'memory.written', 'write', [], { item: 'shared' }),
      node('memory.read', 'recall', ['shared'], { agent: 'victim' }),
      review('thief', 'memory.written', 'w', ['mail'], { item: 'shared' }),
      review('thief', 'memory.written', 'write', ['mail'], { agent: 'victim', item: 'shared' }),
      review('thief', 'memory.read', 'recall', ['mail'], { agent: 'victim' }),
      review('thief', 'knowledge.read', 'mail', ['mail'], { agent: 'victim', source: 'manual' }),
      sent('later', 'victim', 'desk', ['recall']),
    ].map((one, at) => ({ ...one, at })));
    expect(idsOf(await walkForward('mail', forged))).toEqual(['mail']);
    const back = await walkBack('later', forged);
    expect(back).toMatchObject({ steps: [{ id: 'shared', causes: [] }, { id: 'recall' }, { id: 'later' }], unknown: [] });
    const steps = back.ok ? back.steps : [];
    const who = [`${go.control} at victim`];
    expect(steps.map(({ stoppers }) => stoppers.map((one) => one.who))).toEqual([who, [], who]);
    for (const id of ['write', 'victim.write.reviewed', 'shared']) {
      expect(idsOf(await walkBack(id, forged)), id).toEqual(['shared']);
    }
  });

  it('goes forward to everything that a poisoned input touched, and to nothing else', async () => {
    expect(idsOf(await walkForward('mail', log(story)))).toEqual(['mail', 'report', 'request', 'answer']);
    expect(idsOf(await walkForward('other', log(story)))).toEqual(['other']);
  });
});
