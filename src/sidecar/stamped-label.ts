// SPDX-License-Identifier: Apache-2.0
import { combinedFloor } from '../label/combination.ts';
import { joinLabels, raiseTo } from '../label/label.ts';
import type { Classification, EnvelopeBody, Label } from '../message/envelope.ts';
import type { JsonValue } from '../message/json.ts';
import type { SidecarContext } from './context.ts';

/**
 * The label of what an agent says: a person's own words are the trusted origin, everything else
 * carries what its speaker has read. Never below the domain's classification (`floor`), nor below what
 * the fields of the payload come to together (DP-2.5). The agent has no say in it.
 */
export function stampedLabel(
  source: EnvelopeBody['provenance']['source'],
  read: Label,
  payload: JsonValue,
  floor: Classification,
  { agent, mesh }: SidecarContext,
): Label {
  const own: Label = source === 'user'
    ? { classification: floor, integrity: 'trusted', origins: ['prompt'] }
    : joinLabels(read, { classification: floor, integrity: 'internal', origins: [`agent:${agent.name}`] });
  const combined = combinedFloor(payload, mesh.scanner?.combinations ?? []);
  return combined === null ? own : raiseTo(own, combined);
}
