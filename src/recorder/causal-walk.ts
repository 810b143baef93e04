// SPDX-License-Identifier: Apache-2.0
import { AgentProcesses } from './causal-process.ts';
import type { RecordedEntry } from './entry.ts';
import type { NewestEntries } from './state-at.ts';

/** Every entry that names an id in any way, in the order of the log. */
export type NamedBy = (id: string) => Promise<readonly RecordedEntry[]>;

/** One message, action, call or kept item in a chain of causes, as the log tells it. */
export type CausalStep = {
  /** Id of the message, of the call, or of what was kept in memory. */
  readonly id: string;
  readonly task: string | null;
  readonly from: string | null;
  readonly to: string | null;
  readonly schema: string | null;
  /** What was done with it: an action, or a tool and its operation. */
  readonly action: string | null;
  readonly tool: string | null;
  /** Label that it was sent with, as the sender's sidecar stamped it. */
  readonly label: { readonly classification: string; readonly integrity: string } | null;
  readonly origins: readonly string[];
  /** Ids of what came before it. */
  readonly causes: readonly string[];
  /** Everybody who looked at it and could have said no, with what they said. */
  readonly stoppers: readonly { readonly who: string; readonly outcome: string | null }[];
  readonly firstAt: number;
  readonly sequences: readonly number[];
  /** False where it names none of the others as a cause: a process did it that had been given one of them. */
  readonly certain: boolean;
  /** Going back: what the process that sent it had been given in other tasks, newest first, at most 32. */
  readonly besides: readonly string[];
};

/** The log, as it is asked for causes. */
export type CausalRecord = {
  /** Finds every entry that names an id in any way, in the order of the log. */
  readonly namedBy: NamedBy;
  readonly newest: NewestEntries;
};

export type CausalChain =
  | {
      readonly ok: true;
      /** From the first input to what was asked for, or from there to what it touched. */
      readonly steps: readonly CausalStep[];
      /** Causes that the log does not hold. */
      readonly unknown: readonly string[];
      /** Whether there were more than the bound; then the farthest are missing. */
      readonly cut: boolean;
    }
  | { readonly ok: false; readonly code: 'RECORDER_TRACE_UNKNOWN' };

const stepsMax = 10_000;
const besidesMax = 32;

/**
 * Why something happened: back over every cause to the first inputs. What the processes on the way had
 * been given in other tasks stands beside each step, and is not followed.
 */
export async function walkBack(id: string, { namedBy, newest }: CausalRecord): Promise<CausalChain> {
  const processes = new AgentProcesses(newest);
  return walk(id, namedBy, {
    caused: ({ causes }) => causes,
    perhaps: async () => [],
    besides: async ({ causes }, own) => {
      const sent = own.find(({ kind }) => kind === 'message.outbound');
      const given = sent === undefined ? [] : await processes.givenBefore(sent);
      return given.filter((one) => !causes.includes(one)).slice(0, besidesMax);
    },
    isCut: () => processes.cut,
  });
}

/**
 * What something touched: forward to everything that names it as a cause, and to everything that the
 * processes which were given it sent, did and kept afterwards, in whatever task; and on from there.
 */
export async function walkForward(id: string, { namedBy, newest }: CausalRecord): Promise<CausalChain> {
  const processes = new AgentProcesses(newest);
  return walk(id, namedBy, {
    caused: (step, named) => named
      .filter((entry) => entry.causedBy.includes(step.id) && !isReview(entry))
      .map(subjectIn)
      .filter((subject) => subject !== null),
    perhaps: (own) => processes.doneAfter(own),
    besides: async () => [],
    isCut: () => processes.cut,
  });
}

type Ways = {
  readonly caused: (step: Told, named: readonly RecordedEntry[]) => readonly string[];
  /** What may have followed from it, by the entries about it. */
  readonly perhaps: (own: readonly RecordedEntry[]) => Promise<readonly string[]>;
  readonly besides: (step: Told, own: readonly RecordedEntry[]) => Promise<readonly string[]>;
  readonly isCut: () => boolean;
};

/** What the entries about it say by themselves. */
type Told = Omit<CausalStep, 'certain' | 'besides'>;

async function walk(start: string, namedBy: NamedBy, ways: Ways): Promise<CausalChain> {
  const steps = new Map<string, CausalStep>();
  const unknown = new Set<string>();
  const seen = new Set<string>();
  const waiting = [await subjectOf(start, namedBy)];
  const doubtful: string[] = [];
  // What is certain first, so that nothing passes for doubtful that is not.
  for (const certain of [true, false]) {
    const queue = certain ? waiting : doubtful;
    for (let id = queue.shift(); id !== undefined; id = queue.shift()) {
      if (seen.has(id) || steps.size >= stepsMax) continue;
      seen.add(id);
      const named = await namedBy(id);
      const own = ownOf(id, named);
      const step = stepOf(id, own) ?? pieceOf(id, named);
      if (step === null) {
        unknown.add(id);
        continue;
      }
      steps.set(id, { ...step, certain, besides: await ways.besides(step, own) });
      queue.push(...ways.caused(step, named));
      doubtful.push(...(await ways.perhaps(own)));
    }
  }
  if (steps.size === 0) return { ok: false, code: 'RECORDER_TRACE_UNKNOWN' };
  const ordered = [...steps.values()].sort((a, b) => firstOf(a) - firstOf(b));
  const cut = steps.size >= stepsMax || ways.isCut();
  return { ok: true, steps: ordered, unknown: [...unknown], cut };
}

/** An entry id stands for what the entry is about, and so does the id of a call that kept something. */
async function subjectOf(id: string, namedBy: NamedBy): Promise<string> {
  const named = await namedBy(id);
  const told = named.filter((entry) => !isReview(entry));
  if (told.some((entry) => subjectIn(entry) === id)) return id;
  const own = (one: RecordedEntry): boolean => one.id === id || one.message === id;
  const found = told.find(own) ?? named.find(own);
  if (found === undefined) return id;
  const subject = subjectIn(found) ?? id;
  if (!isReview(found)) return subject;
  // Of a call that was looked at, the node says what it kept.
  const kept = (await namedBy(subject)).find((entry) => !isReview(entry) && entry.message === subject);
  return kept === undefined ? subject : (subjectIn(kept) ?? subject);
}

/** What an entry is about. What an agent keeps has an id of its own: under that it is read again. */
function subjectIn(entry: RecordedEntry): string | null {
  const { kind, message, detail: { item } } = entry;
  return kind === 'memory.written' && typeof item === 'string' && !isReview(entry) ? item : message;
}

/**
 * What a sidecar says of a read or a write is what its controls said of it. Who was given or kept what
 * only a node knows: one that was taken over names in such an entry whom and what it likes.
 */
function isReview({ kind, actor }: RecordedEntry): boolean {
  return Object.hasOwn(ownOperations, kind) && actor !== 'node';
}

/** The entries about it; a review is one only of what the node says that agent read or kept in that call. */
function ownOf(id: string, named: readonly RecordedEntry[]): readonly RecordedEntry[] {
  const told = named.filter((entry) => !isReview(entry) && (subjectIn(entry) === id || entry.id === id));
  return named.filter((entry) => {
    if (!isReview(entry)) return told.includes(entry);
    if (told.length === 0) return entry.message === id || entry.id === id;
    const agent = nameIn(entry.actor);
    return told.some(({ kind, message, detail }) =>
      kind === entry.kind && message === entry.message && detail['agent'] === agent);
  });
}

function stepOf(id: string, own: readonly RecordedEntry[]): Told | null {
  const [first] = own;
  const told = own.filter((entry) => !isReview(entry));
  if (first === undefined) return null;
  const sent = told.find(({ kind }) => kind === 'message.outbound') ?? told[0] ?? first;
  const text = (name: string): string | null => {
    const holder = told.find(({ detail }) => typeof detail[name] === 'string');
    return holder === undefined ? null : String(holder.detail[name]);
  };
  const label = labelOf(sent.detail['label'] ?? sent.detail);
  const operation = text('operation');
  const tool = text('tool');
  return {
    id,
    task: first.task,
    from: text('from') ??
      (sent.kind === 'message.outbound' ? nameIn(sent.actor) : (text('requester') ?? text('agent'))),
    to: text('to'),
    schema: text('schema'),
    action: text('action'),
    tool: tool === null ? (ownOperations[first.kind] ?? null) : `${tool}.${operation ?? ''}`,
    label,
    origins: label?.origins ?? [],
    causes: [...new Set(told.flatMap(({ causedBy }) => causedBy).filter((cause) => cause !== id))],
    stoppers: once(own.flatMap(stoppersOf)),
    firstAt: first.at,
    sequences: own.map(({ sequence }) => sequence),
  };
}

/** What an agent does at the node, by the entry that says so. */
const ownOperations: { readonly [kind: string]: string } = {
  'memory.written': 'memory.remember', 'memory.read': 'memory.recall', 'knowledge.read': 'knowledge.query',
};

/** A piece of a document is a first input: what took it in names the source, and not every piece. */
function pieceOf(id: string, named: readonly RecordedEntry[]): Told | null {
  const read = named.find((entry) =>
    entry.kind === 'knowledge.read' && !isReview(entry) && entry.causedBy.includes(id));
  if (read === undefined) return null;
  const source = `knowledge:${String(read.detail['source'] ?? '')}`;
  return {
    id, task: null, from: source, to: null, schema: null, action: null, tool: null, label: null,
    origins: [source], causes: [], stoppers: [], firstAt: read.at, sequences: [],
  };
}

/** Controls that gave a verdict, and people who decided, each where they stood. */
function stoppersOf(entry: RecordedEntry): CausalStep['stoppers'] {
  if (entry.kind === 'approval.decided') {
    return [{ who: `operator:${String(entry.detail['operator'] ?? '')}`, outcome: entry.outcome }];
  }
  return entry.verdicts.map(({ control, outcome }) => ({
    who: `${control} at ${nameIn(entry.actor)}`,
    outcome,
  }));
}

/** A control that said the same twice stands once. */
function once(stoppers: CausalStep['stoppers']): CausalStep['stoppers'] {
  return [...new Map(stoppers.map((one) => [`${one.who} ${one.outcome}`, one])).values()];
}

function labelOf(value: unknown) {
  if (typeof value !== 'object' || value === null) return null;
  const classification: unknown = Reflect.get(value, 'classification');
  const integrity: unknown = Reflect.get(value, 'integrity');
  const origins: unknown = Reflect.get(value, 'origins');
  if (typeof classification !== 'string' || typeof integrity !== 'string') return null;
  return { classification, integrity, origins: Array.isArray(origins) ? origins.map(String) : [] };
}

function nameIn(actor: string): string {
  return actor.slice(actor.indexOf(':') + 1);
}

/** What has no entry of its own came before everything that has one. */
function firstOf({ sequences }: CausalStep): number {
  return sequences[0] ?? -1;
}
