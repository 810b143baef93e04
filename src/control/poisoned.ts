// SPDX-License-Identifier: Apache-2.0
import type { RecordedEntry } from '../recorder/entry.ts';

/** What followed from poisoned items, as far as entries of the log say. */
export type Spread = {
  /** Entries of memory. */
  readonly items: ReadonlySet<string>;
  /** Messages by the agent that each was for. */
  readonly messages: ReadonlyMap<string, readonly string[]>;
  /** Whose run it was, by the node's own entries, of each that was given a poisoned item. */
  readonly readers: ReadonlyMap<string, string>;
  /** Actions that were done on the way, for people to undo. */
  readonly done: number;
};

type Read = Pick<RecordedEntry, 'kind' | 'message' | 'actor' | 'causedBy' | 'detail' | 'outcome'>;

/**
 * Everything that follows from these items, and from these reads and messages, over entries in the order of the log. Whoever was
 * given one taints all that it says and keeps from then on, in whatever task, until its session ends;
 * whoever was sent such a message is taken to have read it. Too much is put aside rather than too
 * little: what is left out goes on poisoning. A sidecar that was taken over chooses every name in its
 * entries: what was read and kept is taken from the node's own, and a message counts once it is admitted. It also chooses
 * the ids of messages and reads: only an item is read, whatever bears its id besides.
 */
export async function spreadOf(
  roots: ReadonlySet<string>,
  passedOn: Iterable<string>,
  entries: AsyncIterable<Read>,
): Promise<Spread> {
  const kept = new Set(roots);
  const reached = new Set([...roots, ...passedOn]);
  /** Sent by somebody who was reached, as a sidecar says: nothing, until a node admits it. */
  const sent = new Set<string>();
  const items = new Set<string>();
  const messages = new Map<string, string[]>();
  /** Agent -> the run that read; null where it was sent a message, and no run is known. */
  const tainted = new Map<string, string | null>();
  const readers = new Map<string, string>();
  let done = 0;
  for await (const { kind, message: id, actor, causedBy, detail, outcome } of entries) {
    const follows = causedBy.some((cause) => reached.has(cause));
    const { agent, incarnation, from, to } = detail;
    if (kind === 'session.ended') forget(tainted, actor, incarnation);
    if (id === null || outcome === 'NO-GO') continue;
    const isNodes = actor === 'node';
    if (isNodes && isRead(kind) && causedBy.some((cause) => kept.has(cause)) && typeof agent === 'string') {
      tainted.set(agent, typeof incarnation === 'string' ? incarnation : null);
      reached.add(id);
      if (typeof incarnation === 'string') readers.set(incarnation, agent);
    }
    if (kind === 'message.delivered' && reached.has(id)) tainted.set(nameOf(actor), null);
    if (kind === 'message.outbound' && (follows || tainted.has(nameOf(actor)))) sent.add(id);
    const isOfTainted = sent.has(id) || (typeof from === 'string' && tainted.has(from));
    if (isNodes && kind === 'message.admitted' && isOfTainted) reached.add(id);
    if (isNodes && kind === 'memory.written' && (follows || (typeof agent === 'string' && tainted.has(agent)))) {
      const { item } = detail;
      if (typeof item !== 'string') continue;
      for (const known of [kept, reached, items]) known.add(item);
    }
    if (!reached.has(id)) continue;
    if (kind === 'tool.outcome' && outcome === 'GO') done += 1;
    if (!isNodes || kind !== 'message.admitted' || typeof to !== 'string') continue;
    messages.set(to, [...(messages.get(to) ?? []), id]);
  }
  return { items, messages, readers, done };
}

function isRead(kind: Read['kind']): boolean {
  return kind === 'memory.read' || kind === 'knowledge.read';
}

/** A fresh process starts clean; what was merely sent to an agent may be read by the next one. */
function forget(tainted: Map<string, string | null>, actor: string, incarnation: unknown): void {
  const agent = nameOf(actor);
  const by = tainted.get(agent);
  if (typeof by === 'string' && by === incarnation) tainted.delete(agent);
}

/** `agent:triage` and `sidecar:triage` are about `triage`. */
function nameOf(actor: string): string {
  return actor.slice(actor.indexOf(':') + 1);
}
