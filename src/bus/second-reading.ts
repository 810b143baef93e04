// SPDX-License-Identifier: Apache-2.0
import { answersInTime, type FirewallTiming } from '../firewall/answers.ts';
import type { Channel, InjectionModel } from '../firewall/injection-model.ts';
import { textsToRead } from '../firewall/texts-to-read.ts';
import { carriesInstructions, mayAssign } from '../mesh/assignment.ts';
import { edgesBetween } from '../mesh/edge-index.ts';
import type { Mesh } from '../mesh/mesh.ts';
import { textsBeside } from '../message/beside-payload.ts';
import type { EnvelopeBody } from '../message/envelope.ts';
import { textsOf } from '../scanner/structure.ts';

export type SecondReader = { readonly model: InjectionModel; readonly timing?: FirewallTiming };

/** What the model at the bus thinks of a message, 0 to 1; null where there is no model. */
export type SecondReading = { readonly probability: number | null; readonly unread: boolean };

const unconfigured: SecondReading = { probability: null, unread: false };
/** Configured and without an answer: that is a doubt, and refuses nothing by itself. */
const unread: SecondReading = { probability: null, unread: true };

/**
 * The second classifier of the contagion monitor: the model of the sidecars, asked apart from them
 * and with what no sidecar knows of both ends. An order is ordinary between two agents of which one
 * may instruct the other; in `data`, in a `claim`, or from somebody who may not, it is read like an
 * order in the result of a tool. It feeds the monitor and refuses nothing alone.
 */
export async function readAgain(
  body: EnvelopeBody,
  mesh: Mesh,
  { model, timing }: SecondReader,
): Promise<SecondReading> {
  if (!model.configured || body.label.integrity !== 'untrusted') return unconfigured;
  const texts = textsToRead([body.payload, ...Object.values(textsBeside(body) ?? {})].flatMap(textsOf));
  if (texts.length === 0) return unconfigured;
  if (timing === undefined) return unread;
  const channel = channelOf(body, mesh);
  const answers = await answersInTime({ model, texts, channel }, timing, mesh.firewall.timeoutMs);
  if (answers.late) return unread;
  let probability = 0;
  for (const answer of answers.value) {
    // A model that breaks its contract said nothing.
    if (answer?.status !== 'ok' || !(answer.probability >= 0 && answer.probability <= 1)) return unread;
    probability = Math.max(probability, answer.probability);
  }
  return { probability, unread: false };
}

function channelOf({ type, from, to }: EnvelopeBody, mesh: Mesh): Channel {
  const mayInstruct = mayAssign(mesh, from, to) &&
    edgesBetween(mesh, from, to).some((edge) => carriesInstructions(mesh, edge));
  return type === 'instruction' && mayInstruct ? 'agent_message' : 'tool_result';
}
