// SPDX-License-Identifier: Apache-2.0
import type { NodeFrame } from '../wire/frame.ts';

/** What of an agent's messages was found to follow from one that a judge refused late. */
export type PutAsidePort = {
  /** Told on every connection: a sidecar that was away heard nothing of it. */
  readonly putAside: (agent: string) => readonly string[];
  /** Such a message still waits here for its recipient, and is not handed over any more. */
  readonly isPutAside: (agent: string, message: string) => boolean;
};

const messagesPerFrame = 1_000;

/** Ids in as many frames as they need. */
export function quarantineFrames(
  messages: readonly string[],
): readonly Extract<NodeFrame, { kind: 'quarantine' }>[] {
  const frames: Extract<NodeFrame, { kind: 'quarantine' }>[] = [];
  for (let at = 0; at < messages.length; at += messagesPerFrame) {
    frames.push({ kind: 'quarantine', messages: messages.slice(at, at + messagesPerFrame), incarnations: [] });
  }
  return frames;
}
