// SPDX-License-Identifier: Apache-2.0
import { asksForWrite } from '../mesh/asks-for-write.ts';
import type { EnvelopeBody, Outgoing } from '../message/envelope.ts';
import { stricter } from '../pace/clamp.ts';
import type { PaceClamp } from '../pace/pace-view.ts';
import type { SidecarContext } from './context.ts';

const key = 'pace';
const value = 'supervised';
/** In the metadata of a request that its sender may make with a person only; stamped by its sidecar. */
const supervisedMark = { [key]: value } as const;

/** What holds for a request: the executor's own clamp, and that of whoever asks. */
export function clampOfRequest(own: PaceClamp, { metadata }: Pick<EnvelopeBody, 'metadata'>): PaceClamp {
  const isSupervised = Object.hasOwn(metadata, key) && metadata[key] === value;
  return isSupervised ? stricter(own, { phase: 'ALTERNATE', allows: 'supervised' }) : own;
}

/**
 * A write that a supervised agent asks for is held for people wherever it is done: its executor may belong to
 * another workflow, which knows nothing of it. An agent that writes the mark itself only has itself supervised.
 */
export function withSupervision(
  outgoing: Outgoing,
  { pace, agent, mesh }: SidecarContext,
): Outgoing['metadata'] {
  if (pace.clamp(agent.name).allows !== 'supervised' || !asksForWrite(outgoing, mesh)) return outgoing.metadata;
  return { ...outgoing.metadata, ...supervisedMark };
}
