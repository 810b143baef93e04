// SPDX-License-Identifier: Apache-2.0
import type { PeerIdentity } from '../identity/credential.ts';
import type { ChangeRequest, NodeFrame, SidecarFrame } from '../wire/frame.ts';
import { answerSpawn, type SpawnPort } from './spawned.ts';

/** What only an agent with a right of its own may ask for, and the end of what it was given. */
export type OrchestratorFrame = Extract<SidecarFrame, { kind: 'spawn' | 'end-child' | 'change' }>;

/** True where a right is used, which PACE may stop; ending children never is one. */
export function isRight({ kind }: SidecarFrame): boolean {
  return kind === 'spawn' || kind === 'change';
}

export function answerOrchestrator(
  frame: OrchestratorFrame,
  agent: PeerIdentity,
  port: SpawnPort & ChangePort,
): Promise<NodeFrame> {
  return frame.kind === 'change' ? answerChange(frame, agent, port) : answerSpawn(frame, agent, port);
}

type ChangedFrame = Extract<NodeFrame, { kind: 'changed' }>;

/** What the control plane does for orchestrators that change workflows; `node` implements it. */
export type ChangePort = {
  readonly changeWorkflow: (
    agent: PeerIdentity,
    request: ChangeRequest,
  ) => Promise<Omit<ChangedFrame, 'kind' | 'number'> | { readonly code: string }>;
};

/** Answers one proposal. What is refused leaves the line up. */
async function answerChange(
  { number, request }: Extract<SidecarFrame, { kind: 'change' }>,
  agent: PeerIdentity,
  port: ChangePort,
): Promise<NodeFrame> {
  try {
    const answer = await port.changeWorkflow(agent, request);
    if ('code' in answer) return { kind: 'refused', number, code: answer.code };
    return { kind: 'changed', number, ...answer };
  } catch {
    // The disk or the recorder failed: whatever took effect is told when it asks again.
    return { kind: 'refused', number, code: 'BUS_UNAVAILABLE' };
  }
}
