// SPDX-License-Identifier: Apache-2.0
import type { PeerIdentity } from '../identity/credential.ts';
import { leaseMsDefault, type LeaseGrant } from '../identity/lease.ts';
import type { RevocationView } from '../identity/revocation.ts';
import type { Mesh } from '../mesh/mesh.ts';
import type { Clock } from '../message/clock.ts';
import type { PaceClamp, PaceView } from '../pace/pace-view.ts';
import type { StoppedCall } from '../pace/stopped-call.ts';
import type { SidecarFrame } from '../wire/frame.ts';
import { Accounts } from './accounts.ts';
import type { Line } from './control-port.ts';

/** PACE as the bus needs it. */
export type BusPace = PaceView & {
  readonly version: number;
  /** False while HIGH and CRITICAL have to wait for a silent observer. */
  readonly privileged: () => boolean;
  /** The observer's newest statement; null where there is none. */
  readonly consent: () => string | null;
  /** Asked before every lease: true while an order that nobody has read yet lies at the door. */
  readonly orderWaits: () => boolean;
};

/** Who signs leases, and who hears what became of a clamp. */
export type LeasePort = {
  readonly signLease: (grant: LeaseGrant) => {
    readonly signed: string;
    readonly thumbprint: string;
    readonly chainPem: string;
  };
  readonly clamped: (
    agent: string,
    paceVersion: number,
    busy: boolean,
    calls: readonly StoppedCall[],
  ) => void;
};

export type LeaseContext = {
  readonly mesh: Mesh;
  readonly policy: { readonly version: number };
  readonly clock: Clock;
  readonly pace: BusPace;
  readonly revocations: RevocationView;
  readonly control: LeasePort & { readonly boot: string };
};

/** The leases of one sidecar: short, signed, for what holds at the node right now. */
export class LineLeases {
  /** End of the last one, milliseconds since 1970. */
  untilMs = 0;
  /** Deliveries of this line; leases tell the sidecar how many of them are on record. */
  readonly accounts = new Accounts();
  readonly #peer: PeerIdentity;
  readonly #line: Line;
  readonly #context: LeaseContext;
  #told: PaceClamp | null = null;
  #chainSent: string | null = null;

  constructor(peer: PeerIdentity, line: Line, context: LeaseContext) {
    this.#peer = peer;
    this.#line = line;
    this.#context = context;
  }

  /** Only for the version in force: a sidecar that lags behind does nothing. */
  answer({ number, policyVersion, nonce }: Omit<Extract<SidecarFrame, { kind: 'lease' }>, 'kind'>): void {
    const { policy, pace, clock } = this.#context;
    const clamp = pace.clamp(this.#peer.name);
    const granted = policyVersion === policy.version && clamp.allows !== 'nothing' && !pace.orderWaits();
    const durationMs = granted ? leaseMsDefault : 0;
    this.untilMs = clock.nowMs() + durationMs;
    this.#send(number, clamp, nonce, durationMs);
  }

  /** PACE changed: whoever is concerned hears of it at once, and without asking. */
  paceChanged(): void {
    const clamp = this.#context.pace.clamp(this.#peer.name);
    if (clamp.allows === 'nothing') this.untilMs = 0;
    this.#send(0, clamp, null, 0);
  }

  /** True when this clamp is another one than the sidecar was told last. */
  isNews(clamp: PaceClamp): boolean {
    return JSON.stringify(clamp) !== JSON.stringify(this.#told);
  }

  #send(number: number, clamp: PaceClamp, nonce: string | null, durationMs: number): void {
    const { mesh, policy, pace, revocations, control } = this.#context;
    const { signed, thumbprint, chainPem } = control.signLease({
      boot: control.boot,
      holder: this.#peer.spiffeId,
      nonce,
      meshDigest: mesh.digest,
      policyVersion: policy.version,
      revocationVersion: revocations.version,
      paceVersion: pace.version,
      clamp: { phase: clamp.phase, allows: clamp.allows, draining: clamp.draining === true },
      privileged: pace.privileged(),
      consent: pace.consent(),
      durationMs,
    });
    const chain = thumbprint === this.#chainSent ? null : chainPem;
    this.#chainSent = thumbprint;
    this.#told = clamp;
    this.#line.send({ kind: 'lease', number, signed, chain, accounts: this.accounts.count });
  }
}
