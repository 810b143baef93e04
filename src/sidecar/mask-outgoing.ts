// SPDX-License-Identifier: Apache-2.0
import { actionRequestSchema } from '../message/action-request.ts';
import { textsBeside, withTextsBeside } from '../message/beside-payload.ts';
import type { Epistemic, Outgoing } from '../message/envelope.ts';
import type { SidecarContext } from './context.ts';

export type MaskedOutgoing = {
  readonly outgoing: Outgoing;
  /** As it is stamped; `outgoing` keeps what the agent said of it, which its own policies go by. */
  readonly epistemic: Epistemic | null;
  readonly masked: number;
  readonly isUnfinished: boolean;
};

/**
 * Personal data that the policy of the classification redacts or tokenises is replaced before the
 * review and the signature: what is signed, recorded and delivered is one and the same. A request for
 * an action is never rewritten, since that would make it another request; there the scanner asks a
 * person. What stands beside its payload is rewritten, as beside any other.
 */
export function maskOutgoing(
  outgoing: Outgoing,
  epistemic: Epistemic | null,
  domain: string | null,
  { mesh, scanner }: SidecarContext,
): MaskedOutgoing {
  const classification = mesh.domains.get(domain ?? '')?.classification;
  if (classification === undefined) return { outgoing, epistemic, masked: 0, isUnfinished: false };
  const isRequest = outgoing.schema === actionRequestSchema;
  const payload = isRequest ? null : scanner.mask(outgoing.payload, classification);
  const { metadata } = outgoing;
  const said = textsBeside({ metadata, epistemic });
  const beside = said === null ? null : scanner.mask(said, classification);
  const texts = beside === null || beside.count === 0
    ? { metadata, epistemic } : withTextsBeside({ metadata, epistemic }, beside.value);
  const isSame = (payload?.count ?? 0) === 0 && texts.metadata === metadata;
  return {
    outgoing: isSame ? outgoing
      : { ...outgoing, metadata: texts.metadata, payload: payload?.value ?? outgoing.payload },
    epistemic: texts.epistemic,
    masked: (payload?.count ?? 0) + (beside?.count ?? 0),
    isUnfinished: payload?.isUnfinished === true || beside?.isUnfinished === true,
  };
}
