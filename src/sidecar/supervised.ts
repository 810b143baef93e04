// SPDX-License-Identifier: Apache-2.0
import type { EnvelopeBody } from '../message/envelope.ts';
import { stricter } from '../pace/clamp.ts';
import type { PaceClamp } from '../pace/pace-view.ts';

const key = 'pace';
const value = 'supervised';
/** In the metadata of a request that its sender may make with a person only; stamped by its sidecar. */
export const supervisedMark = { [key]: value } as const;

/** What holds for a request: the executor's own clamp, and that of whoever asks. */
export function clampOfRequest(own: PaceClamp, { metadata }: Pick<EnvelopeBody, 'metadata'>): PaceClamp {
  const isSupervised = Object.hasOwn(metadata, key) && metadata[key] === value;
  return isSupervised ? stricter(own, { phase: 'ALTERNATE', allows: 'supervised' }) : own;
}
