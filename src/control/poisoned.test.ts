// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { blankEntry } from '../recorder/blank-entry.ts';
import type { EntryDraft, EntryKind } from '../recorder/entry.ts';
import { spreadOf } from './poisoned.ts';

const entry = (
  kind: EntryKind,
  actor: string,
  message: string,
  change: Partial<EntryDraft> = {},
): EntryDraft => blankEntry({ kind, id: `${message}.${kind}`, at: 0, actor, message, outcome: 'GO', ...change });

async function* listed(entries: readonly EntryDraft[]): AsyncGenerator<EntryDraft> {
  yield* entries;
}
const spread = (entries: readonly EntryDraft[]) => spreadOf(new Set(['poison']), ['passed-on'], listed(entries));

const readBy = (agent: string, incarnation: string) =>
  entry('memory.read', 'node', `read-${agent}`, { causedBy: ['poison'], detail: { agent, incarnation } });
const admitted = (id: string, to: string) => entry('message.admitted', 'node', id, { detail: { to } });

describe('what followed from a poisoned item', () => {
  test('is what its reader says and keeps, in whatever task, and what others make of that', async () => {
    const found = await spread([
      entry('message.outbound', 'agent:a', 'm0'), admitted('m0', 'b'),
      readBy('a', 'run-1'),
      entry('message.outbound', 'agent:a', 'm1'), admitted('m1', 'b'),
      entry('memory.written', 'node', 'i1', { detail: { agent: 'a', item: 'i1' } }),
      entry('message.delivered', 'sidecar:b', 'm1'),
      entry('message.outbound', 'agent:b', 'm2'), admitted('m2', 'c'),
      entry('memory.written', 'node', 'i2', { detail: { agent: 'b', item: 'i2' } }),
      entry('memory.written', 'node', 'i3', { detail: { agent: 'd', item: 'i3' } }),
      entry('tool.outcome', 'sidecar:c', 'm2'),
    ]);
    expect(Object.fromEntries(found.messages)).toEqual({ b: ['m1'], c: ['m2'] });
    expect(found.items).toEqual(new Set(['i1', 'i2']));
    expect(found.done).toBe(1);
  });

  test('is nothing that a fresh process of the reader says', async () => {
    const ended = (incarnation: string) =>
      blankEntry({ kind: 'session.ended', id: incarnation, at: 0, actor: 'agent:a', detail: { incarnation } });
    const found = await spread([
      readBy('a', 'run-1'), ended('run-0'),
      entry('message.outbound', 'agent:a', 'm1'), admitted('m1', 'b'),
      ended('run-1'),
      entry('message.outbound', 'agent:a', 'm2'), admitted('m2', 'b'),
    ]);
    expect(Object.fromEntries(found.messages)).toEqual({ b: ['m1'] });
  });

  test('is nothing that only bears the id of a read, a message or an order for tokens', async () => {
    const found = await spread([
      entry('memory.read', 'node', 'shared', { causedBy: ['poison'], detail: { agent: 'a', incarnation: 'run-a' } }),
      entry('memory.written', 'node', 'shared', { detail: { agent: 'a', tokens: 1 } }),
      entry('message.outbound', 'agent:a', 'other'), admitted('other', 'b'),
      ...['shared', 'other', 'passed-on'].map((id) =>
        entry('knowledge.read', 'node', `of-${id}`, { causedBy: [id], detail: { agent: `c-${id}`, incarnation: `run-${id}` } })),
      ...['shared', 'other', 'passed-on'].flatMap((id) =>
        [entry('message.outbound', `agent:c-${id}`, `m-${id}`), admitted(`m-${id}`, 'd')]),
      entry('message.outbound', 'agent:e', 'm-e', { causedBy: ['passed-on'] }), admitted('m-e', 'f'),
    ]);
    expect([Object.fromEntries(found.messages), found.items.size]).toEqual([{ b: ['other'], f: ['m-e'] }, 0]);
  });

  test('is nothing that was refused', async () => {
    const refused = { outcome: 'NO-GO', causedBy: ['poison'], detail: { agent: 'a', incarnation: 'run-1' } } as const;
    const found = await spread([
      entry('memory.read', 'node', 'r', refused), entry('message.outbound', 'agent:a', 'm1'), admitted('m1', 'b'),
    ]);
    expect(found.messages.size).toBe(0);
  });

  test('is nothing that a sidecar says of others, of what is shared, or of messages that are not its own', async () => {
    const forged = (kind: EntryKind, message: string, detail: EntryDraft['detail']) =>
      entry(kind, 'sidecar:a', message, { causedBy: ['poison'], detail });
    const found = await spread([
      admitted('old', 'b'),
      forged('memory.written', 'w', { item: 'shared' }),
      forged('memory.written', 'w', { agent: 'b', item: 'shared' }),
      forged('memory.read', 'r1', { agent: 'b', incarnation: 'run-b' }),
      forged('knowledge.read', 'r2', { agent: 'c', incarnation: 'run-c' }),
      forged('message.outbound', 'shared', {}), forged('message.outbound', 'old', {}),
      entry('memory.read', 'node', 'r3', { causedBy: ['shared'], detail: { agent: 'd', incarnation: 'run-d' } }),
      ...['b', 'c', 'd'].flatMap((name) => [
        entry('message.outbound', `agent:${name}`, `of-${name}`, { causedBy: ['old'] }), admitted(`of-${name}`, 'e'),
        entry('memory.written', 'node', `i-${name}`, { detail: { agent: name, item: `i-${name}` } }),
      ]),
    ]);
    expect([found.messages.size, found.items.size]).toEqual([0, 0]);
  });
});
