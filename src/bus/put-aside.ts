// SPDX-License-Identifier: Apache-2.0
import type { EntryDraft } from '../recorder/entry.ts';
import type { NodeFrame } from '../wire/frame.ts';
import type { Refusal } from './admission-entries.ts';

/** What was found to follow from what a judge refused late, or an operator put aside. */
export type PutAsidePort = {
  /** Told on every connection: a sidecar that was away heard nothing of it. */
  readonly putAside: (agent: string) => readonly string[];
  /** Runs of agents that were given what was put aside; each sidecar knows its own. */
  readonly runsAside: () => readonly string[];
  /** Such a message still waits here for its recipient, and is not handed over any more. */
  readonly isPutAside: (agent: string, message: string) => boolean;
};

/**
 * A run that was given what was put aside says nothing more: also not what it had said, and what waited in
 * its sidecar for a line. Which run speaks is the word of that sidecar.
 */
export function runRefusal(
  { detail }: Pick<EntryDraft, 'detail'>,
  { isRunAside }: { readonly isRunAside: (run: string) => boolean },
): Refusal | null {
  const { incarnation } = detail;
  const isAside = typeof incarnation === 'string' && isRunAside(incarnation);
  return isAside ? { code: 'BUS_RUN_QUARANTINED', drop: false } : null;
}

const perFrame = 1_000;

/** All that one agent's sidecar has to know before it says or is told anything else. */
export function framesFor(agent: string, port: PutAsidePort): ReturnType<typeof quarantineFrames> {
  return quarantineFrames(port.putAside(agent), port.runsAside());
}

/** Ids of messages and of runs in as many frames as they need. */
export function quarantineFrames(
  messages: readonly string[],
  incarnations: readonly string[],
): readonly Extract<NodeFrame, { kind: 'quarantine' }>[] {
  const frames: Extract<NodeFrame, { kind: 'quarantine' }>[] = [];
  for (let at = 0; at < Math.max(messages.length, incarnations.length); at += perFrame) {
    const cut = (ids: readonly string[]): readonly string[] => ids.slice(at, at + perFrame);
    frames.push({ kind: 'quarantine', messages: cut(messages), incarnations: cut(incarnations) });
  }
  return frames;
}
