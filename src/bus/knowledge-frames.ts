// SPDX-License-Identifier: Apache-2.0
import type { PeerIdentity } from '../identity/credential.ts';
import type { KnowledgeAnswer, KnowledgeAsk } from '../knowledge/asks.ts';
import type { SidecarFrame } from '../wire/frame.ts';
import type { AdmitContext } from './admit.ts';
import type { Line } from './control-port.ts';
import type { KeyContext } from './key-frames.ts';

/** What answers queries and keeps entries; the node implements it. */
export type KnowledgeFramePort = {
  /** Rejects where store, keys or recorder fail: nothing was given or kept. */
  readonly knowledge: (peer: PeerIdentity, ask: KnowledgeAsk) => Promise<KnowledgeAnswer>;
};

type Context = Pick<KeyContext, 'keyRates'> & Pick<AdmitContext, 'clock'> & {
  readonly pace: { readonly clamp: (agent: string) => { readonly allows: string } };
  readonly control: KnowledgeFramePort;
};

/** One read or write of the agent that the certificate names; it can ask for nobody else. */
export function onKnowledgeFrame(
  { number, ask }: Extract<SidecarFrame, { kind: 'knowledge' }>,
  peer: PeerIdentity,
  line: Line,
  { keyRates, clock, pace, control }: Context,
): void {
  const refuse = (code: string): void => line.send({ kind: 'refused', number, code });
  if (!keyRates.take(`${peer.name} knowledge`, clock.nowMs())) return refuse('BUS_RATE_LIMITED');
  if (pace.clamp(peer.name).allows === 'nothing') return refuse('PACE_STOPPED');
  control.knowledge(peer, ask).then(
    (answer) => {
      if (answer.ok) line.send({ kind: 'known', number, items: answer.items });
      else refuse(answer.code);
    },
    () => refuse('KNOWLEDGE_UNAVAILABLE'),
  );
}
