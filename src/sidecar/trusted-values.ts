// SPDX-License-Identifier: Apache-2.0
import { actionValidMs } from '../bounds/ask.ts';
import { ValueIndex } from '../label/value-index.ts';
import type { ActionManifest } from '../mesh/mesh.ts';
import type { EnvelopeBody } from '../message/envelope.ts';
import type { SidecarContext } from './context.ts';
import { admitRead } from './inbound.ts';
import { ownRefusal, senderRefusal } from './standing.ts';

/**
 * Values that the executor's own tool vouches for (`from: [bank.verified_payees.name]`), read afresh
 * through the gate for this request. A read that fails vouches for nothing.
 */
export async function trustedValues(
  manifest: ActionManifest | null,
  body: EnvelopeBody,
  context: SidecarContext,
): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const found = new Map<string, Set<string>>();
  if ((ownRefusal(context) ?? senderRefusal(body, context.revocations)) !== null) return found;
  const wanted = new Set<string>();
  for (const parameter of manifest?.sensitive.values() ?? []) {
    for (const source of parameter.from) if (source.includes('.')) wanted.add(source);
  }
  const operations = new Set([...wanted].map((source) => source.split('.').slice(0, 2).join('.')));
  for (const name of operations) {
    const [tool = '', operation = ''] = name.split('.');
    const declared = context.mesh.tools.get(tool)?.operations.get(operation);
    if (!context.agent.tools.includes(tool) || declared === undefined || declared.write) continue;
    const call = {
      id: `${body.id}.${name}`,
      tool,
      operation,
      arguments: {},
      idempotencyKey: `${body.id}.${name}.${context.clock.nowMs()}`,
      task: body.task,
    };
    // Answered within the request, or its values count for nothing.
    const beginBeforeMs = context.clock.nowMs() + actionValidMs;
    const ran = await context.gate.call(admitRead(call, beginBeforeMs, context));
    if (ran.status !== 'DONE') continue;
    for (const { value, source } of new ValueIndex().indexValues(ran.result, ran.sourceOf)) {
      if (wanted.has(source)) found.set(source, (found.get(source) ?? new Set()).add(value));
    }
  }
  return found;
}
