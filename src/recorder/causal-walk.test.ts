// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { draft, go } from '../../test/faults/recorder-fixture.ts';
import { walkBack, walkForward } from './causal-walk.ts';
import type { CausalChain } from './causal-walk.ts';
import type { EntryDraft, RecordedEntry } from './entry.ts';
import { idsIn } from './entry-query.ts';

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
  return async (id: string) => entries.filter((entry) => idsIn(entry).has(id));
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

  it('goes forward to everything that a poisoned input touched, and to nothing else', async () => {
    expect(idsOf(await walkForward('mail', log(story)))).toEqual(['mail', 'report', 'request', 'answer']);
    expect(idsOf(await walkForward('other', log(story)))).toEqual(['other']);
  });
});
