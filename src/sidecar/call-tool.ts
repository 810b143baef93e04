// SPDX-License-Identifier: Apache-2.0
import type { JsonObject, JsonValue } from '../message/json.ts';
import { mintUlid } from '../message/identifiers.ts';
import type { EntryDraft } from '../recorder/entry.ts';
import type { IndexedValue, SourceOf } from '../label/value-index.ts';
import { askedPrefix } from '../mesh/source-field.ts';
import { sensitiveFindings } from '../policy/parameters.ts';
import { combine, type CombinedVerdict, type Verdict } from '../review/verdict.ts';
import type { SidecarContext } from './context.ts';
import { receiveLocalCall, type LocalAdmission, type LocalCall } from './inbound.ts';
import type { AgentMemory } from './memory.ts';
import { seesNames, withTokens } from './tokens.ts';

export type ToolCallAnswer = {
  readonly id: string;
  readonly code: string | null;
  readonly result: JsonValue;
};

/**
 * An agent's read through one of its own tools: admitted, run by the gate, labelled by the tool's
 * manifest, and durable in the agent's memory before the agent sees the result.
 */
export async function callTool(
  request: {
    readonly tool: string;
    readonly operation: string;
    readonly arguments: JsonObject;
    readonly task: string;
    readonly idempotencyKey: string | null;
  },
  memory: AgentMemory,
  context: SidecarContext,
): Promise<ToolCallAnswer> {
  const id = mintUlid(context.clock, context.random);
  const call: LocalCall = { ...request, id, idempotencyKey: request.idempotencyKey ?? id };
  const unsourced = unsourcedArguments(call, memory, context);
  const received: LocalAdmission = unsourced === null
    ? await receiveLocalCall(call, context)
    : { admitted: null, verdict: combine([unsourced]) };
  if (received.admitted === null) {
    const { verdict } = received;
    const code = verdict.lead?.code ?? 'REVIEW_MISSING';
    await context.spool([refusedEntry(call, verdict, code, context)]);
    return { id, code, result: null };
  }
  const ran = await context.gate.call(received.admitted);
  await received.ended(ran);
  if (ran.status !== 'DONE' || ran.label === null) {
    return { id, code: ran.code ?? 'REVIEW_MISSING', result: null };
  }
  const said = seesNames(context) ? { ok: true as const, value: ran.result }
    : await withTokens(ran.result, call.task, context);
  if (!said.ok) return { id, code: said.code, result: null };
  const result = said.value;
  const unkept = await keepRead(call, result, context);
  if (unkept !== null) return { id, code: unkept, result: null };
  const asked = isAskedFor(call.arguments, memory);
  await memory.absorb(
    [
      {
        id,
        label: ran.label,
        value: result,
        sourcesOf: asked ? [ran.sourceOf, askedFor(ran.sourceOf)] : [ran.sourceOf],
        derived: asked ? [...ran.derived, ...ran.derived.map(askedForValue)] : ran.derived,
        place: null,
        task: call.task,
      },
    ],
    [],
  );
  return { id, code: null, result };
}

/** Where reads are kept for custodians, what cannot be kept is not handed over. */
async function keepRead(
  { id, task, tool, operation, arguments: asked }: LocalCall,
  result: JsonValue,
  { mesh, link }: SidecarContext,
): Promise<string | null> {
  if (mesh.recorder?.forensic?.keep.has('LOW') !== true) return null;
  const kept = await link.keep({ call: id, task, tool, operation, payload: { arguments: asked, result } });
  return kept === null ? null : 'SIDECAR_READ_NOT_KEPT';
}

/** A read whose arguments leave the system, or pick the object, is held to G5 like an action. */
function unsourcedArguments(
  call: LocalCall,
  memory: AgentMemory,
  context: SidecarContext,
): Verdict | null {
  const operation = context.mesh.tools.get(call.tool)?.operations.get(call.operation);
  const { sensitive } = operation ?? {};
  if (sensitive === undefined || sensitive.size === 0) return null;
  // A read is not held for people: without a source it is refused.
  const rules = [...sensitive].map(
    ([name, rule]) => [name, { ...rule, endorsable: false }] as const,
  );
  const { refusals: findings } = sensitiveFindings(
    { sensitive: new Map(rules), reversibility: 'irreversible' },
    call.arguments,
    {
      trustedContext: false,
      stamps: memory.values.sourcesFor({ parameters: call.arguments }),
      trustedValues: () => null,
      endorsed: () => false,
    },
  );
  if (findings.length === 0) return null;
  return {
    outcome: 'NO-GO',
    control: 'policy-compliance',
    version: context.mesh.digest.slice(0, 12),
    tookUs: 0,
    findings,
  };
}

/**
 * True when a person's words asked for this read: every argument is what the prompt says, a single
 * word not counting, since with one word anything can be found.
 */
function isAskedFor(args: JsonObject, memory: AgentMemory): boolean {
  const given = Object.entries(args).filter(([, value]) => value !== null);
  const sources = memory.values.sourcesFor(args);
  return given.length > 0 && given.every(([name, value]) => {
    if (typeof value !== 'string') return false;
    const own = sources[`/${name}`] ?? [];
    return own.includes('prompt') || (own.includes('prompt.words') && /\s/u.test(value));
  });
}

function askedFor(sourceOf: SourceOf): SourceOf {
  return (pointer) => {
    const source = sourceOf(pointer);
    return source === null ? null : `${askedPrefix}${source}`;
  };
}

function askedForValue({ value, source }: IndexedValue): IndexedValue {
  return { value, source: `${askedPrefix}${source}` };
}

function refusedEntry(
  call: LocalCall,
  verdict: CombinedVerdict,
  code: string,
  context: SidecarContext,
): EntryDraft {
  return {
    kind: 'tool.refused',
    id: `${call.id}.refused`,
    at: context.clock.nowMs(),
    actor: `agent:${context.agent.name}`,
    task: call.task,
    message: call.id,
    causedBy: [],
    outcome: 'NO-GO',
    code,
    verdicts: verdict.verdicts,
    tookUs: null,
    detail: { tool: call.tool, operation: call.operation, isolation: context.isolation },
  };
}
