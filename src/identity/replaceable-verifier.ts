// SPDX-License-Identifier: Apache-2.0
import { X509Certificate } from 'node:crypto';
import type { Clock } from '../message/clock.ts';
import { readCertificatesPem } from './certificate.ts';
import { createPeerVerifier, type PeerVerifier, type TrustBundle } from './peer.ts';
import type { SvidLifetimes } from './svid-lifetime.ts';

/** A verifier whose bundle can be replaced while messages are on their way. */
export type ReplaceableVerifier = PeerVerifier & {
  /**
   * Trusts this bundle from now on. Peers that were verified before stay known where the new bundle
   * vouches for them too; all others are forgotten at once.
   */
  readonly replace: (bundle: TrustBundle) => void;
};

const rememberedMax = 16_384;

export function createReplaceableVerifier(
  bundle: TrustBundle,
  clock: Clock,
  lifetimes?: SvidLifetimes,
): ReplaceableVerifier {
  let current = createPeerVerifier(bundle, clock, lifetimes);
  const known = new Map<string, X509Certificate>();

  function verify(certificate: X509Certificate | Uint8Array): ReturnType<PeerVerifier['verify']> {
    const verdict = current.verify(certificate);
    if (verdict.ok) remember(verdict.peer.thumbprint, certificate);
    return verdict;
  }

  function remember(thumbprint: string, certificate: X509Certificate | Uint8Array): void {
    if (known.has(thumbprint)) return;
    const [oldest] = known.size >= rememberedMax ? known.keys() : [];
    if (oldest !== undefined) known.delete(oldest);
    const isRead = certificate instanceof X509Certificate;
    known.set(thumbprint, isRead ? certificate : new X509Certificate(certificate));
  }

  return {
    verify,
    verifyPem: (chainPem) => {
      const chain = readCertificatesPem(chainPem);
      return chain === null ? current.verifyPem(chainPem) : verify(chain[0]);
    },
    byThumbprint: (thumbprint) => current.byThumbprint(thumbprint),
    replace: (next) => {
      current = createPeerVerifier(next, clock, lifetimes);
      for (const [thumbprint, certificate] of known) {
        if (!current.verify(certificate).ok) known.delete(thumbprint);
      }
    },
  };
}
