// SPDX-License-Identifier: Apache-2.0
import type { PeerIdentity } from '../identity/credential.ts';
import type { NodeFrame, SidecarFrame } from '../wire/frame.ts';
import type { ControlPort } from './control-port.ts';

/** Answers a sidecar that asks for its next certificate. */
export async function answerRenewal(
  { number, csr }: Extract<SidecarFrame, { kind: 'renew' }>,
  peer: PeerIdentity,
  control: Pick<ControlPort, 'renew'>,
): Promise<NodeFrame> {
  const refused: NodeFrame = { kind: 'refused', number, code: 'CONTROL_RENEWAL_REFUSED' };
  try {
    const chain = await control.renew(peer, csr);
    return chain === null ? refused : { kind: 'renewed', number, chain };
  } catch {
    // Nothing was issued; the sidecar goes on under what it has, and asks again.
    return refused;
  }
}
