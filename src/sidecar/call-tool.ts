// SPDX-License-Identifier: Apache-2.0
import type { JsonObject, JsonValue } from '../message/json.ts';
import { mintUlid } from '../message/identifiers.ts';
import type { EntryDraft } from '../recorder/entry.ts';
import type { CombinedVerdict } from '../review/verdict.ts';
import type { SidecarContext } from './context.ts';
import { receiveLocalCall, type LocalCall } from './inbound.ts';
import type { AgentMemory } from './memory.ts';

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
  const { admitted, verdict } = await receiveLocalCall(call, context);
  if (admitted === null) {
    const code = verdict.lead?.code ?? 'REVIEW_MISSING';
    await context.spool([refusedEntry(call, verdict, code, context)]);
    return { id, code, result: null };
  }
  const ran = await context.gate.call(admitted);
  if (ran.status !== 'DONE' || ran.label === null) return { id, code: ran.code ?? 'REVIEW_MISSING', result: null };
  await memory.absorb(
    [
      {
        id,
        label: ran.label,
        value: ran.result,
        sourcesOf: [ran.sourceOf],
        place: null,
        task: call.task,
      },
    ],
    [],
  );
  return { id, code: null, result: ran.result };
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
