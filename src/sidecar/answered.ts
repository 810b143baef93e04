// SPDX-License-Identifier: Apache-2.0
import { clarificationSchema } from '../message/clarification.ts';
import type { Outgoing } from '../message/envelope.ts';
import type { JsonValue } from '../message/json.ts';
import type { ExpectedAnswer } from '../mesh/expected-answer.ts';
import type { Mesh } from '../mesh/mesh.ts';
import { answerFindings } from '../policy/answer-fit.ts';
import type { Finding } from '../review/verdict.ts';
import type { SidecarStore } from './ports.ts';

/** Schemas that answer some instruction; most meshes declare none, and look no further. */
const answersOf = new WeakMap<Mesh, ReadonlySet<string>>();

/**
 * Whether what an agent is about to say fits what it was asked in the task (EP-07). An answer has to
 * fit the instruction that it replies to; where it names none that asks for an answer, some
 * instruction that its schema answers. What was asked is what this sidecar handed over: the agent
 * has no say in it, and gains nothing by naming no instruction, or another message.
 */
export function fitFindings(
  { schema, type, payload, inReplyTo }: Outgoing,
  inputs: readonly string[],
  mesh: Mesh,
  store: Pick<SidecarStore, 'message'>,
): readonly Finding[] {
  const declared = answersOf.get(mesh) ?? declaredIn(mesh);
  answersOf.set(mesh, declared);
  if (declared.size === 0 || type === 'instruction' || schema === clarificationSchema) return [];
  const replied = inReplyTo !== null && inputs.includes(inReplyTo) ? askedIn(inReplyTo, mesh, store) : null;
  if (replied !== null) return answerFindings(replied.expected, replied.payload, { schema, payload });
  if (!declared.has(schema)) return [];
  let newest: readonly Finding[] | null = null;
  for (const id of inputs.toReversed()) {
    const asked = askedIn(id, mesh, store);
    if (asked?.expected.schemas.includes(schema) !== true) continue;
    const found = answerFindings(asked.expected, asked.payload, { schema, payload });
    if (found.length === 0) return [];
    newest ??= found;
  }
  return newest ?? [];
}

/** The instruction of this id, with what answers it; null for anything that asks for no answer. */
function askedIn(
  id: string,
  { schemas }: Mesh,
  store: Pick<SidecarStore, 'message'>,
): { readonly expected: ExpectedAnswer; readonly payload: JsonValue } | null {
  const body = store.message(id)?.body;
  const expected = body === undefined ? undefined : schemas.get(body.schema)?.answer;
  return body === undefined || expected === undefined ? null : { expected, payload: body.payload };
}

function declaredIn({ schemas }: Mesh): ReadonlySet<string> {
  return new Set([...schemas.values()].flatMap(({ answer }) => answer?.schemas ?? []));
}
