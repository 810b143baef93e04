// SPDX-License-Identifier: Apache-2.0
import { costOf } from '../judge/spend.ts';
import { flowsTo } from '../label/label.ts';
import { canonicalize } from '../message/canonical-json.ts';
import { mintUlid } from '../message/identifiers.ts';
import type { JsonObject, JsonValue } from '../message/json.ts';
import type { EntryDraft } from '../recorder/entry.ts';
import { combine, type Verdict } from '../review/verdict.ts';
import { readCompletion, type AgentModel, type Completion, type CompletionAnswer } from './agent-model.ts';
import type { AgentRequests } from './agent-requests.ts';
import { budgetPhase, isTooSoon, tokensIn, type BudgetPhase } from './budget-phase.ts';
import type { SidecarContext } from './context.ts';
import type { AgentMemory } from './memory.ts';
import { reviewContent } from './review.ts';
import { ownRefusal } from './standing.ts';

export type ModelCallAnswer =
  | { readonly ok: true; readonly body: JsonObject }
  | { readonly ok: false; readonly code: string };

type Asking = {
  readonly id: string;
  readonly task: string | null;
  readonly model: AgentModel;
  readonly asked: JsonObject;
  readonly phase: BudgetPhase;
  readonly startedUs: number;
};

/**
 * An agent's call of its own model, through its sidecar: within a budget and a clearance, without
 * secrets, with the system prompt that only the sidecar holds, and on record with tokens, money and
 * digests before the agent has the answer. Reasoning that the endpoint shows is looked through as the
 * answer is (seed 003: an audit of outputs alone misses it). The answer has no source and taints
 * nothing: it carries the label of the process, which is that of all it was given.
 */
export async function callModel(
  request: AgentRequests['complete'],
  memory: AgentMemory,
  signal: AbortSignal,
  context: SidecarContext,
): Promise<ModelCallAnswer> {
  const { agentModel: model, clock, random, agent } = context;
  if (model === null) return { ok: false, code: 'SIDECAR_MODEL_NOT_CONFIGURED' };
  const { task: named = null } = request.metadata ?? {};
  const task = named !== null && memory.place(named) !== null ? named : null;
  const id = mintUlid(clock, random);
  const { metadata: _metadata, model: _model, stream: _stream, stream_options: _options, ...rest } = request;
  const own = agent.systemPrompt ?? null;
  const messages = own === null
    ? request.messages : [{ role: 'system', content: own }, ...request.messages];
  const used = model.spend.use(task ?? agent.name);
  const phase = budgetPhase(used.share);
  const mostEver = Math.min(request.max_tokens ?? model.settings.outputTokensMax, model.settings.outputTokensMax);
  const most = tokensIn(phase, mostEver);
  const asked = withoutAbsent({ ...rest, model: model.settings.name, messages, max_tokens: most });
  const asking: Asking = { id, task, model, asked, phase, startedUs: performance.now() * 1000 };
  const scanned = scanRequest({ ...rest, messages: request.messages }, context);
  const code = refusalOf(scanned, memory, context, model);
  if (code !== null) return refuse(asking, code, [scanned], memory, context);
  if (isTooSoon(phase, used.lastAtMs, clock.nowMs())) {
    return refuse(asking, 'SIDECAR_MODEL_THROTTLED', [], memory, context);
  }
  // Nothing was awaited since the look at the budget: of many calls at once one has the turn.
  model.spend.takeTurn();
  const charge = `model.${id}`;
  const bytes = Buffer.byteLength(JSON.stringify(asked));
  if (!(await model.spend.reserve(charge, task ?? agent.name, costOf(model.settings, bytes, most)))) {
    return refuse(asking, 'SIDECAR_MODEL_BUDGET', [], memory, context);
  }
  const answered = await ask(asking, signal);
  const completion = answered === null || answered.status !== 200 ? null : readCompletion(answered.body);
  const spent = costOf(model.settings, completion?.inputTokens ?? bytes, completion?.outputTokens ?? most);
  const micros = await model.spend.settle(charge, spent);
  if (completion === null) {
    return refuse(asking, 'SIDECAR_MODEL_UNAVAILABLE', [], memory, context, micros);
  }
  const verdicts = await reviewAnswer(completion, context);
  await context.recorder.record([entryOf(asking, completion, [scanned, ...verdicts], micros, memory, context)]);
  return { ok: true, body: bodyOf(asking, answered?.body ?? {}, completion) };
}

type Said = { readonly [name: string]: JsonValue | undefined };

function withoutAbsent(members: Said): JsonObject {
  const given: [string, JsonValue][] = [];
  for (const [name, value] of Object.entries(members)) if (value !== undefined) given.push([name, value]);
  return Object.fromEntries(given);
}

function refusalOf(
  scanned: Verdict,
  memory: AgentMemory,
  context: SidecarContext,
  { settings }: AgentModel,
): string | null {
  const own = ownRefusal(context);
  if (own !== null) return own;
  if (context.pace.clamp(context.agent.name).allows === 'nothing') return 'PACE_STOPPED';
  if (!flowsTo(memory.context.label.classification, settings.clearance)) return 'SIDECAR_MODEL_CLEARANCE';
  return scanned.outcome === 'NO-GO' ? (scanned.findings[0]?.code ?? 'REVIEW_MISSING') : null;
}

/** What keeps a prompt from a provider; SCAN_BUDGET since a secret may stand in what was not looked through. */
const keptFromProvider: ReadonlySet<string> = new Set(['SCAN_SECRET', 'SCAN_STRUCTURE', 'SCAN_BUDGET']);

/**
 * A provider is outside: no secret goes there, in whatever member an agent writes it. What the agent has read
 * goes there to be read.
 */
function scanRequest(said: Said, { scanner, agent }: SidecarContext): Verdict {
  const verdict = scanner.scan({
    value: withoutAbsent(said), schemaId: null, type: null, channel: 'agent_message', classification: agent.clearance,
  });
  const findings = verdict.findings.filter(({ code }) => keptFromProvider.has(code));
  // Nobody is asked about a prompt: what was not looked through to its end is refused.
  const isUnfinished = findings.some(({ code }) => code === 'SCAN_BUDGET');
  const outcome = isUnfinished ? 'NO-GO' : verdict.outcome;
  return { ...verdict, outcome: findings.length > 0 ? outcome : 'GO', findings };
}

async function ask({ model, asked }: Asking, signal: AbortSignal): Promise<CompletionAnswer | null> {
  try {
    const answered = await model.timing.within(
      (late) => model.complete(asked, AbortSignal.any([late, signal])),
      model.settings.timeoutMs,
    );
    return answered.late ? null : answered.value;
  } catch {
    // What a provider says about its failure may repeat what it was sent.
    return null;
  }
}

/** Said and thought are looked through; what is found is on record, and refused where it is acted on. */
function reviewAnswer(completion: Completion, context: SidecarContext): Promise<readonly Verdict[]> {
  return reviewContent({
    value: [...completion.said, ...completion.thought],
    schemaId: null,
    type: null,
    channel: 'agent_message',
    classification: context.agent.clearance,
  }, context);
}

async function refuse(
  asking: Asking,
  code: string,
  verdicts: readonly Verdict[],
  memory: AgentMemory,
  context: SidecarContext,
  micros = 0,
): Promise<ModelCallAnswer> {
  const entry = entryOf(asking, null, verdicts, micros, memory, context);
  await context.recorder.record([{ ...entry, outcome: 'NO-GO', code }]);
  return { ok: false, code };
}

function entryOf(
  { id, task, asked, phase, startedUs }: Asking,
  completion: Completion | null,
  verdicts: readonly Verdict[],
  micros: number,
  memory: AgentMemory,
  { agent, clock, keyedDigest }: SidecarContext,
): EntryDraft {
  const { classification, integrity } = memory.context.label;
  const thought = completion?.thought.join('\n') ?? '';
  const found = completion === null ? null : combine(verdicts);
  return {
    kind: 'model.called',
    id: `${id}.model`,
    at: clock.nowMs(),
    actor: `agent:${agent.name}`,
    task,
    message: null,
    causedBy: task === null ? [] : memory.inputs(task),
    outcome: found?.outcome ?? null,
    code: found?.lead?.code ?? null,
    verdicts,
    tookUs: Math.round(performance.now() * 1000 - startedUs),
    detail: {
      inputTokens: completion?.inputTokens ?? 0,
      outputTokens: completion?.outputTokens ?? 0,
      reasoningTokens: completion?.reasoningTokens ?? 0,
      reasoningCharacters: thought.length,
      micros,
      ...(phase === 'free' ? {} : { budget: phase }),
      classification,
      integrity,
      asked: keyedDigest(canonicalize(asked)),
      said: completion === null ? null : keyedDigest(canonicalize([...completion.said])),
      thought: thought === '' ? null : keyedDigest(thought),
    },
  };
}

/** What the agent gets: a chat completion, without what an endpoint adds to one. */
function bodyOf({ id, model }: Asking, body: JsonObject, { choices }: Completion): JsonObject {
  const usage = body['usage'] ?? null;
  return {
    id: `chatcmpl-${id}`,
    object: 'chat.completion',
    created: typeof body['created'] === 'number' ? body['created'] : 0,
    model: model.settings.name,
    choices: [...choices],
    ...(usage === null ? {} : { usage }),
  };
}
