// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { whereMax, type GivenItem, type KnowledgeAnswer, type KnowledgeAsk } from '../knowledge/asks.ts';
import { joinLabels } from '../label/label.ts';
import { mandateId } from '../mandate/block.ts';
import type { Label } from '../message/envelope.ts';
import { mintUlid } from '../message/identifiers.ts';
import type { JsonObject, JsonValue } from '../message/json.ts';
import type { EntryDraft } from '../recorder/entry.ts';
import { combine, finding, type CombinedVerdict, type Verdict } from '../review/verdict.ts';
import { maskOrigins } from '../protection/mask-metadata.ts';
import type { SidecarContext } from './context.ts';
import type { AgentMemory } from './memory.ts';
import { reviewContent } from './review.ts';
import { stampedLabel } from './stamped-label.ts';
import { ownRefusal } from './standing.ts';
import { withTokens } from './tokens.ts';

const name = z.string().min(1).max(63);
/** Absent: a task of the agent's own, as with a tool call. */
const task = z.string().length(26).nullable().default(null);
const limit = z.int().min(1).max(16).default(8);

/** Shapes of what an agent may ask of knowledge and of its memory. */
export const knowledgeRequests = {
  remember: z.strictObject({
    /** Found by its members that the mesh file indexes. */
    value: z.json(),
    task,
  }),
  recall: z.strictObject({
    /** Indexed member -> its exact value; empty for the newest entries. */
    where: z.record(z.string().max(64), z.union([z.string().max(1024), z.number(), z.boolean()]))
      .refine((where) => Object.keys(where).length <= whereMax).default({}),
    task,
    limit,
  }),
  query: z.strictObject({ source: name, text: z.string().min(1).max(4096), task, limit }),
};

type Requests = {
  readonly [name in keyof typeof knowledgeRequests]:
    Omit<z.output<(typeof knowledgeRequests)[name]>, 'task'> & { readonly task: string };
};

/** What a sidecar asks its node for its agent; null when the node cannot be asked now. */
export interface KnowledgePort {
  ask(ask: KnowledgeAsk): Promise<KnowledgeAnswer | null>;
}

export type KnowledgeOutcome =
  | { readonly ok: true; readonly id: string; readonly items: readonly JsonObject[] }
  | { readonly ok: false; readonly id: string; readonly code: string };

/**
 * Keeps an entry of the agent's own memory. The label of all that its process has read goes along, and
 * what led to it, so that a poisoned entry is found with all that follows from it; neither is the
 * agent's to say. What the content controls refuse is not kept, what they doubt is kept and withheld.
 */
export async function remember(
  asked: Requests['remember'],
  memory: AgentMemory,
  context: SidecarContext,
): Promise<KnowledgeOutcome> {
  const id = mintUlid(context.clock, context.random);
  // Before anything is put under tokens: who has no memory keeps nothing at the node.
  const refusal = standingRefusal(context) ?? (hasMemory(context) ? null : 'KNOWLEDGE_NO_MEMORY');
  const label = labelOf(asked.value, memory, context);
  const verdict = refusal === null
    ? combine(await reviewContent({ ...unschemed, value: asked.value, classification: label.classification, leaves: true }, context))
    : combine([standingVerdict(refusal, context)]);
  if (verdict.outcome === 'NO-GO') {
    return refused('memory.written', id, asked.task, verdict, memory, context);
  }
  const said = await withTokens(asked.value, asked.task, context);
  if (!said.ok) return { ok: false, id, code: said.code };
  const own = memory.mandates(asked.task).findLast(({ isOwn }) => isOwn);
  const answer = await context.knowledge.ask({
    kind: 'remember',
    id,
    task: asked.task,
    incarnation: memory.incarnation,
    value: said.value,
    label,
    causes: memory.latestInputs(),
    principals: memory.context.principals,
    mandate: own === undefined ? null : mandateId(own.chain),
    suspect: verdict.outcome === 'ESCALATE',
  });
  if (answer === null) return { ok: false, id, code: 'SIDECAR_BUS_UNREACHABLE' };
  if (!answer.ok) return { ok: false, id, code: answer.code };
  const kept = answer.items[0]?.id ?? null;
  await context.spool([reviewedEntry('memory.written', { id, task: asked.task }, kept, verdict.verdicts, memory, context)]);
  return { ok: true, id, items: answer.items.map(({ id: item }) => ({ id: item })) };
}

/** Entries of the agent's own memory; what is handed over is read, with all that follows from that. */
export function recall(
  asked: Requests['recall'],
  memory: AgentMemory,
  context: SidecarContext,
): Promise<KnowledgeOutcome> {
  const id = mintUlid(context.clock, context.random);
  const { incarnation } = memory;
  return read({ kind: 'recall', id, incarnation, ...asked }, memory, context);
}

/** Pieces of a source of knowledge: data of a third party, whatever they say. */
export function query(
  asked: Requests['query'],
  memory: AgentMemory,
  context: SidecarContext,
): Promise<KnowledgeOutcome> {
  const id = mintUlid(context.clock, context.random);
  const { incarnation } = memory;
  return read({ kind: 'query', id, incarnation, ...asked }, memory, context);
}

/**
 * What the node gives is looked at by the content controls like everything else that reaches the agent,
 * piece by piece: one that is refused is left out. What is handed over is durable in what the process
 * has read before the agent sees it, and no value of it has a source (G5).
 */
async function read(
  ask: Extract<KnowledgeAsk, { kind: 'recall' | 'query' }>,
  memory: AgentMemory,
  context: SidecarContext,
): Promise<KnowledgeOutcome> {
  const { id, kind } = ask;
  const entryKind = kind === 'recall' ? 'memory.read' : 'knowledge.read';
  const refusal = standingRefusal(context);
  if (refusal !== null) {
    return refused(entryKind, id, ask.task, combine([standingVerdict(refusal, context)]), memory, context);
  }
  const answer = await context.knowledge.ask(ask);
  if (answer === null) return { ok: false, id, code: 'SIDECAR_BUS_UNREACHABLE' };
  if (!answer.ok) return { ok: false, id, code: answer.code };
  const reviewed = await Promise.all(answer.items.map((item) => reviewItem(item, kind, context)));
  const items = answer.items.filter((_, at) => reviewed[at]?.outcome !== 'NO-GO');
  const stopped = reviewed.filter(({ outcome }) => outcome === 'NO-GO');
  const verdicts = worstOfEach(reviewed.flatMap((one) => one.verdicts));
  if (verdicts.length > 0) await context.spool([reviewedEntry(entryKind, ask, null, verdicts, memory, context)]);
  if (stopped.length > 0) await context.spool([stoppedEntry(ask, stopped, context)]);
  await memory.absorb([{
    id,
    label: joinLabels(...items.map(({ label }) => label)),
    value: items.map(({ value }) => value),
    sourcesOf: [],
    place: null,
    task: ask.task,
    // Who instructed the process that kept it instructs this one: memory launders nobody (G4).
    authority: { principals: items.flatMap(({ principals }) => principals), mandates: [] },
    // Nothing gets surer by being remembered, nor by asking in vain (EP-01).
    isEvidence: kind === 'query' && items.length > 0,
  }], []);
  return { ok: true, id, items: items.map((item) => handed(item, domainOf(ask, context), context)) };
}

const unschemed = { schemaId: null, type: null, channel: 'agent_message' } as const;

async function reviewItem(
  { value, label }: GivenItem,
  kind: 'recall' | 'query',
  context: SidecarContext,
): Promise<CombinedVerdict> {
  const channel = kind === 'query' ? 'document' : 'agent_message';
  const { classification, integrity } = label;
  return combine(await reviewContent({ ...unschemed, channel, value, classification, integrity }, context));
}

/** As its agent sees it: names of those further up only where the domain does not mask them. */
function handed(item: GivenItem, domain: string | undefined, { mesh }: SidecarContext): JsonObject {
  const { id, value, label, origin, document, part, writtenAt, weight } = item;
  const origins = maskOrigins(domain === undefined ? undefined : mesh.domains.get(domain), label.origins);
  const { classification, integrity } = label;
  return {
    id, value, origin, document, part, writtenAt, weight,
    label: { classification, integrity, origins: [...origins] },
  };
}

function domainOf(ask: KnowledgeAsk, { mesh }: SidecarContext): string | undefined {
  return ask.kind === 'query' ? mesh.knowledge?.get(ask.source)?.domain : mesh.memory?.domain;
}

function labelOf(value: JsonValue, memory: AgentMemory, context: SidecarContext): Label {
  const { mesh } = context;
  const floor = mesh.domains.get(mesh.memory?.domain ?? '')?.classification ?? 'restricted';
  return stampedLabel('agent', memory.context.label, value, floor, context);
}

function hasMemory({ mesh, agent }: SidecarContext): boolean {
  return (agent.fromTemplate ?? null) === null && mesh.memory?.agents.has(agent.name) === true;
}

function standingRefusal(context: SidecarContext): string | null {
  const { agent, pace } = context;
  const own = ownRefusal(context);
  if (own !== null) return own;
  if (pace.clamp(agent.name).allows === 'nothing') return 'PACE_STOPPED';
  // Executors read no prose (G3): what was kept once is prose to them, too.
  return agent.role === 'EXECUTOR' ? 'SIDECAR_EXECUTOR_PROSE' : null;
}

function standingVerdict(code: string, { mesh }: SidecarContext): Verdict {
  return {
    outcome: 'NO-GO',
    control: 'policy-compliance',
    version: mesh.digest.slice(0, 12),
    tookUs: 0,
    findings: [finding(code, 'sidecar/knowledge')],
  };
}

async function refused(
  kind: Extract<EntryDraft['kind'], 'memory.written' | 'memory.read' | 'knowledge.read'>,
  id: string,
  inTask: string,
  verdict: CombinedVerdict,
  memory: AgentMemory,
  { agent, clock, spool }: SidecarContext,
): Promise<KnowledgeOutcome> {
  const code = verdict.lead?.code ?? 'REVIEW_MISSING';
  await spool([{
    kind,
    id: `${id}.refused`,
    at: clock.nowMs(),
    actor: `sidecar:${agent.name}`,
    task: inTask,
    message: id,
    causedBy: [],
    outcome: 'NO-GO',
    code,
    verdicts: verdict.verdicts,
    tookUs: null,
    detail: { incarnation: memory.incarnation },
  }]);
  return { ok: false, id, code };
}

/** One verdict of each control on all that was given: the most restrictive, and the time of all of them. */
function worstOfEach(verdicts: readonly Verdict[]): readonly Verdict[] {
  const controls = new Map<string, Verdict[]>();
  for (const one of verdicts) controls.set(one.control, [...(controls.get(one.control) ?? []), one]);
  return [...controls.values()].flatMap((all) => {
    const { outcome } = combine(all);
    const worst = all.find((one) => one.outcome === outcome);
    return worst === undefined ? [] : { ...worst, tookUs: all.reduce((sum, { tookUs }) => sum + tookUs, 0) };
  });
}

/** What the content controls of this sidecar said of an ask that went on; the node records whether it might. */
function reviewedEntry(
  kind: Extract<EntryDraft['kind'], 'memory.written' | 'memory.read' | 'knowledge.read'>,
  { id, task: inTask }: Pick<KnowledgeAsk, 'id' | 'task'>,
  /** What was kept, which the entry is about; an ask that is repeated may have kept nothing new. */
  item: string | null,
  verdicts: readonly Verdict[],
  memory: AgentMemory,
  { agent, clock }: SidecarContext,
): EntryDraft {
  return {
    kind,
    id: `${id}.reviewed`,
    at: clock.nowMs(),
    actor: `sidecar:${agent.name}`,
    task: inTask,
    message: id,
    causedBy: [],
    outcome: 'GO',
    code: null,
    verdicts,
    tookUs: verdicts.reduce((sum, { tookUs }) => sum + tookUs, 0),
    detail: { incarnation: memory.incarnation, ...(item === null ? {} : { item }) },
  };
}

/** What was found in pieces that were not handed over; whose pieces they are stands in the node's entry. */
function stoppedEntry(
  { id, task: inTask }: KnowledgeAsk,
  stopped: readonly CombinedVerdict[],
  { agent, clock }: SidecarContext,
): EntryDraft {
  return {
    kind: 'indicator.raised',
    id: `${id}.stopped`,
    at: clock.nowMs(),
    actor: `sidecar:${agent.name}`,
    task: inTask,
    message: id,
    causedBy: [id],
    outcome: 'NO-GO',
    code: stopped[0]?.lead?.code ?? 'REVIEW_MISSING',
    verdicts: stopped[0]?.verdicts ?? [],
    tookUs: null,
    detail: { indicator: 'KNOWLEDGE', stopped: stopped.length },
  };
}
