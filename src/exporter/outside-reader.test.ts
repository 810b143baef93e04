// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { sampleMesh } from '../../test/mesh-files/sample.ts';
import type { Agent, Mesh } from '../mesh/mesh.ts';
import { mintUlid } from '../message/identifiers.ts';
import { maskMetadata, maskOrigins } from '../protection/mask-metadata.ts';
import type { EntryKind, RecordedEntry } from '../recorder/entry.ts';
import type { ExportedEntry } from '../recorder/exporter.ts';
import { EntryView } from './entry-view.ts';

/** A fleet whose topology somebody outside would like to know. */
const agentCount = 24;
const messageCount = 600;
const startMs = 1_800_000_000_000;
const names = Array.from({ length: agentCount }, (_, at) => `agent-${String(at).padStart(2, '0')}`);
/** Each agent speaks to three others. */
const edges = names.flatMap((from, at) =>
  [1, 5, 11].map((step) => [from, names[(at + step) % agentCount] ?? ''] as const));
const edgeKeys = new Set(edges.map(([from, to]) => `${from}>${to}`));

/** A number generator with a seed, so that a red run can be repeated. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

function fleet(metadataMasking: boolean): Mesh {
  const sample = sampleMesh();
  const [template] = [...sample.agents.values()];
  const [domain] = [...sample.domains.values()];
  if (template === undefined || domain === undefined) throw new Error('an empty sample');
  return {
    ...sample,
    agents: new Map(names.map((name): [string, Agent] => [name, { ...template, name }])),
    domains: new Map([[domain.name, { ...domain, metadataMasking }]]),
  };
}

/** What the recorder holds of the traffic: three entries a message, a hop every few milliseconds. */
function traffic(mesh: Mesh): readonly RecordedEntry[] {
  const random = seeded(7);
  const bytes = (count: number): Uint8Array => Uint8Array.from({ length: count }, () => random() * 256);
  const [domain = ''] = mesh.domains.keys();
  const entries: RecordedEntry[] = [];
  let atMs = startMs;
  for (let at = 0; at < messageCount; at += 1) {
    const [from, to] = edges[Math.floor(random() * edges.length)] ?? ['', ''];
    atMs += Math.floor(random() * 400);
    const clock = { nowMs: () => atMs };
    const [message, task] = [mintUlid(clock, { bytes }), mintUlid(clock, { bytes })];
    const entry = (kind: EntryKind, actor: string, laterMs: number, detail: RecordedEntry['detail']): void => {
      entries.push({
        kind, actor, detail, message, task, id: `${message}.${kind}`, at: atMs + laterMs, causedBy: [message],
        outcome: 'GO', code: null, verdicts: [], tookUs: 100, sequence: entries.length, recordedAt: atMs + laterMs,
      });
    };
    entry('message.outbound', `agent:${from}`, 0, { to, domain, schema: 'invoice/1' });
    entry('message.admitted', 'node', 1, { from, to, domain, schema: 'invoice/1' });
    entry('message.delivered', `sidecar:${to}`, 2, { from, schema: 'invoice/1' });
  }
  return entries;
}

/** Everything that leaves towards logs, metrics and traces. */
function exported(metadataMasking: boolean): readonly ExportedEntry[] {
  const mesh = fleet(metadataMasking);
  const key = new Uint8Array(32).fill(9);
  const view = new EntryView({ mesh, log: 'log', key, isCode: () => false });
  return traffic(mesh).map((entry) => view.export(entry));
}

/** Tries all it can: stated ends, two names on one message, on one trace, or one right after another. */
function rebuild(entries: readonly ExportedEntry[]) {
  const guessed = new Set<string>();
  const agents = new Set<string>();
  const sent = new Map<string, string>();
  let before: string | null = null;
  for (const { actor, facts, spanId, parentSpanId, traceId } of entries) {
    for (const name of [actor.name, facts.from, facts.to, facts.agent]) {
      if (typeof name === 'string') agents.add(name);
    }
    if (facts.from !== undefined && facts.to !== undefined) guessed.add(`${facts.from}>${facts.to}`);
    for (const id of [spanId, parentSpanId, traceId, facts.message, facts.task]) {
      if (typeof id !== 'string') continue;
      const from = sent.get(id);
      if (from !== undefined && actor.name !== null) guessed.add(`${from}>${actor.name}`);
      if (actor.kind === 'agent' && actor.name !== null) sent.set(id, actor.name);
    }
    if (before !== null && actor.kind === 'sidecar' && actor.name !== null) guessed.add(`${before}>${actor.name}`);
    if (actor.kind === 'agent') before = actor.name;
  }
  const right = [...guessed].filter((key) => edgeKeys.has(key)).length;
  return { agents: agents.size, edgesRight: right, edgesOf: edgeKeys.size };
}

/** How finely the times tell one hop from the next. */
const momentsIn = (entries: readonly ExportedEntry[]): number =>
  new Set(entries.map(({ atMs }) => atMs)).size;

describe('somebody who reads logs, metrics and traces', () => {
  it('rebuilds the whole topology without masking', () => {
    const learned = rebuild(exported(false));
    expect(learned).toEqual({ agents: agentCount, edgesRight: edgeKeys.size, edgesOf: edgeKeys.size });
    expect(momentsIn(exported(false))).toBeGreaterThan(messageCount);
  });

  it('learns no agent and no edge with masking, and the time to the minute', () => {
    const entries = exported(true);
    expect(rebuild(entries)).toEqual({ agents: 0, edgesRight: 0, edgesOf: edgeKeys.size });
    const text = JSON.stringify(entries);
    expect(names.filter((name) => text.includes(name))).toEqual([]);
    const durationMs = Math.max(...entries.map(({ atMs }) => atMs)) - startMs;
    expect(momentsIn(entries)).toBeLessThanOrEqual(durationMs / 60_000 + 2);
  });

  it('finds no agent in the ids of spans and traces, however often one speaks', () => {
    const ids = exported(true).flatMap(({ spanId, traceId }) => [spanId, traceId]);
    const spans = new Map<string | null, number>();
    for (const id of ids) spans.set(id, (spans.get(id) ?? 0) + 1);
    // A trace is one message with its three steps: nothing ties two messages of one agent.
    expect(Math.max(...spans.values())).toBeLessThanOrEqual(3);
  });
});

describe('an agent that reads its own inbox', () => {
  const metadata = { sender_ip: '10.0.0.1', routing_path: 'a>b', internal_id: 'x', timestamp: '1', topic: 't' };
  const origins = ['agent:agent-03', 'agent:agent-07', 'prompt', 'tool:mail'];

  it('hears who stands further up without masking', () => {
    const open = { metadataMasking: false };
    expect(maskOrigins(open, origins)).toEqual(origins);
    expect(maskMetadata(open, metadata)).toEqual(metadata);
  });

  it.each([{ metadataMasking: true }, undefined])('hears kinds of origins alone under %j', (policy) => {
    expect(maskOrigins(policy, origins)).toEqual(['agent', 'prompt', 'tool']);
    expect(maskMetadata(policy, metadata)).toEqual({ topic: 't' });
  });
});
