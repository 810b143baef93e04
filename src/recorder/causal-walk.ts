// SPDX-License-Identifier: Apache-2.0
import type { RecordedEntry } from './entry.ts';

/** Finds every entry that names an id in any way, in the order of the log. */
export type NamedBy = (id: string) => Promise<readonly RecordedEntry[]>;

/** One message, action or call in a chain of causes, as the log tells it. */
export type CausalStep = {
  /** Id of the message or of the call. */
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

/** Why something happened: back over every cause to the first inputs. */
export async function walkBack(id: string, namedBy: NamedBy): Promise<CausalChain> {
  return walk(id, namedBy, async (step) => step.causes);
}

/** What something touched: forward to everything that names it as a cause, and on from there. */
export async function walkForward(id: string, namedBy: NamedBy): Promise<CausalChain> {
  return walk(id, namedBy, async (step, named) =>
    named
      .filter((entry) => entry.causedBy.includes(step.id))
      .map(({ message }) => message)
      .filter((message) => message !== null),
  );
}

async function walk(
  start: string,
  namedBy: NamedBy,
  next: (step: CausalStep, named: readonly RecordedEntry[]) => Promise<readonly string[]>,
): Promise<CausalChain> {
  const steps = new Map<string, CausalStep>();
  const unknown = new Set<string>();
  const seen = new Set<string>();
  const waiting = [await subjectOf(start, namedBy)];
  for (let id = waiting.shift(); id !== undefined; id = waiting.shift()) {
    if (seen.has(id) || steps.size >= stepsMax) continue;
    seen.add(id);
    const named = await namedBy(id);
    const step = stepOf(id, named);
    if (step === null) {
      unknown.add(id);
      continue;
    }
    steps.set(id, step);
    waiting.push(...(await next(step, named)));
  }
  if (steps.size === 0) return { ok: false, code: 'RECORDER_TRACE_UNKNOWN' };
  const ordered = [...steps.values()].sort((a, b) => firstOf(a) - firstOf(b));
  return { ok: true, steps: ordered, unknown: [...unknown], cut: steps.size >= stepsMax };
}

/** An entry id stands for the message that the entry is about. */
async function subjectOf(id: string, namedBy: NamedBy): Promise<string> {
  const named = await namedBy(id);
  if (named.some(({ message }) => message === id)) return id;
  return named.find((entry) => entry.id === id)?.message ?? id;
}

function stepOf(id: string, named: readonly RecordedEntry[]): CausalStep | null {
  const own = named.filter((entry) => entry.message === id || entry.id === id);
  const [first] = own;
  if (first === undefined) return null;
  const sent = own.find(({ kind }) => kind === 'message.outbound') ?? first;
  const text = (name: string): string | null => {
    const holder = own.find(({ detail }) => typeof detail[name] === 'string');
    return holder === undefined ? null : String(holder.detail[name]);
  };
  const label = labelOf(sent.detail['label']);
  const operation = text('operation');
  const tool = text('tool');
  return {
    id,
    task: first.task,
    from: text('from') ?? (sent.kind === 'message.outbound' ? nameIn(sent.actor) : text('requester')),
    to: text('to'),
    schema: text('schema'),
    action: text('action'),
    tool: tool === null ? null : `${tool}.${operation ?? ''}`,
    label,
    origins: label?.origins ?? [],
    causes: [...new Set(own.flatMap(({ causedBy }) => causedBy).filter((cause) => cause !== id))],
    stoppers: once(own.flatMap(stoppersOf)),
    firstAt: first.at,
    sequences: own.map(({ sequence }) => sequence),
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

function firstOf({ sequences }: CausalStep): number {
  return sequences[0] ?? 0;
}
