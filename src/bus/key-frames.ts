// SPDX-License-Identifier: Apache-2.0
import type { PeerIdentity } from '../identity/credential.ts';
import { flowsTo } from '../label/label.ts';
import { edgesBetween } from '../mesh/edge-index.ts';
import { exchangeRefusal } from '../protection/exchange.ts';
import type { BoundTo, EnforcementKeys } from '../protection/enforcement-keys.ts';
import { verifyReleaseRequest } from '../protection/release.ts';
import type { TokenBuckets } from '../scanner/rate.ts';
import type { SidecarFrame } from '../wire/frame.ts';
import type { AdmitContext } from './admit.ts';
import type { Line } from './control-port.ts';

export type KeyContext = {
  /** Null where no domain of this node can be sealed. */
  readonly keys: Pick<EnforcementKeys, 'publicKey' | 'release'> | null;
  /** Requests of one sidecar for data keys; each costs a signature and an HPKE seal. */
  readonly keyRates: TokenBuckets;
};

type Context = KeyContext &
  Pick<AdmitContext, 'mesh' | 'clock' | 'pace' | 'attestor' | 'protection' | 'revocations'>;

/** What a sidecar asks about keys; answered at most at its rate. */
export function onKeyFrame(
  frame: Extract<SidecarFrame, { kind: 'bus-key' | 'release' }>,
  peer: PeerIdentity,
  line: Line,
  context: Context,
): void {
  const { number } = frame;
  const refuse = (code: string): void => line.send({ kind: 'refused', number, code });
  const { keys, keyRates, clock } = context;
  if (keys === null) return refuse('PROTECTION_TIER_UNAVAILABLE');
  if (!keyRates.take(peer.name, clock.nowMs())) return refuse('BUS_RATE_LIMITED');
  if (frame.kind === 'bus-key') {
    keys.publicKey().then(
      (publicKey) => line.send({ kind: 'bus-key', number, publicKey }),
      () => refuse('PROTECTION_UNAVAILABLE'),
    );
    return;
  }
  const request = verifyReleaseRequest(frame.signed, peer);
  const ageMs = request === null ? Number.NaN : Math.abs(clock.nowMs() - request.at);
  if (request === null || !(ageMs <= context.mesh.limits.clockSkewMs)) {
    return refuse('PROTECTION_RELEASE_FORGED');
  }
  keys.release(request, (bound) => releaseRefusal(bound, peer, context)).then(
    (released) => {
      if (released.ok) line.send({ kind: 'released', number, ...released.release });
      else refuse(released.code);
    },
    () => refuse('PROTECTION_UNAVAILABLE'),
  );
}

/** Whether this exchange would be let through now: what was allowed when it was sealed is over. */
export function releaseRefusal(
  bound: BoundTo,
  peer: PeerIdentity,
  { mesh, clock, pace, attestor, protection, revocations }: Omit<Context, keyof KeyContext>,
): string | null {
  if (revocations.isRevoked(peer)) return 'IDENTITY_REVOKED';
  if (revocations.isSenderRevoked(bound.from, bound.instance)) return 'IDENTITY_REVOKED';
  if (pace.clamp(peer.name).allows === 'nothing') return 'PACE_STOPPED';
  const from = mesh.agents.get(bound.from);
  const to = mesh.agents.get(bound.to);
  const isBound = peer.name === bound.to && to !== undefined && bound.roles.includes(to.role);
  if (from === undefined || !isBound) return 'PROTECTION_RELEASE_DENIED';
  const exchange = {
    credential: { issuedAtMs: peer.notBeforeMs, expiresAtMs: peer.expiresAtMs },
    roles: [from.role, to.role],
    attested: () => attestor.attested(peer),
  };
  const refusal = exchangeRefusal(
    mesh.domains.get(bound.domain), exchange, clock.nowMs(), protection,
  );
  if (refusal !== null) return refusal.code;
  const isLinked = [
    ...edgesBetween(mesh, bound.from, bound.to), ...edgesBetween(mesh, bound.to, bound.from),
  ].some((edge) => edge.domain === bound.domain);
  if (!isLinked) return 'BUS_EDGE_DENIED';
  return flowsTo(bound.classification, to.clearance) ? null : 'BUS_CLEARANCE_EXCEEDED';
}
