// SPDX-License-Identifier: Apache-2.0
import { X509Certificate } from 'node:crypto';
import type { Clock } from '../message/clock.ts';
import { readCertificatesPem } from './certificate.ts';
import { intermediatesMax, type TrustBundle } from './certification-path.ts';
import { createPeerVerifier, type PeerVerifier } from './peer.ts';
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

type Presented = { readonly leaf: X509Certificate; readonly above: readonly X509Certificate[] };

export function createReplaceableVerifier(
  bundle: TrustBundle,
  clock: Clock,
  lifetimes?: SvidLifetimes,
): ReplaceableVerifier {
  let current = createPeerVerifier(bundle, clock, lifetimes);
  const known = new Map<string, Presented>();

  const verify: PeerVerifier['verify'] = (certificate, above = []) => {
    const verdict = current.verify(certificate, above);
    if (verdict.ok) remember(verdict.peer.thumbprint, certificate, above);
    return verdict;
  };

  function remember(
    thumbprint: string,
    certificate: X509Certificate | Uint8Array,
    above: Presented['above'],
  ): void {
    if (known.has(thumbprint)) return;
    const [oldest] = known.size >= rememberedMax ? known.keys() : [];
    if (oldest !== undefined) known.delete(oldest);
    const isRead = certificate instanceof X509Certificate;
    const leaf = isRead ? certificate : new X509Certificate(certificate);
    known.set(thumbprint, { leaf, above: above.slice(0, intermediatesMax) });
  }

  return {
    verify,
    verifyPem: (chainPem) => {
      const [leaf, ...above] = readCertificatesPem(chainPem) ?? [];
      return leaf === undefined ? current.verifyPem(chainPem) : verify(leaf, above);
    },
    byThumbprint: (thumbprint) => current.byThumbprint(thumbprint),
    replace: (next) => {
      current = createPeerVerifier(next, clock, lifetimes);
      for (const [thumbprint, { leaf, above }] of known) {
        if (!current.verify(leaf, above).ok) known.delete(thumbprint);
      }
    },
  };
}
