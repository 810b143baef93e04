// SPDX-License-Identifier: Apache-2.0
import { X509Certificate } from 'node:crypto';
import type { Clock } from '../message/clock.ts';
import {
  readCertificate,
  readCertificatesPem,
  spiffeIdOf,
  statesAuthority,
  thumbprintOf,
} from './certificate.ts';
import { keyUsageOf, usages } from './certificate-extensions.ts';
import { certificationPath, type TrustBundle } from './certification-path.ts';
import type { IdentityCode } from './codes.ts';
import type { PeerIdentity } from './credential.ts';
import { IdentityError } from './identity-error.ts';
import { isSoundAuthorityKey, isSoundKey } from './key-algorithm.ts';
import { statementOf } from './svid-statement.ts';
import { anySvidLifetime, isWithinLifetime, type SvidLifetimes } from './svid-lifetime.ts';

type Refusal = { readonly ok: false; readonly code: IdentityCode };

export type PeerVerdict = { readonly ok: true; readonly peer: PeerIdentity } | Refusal;

/** A peer, with the certificates that others need to verify it, too. */
export type ChainVerdict =
  | {
      readonly ok: true;
      readonly peer: PeerIdentity;
      readonly intermediates: readonly X509Certificate[];
    }
  | Refusal;

/** Verifies certificates against one bundle and remembers the peers that it verified. */
export type PeerVerifier = {
  /** Verifies a certificate as it came from TLS or the wire; `above` as for `peerFromCertificate`. */
  readonly verify: (
    certificate: X509Certificate | Uint8Array,
    above?: readonly X509Certificate[],
  ) => PeerVerdict;
  /** Verifies a PEM chain, leaf first. */
  readonly verifyPem: (chainPem: string) => PeerVerdict;
  /** A peer that was verified before and is valid now; null otherwise. */
  readonly byThumbprint: (thumbprint: string) => PeerIdentity | null;
};

const clientAuth = '1.3.6.1.5.5.7.3.2';
const serverAuth = '1.3.6.1.5.5.7.3.1';
/** Identities of a fleet of 10,000 with some overlap while they rotate. */
const rememberedMax = 16_384;

/** Reads the bundle. Throws IDENTITY_BUNDLE_INVALID if it holds anything but authorities. */
export function readTrustBundle(bundlePem: string, trustDomain: string): TrustBundle {
  const authorities = readCertificatesPem(bundlePem);
  if (authorities === null || !authorities.every(isAuthority)) {
    throw new IdentityError('IDENTITY_BUNDLE_INVALID', 'The bundle holds no authority.');
  }
  return { trustDomain, authorities };
}

/**
 * Who a certificate says its holder is: signed by an authority of the bundle, or below one by way of
 * `above`, which came along in order (`certificationPath`); the whole way valid at `nowMs` (milliseconds
 * since 1970); no authority itself, with a key that the mesh signs with, for TLS client and server use,
 * with exactly one SPIFFE id of the trust domain (X509-SVID), for no longer than `lifetimes` grants that
 * identity, whoever issued it.
 */
export function peerFromCertificate(
  certificate: X509Certificate | Uint8Array,
  bundle: TrustBundle,
  nowMs: number,
  lifetimes: SvidLifetimes = anySvidLifetime,
  above: readonly X509Certificate[] = [],
): ChainVerdict {
  const leaf = asCertificate(certificate);
  if (leaf === null) return refuse('IDENTITY_CERTIFICATE_MALFORMED');
  const path = certificationPath(leaf, above, bundle);
  if (!path.ok) return path;
  const notBeforeMs = leaf.validFromDate.getTime();
  const { fromMs, untilMs: expiresAtMs, intermediates } = path;
  if (!(nowMs >= fromMs)) return refuse('IDENTITY_CERTIFICATE_NOT_YET_VALID');
  if (!(nowMs < expiresAtMs)) return refuse('IDENTITY_CERTIFICATE_EXPIRED');
  if (!isLeaf(leaf)) return refuse('IDENTITY_CERTIFICATE_USAGE');
  const id = spiffeIdOf(leaf);
  if (id === null) return refuse('IDENTITY_SPIFFE_ID_INVALID');
  if (id.trustDomain !== bundle.trustDomain) return refuse('IDENTITY_TRUST_DOMAIN_FOREIGN');
  const spanMs = leaf.validToDate.getTime() - notBeforeMs;
  if (!isWithinLifetime(spanMs, lifetimes(id))) return refuse('IDENTITY_LIFETIME_EXCEEDED');
  const reading = statementOf(leaf);
  if (!reading.ok) return refuse('IDENTITY_STATEMENT_INVALID');
  const peer: PeerIdentity = {
    spiffeId: id.text,
    kind: id.kind,
    name: id.name,
    publicKey: leaf.publicKey,
    thumbprint: thumbprintOf(leaf),
    notBeforeMs,
    expiresAtMs,
    lineage: reading.statement?.lineage ?? null,
  };
  return { ok: true, peer, intermediates };
}

/**
 * A verifier that checks each chain once and the validity window every time. What it remembers is
 * bounded; only certificates of the bundle's authorities get in, so a stranger cannot fill it.
 */
export function createPeerVerifier(
  bundle: TrustBundle,
  clock: Clock,
  lifetimes: SvidLifetimes = anySvidLifetime,
): PeerVerifier {
  const remembered = new Map<string, PeerIdentity>();

  function verify(
    certificate: X509Certificate | Uint8Array,
    above: readonly X509Certificate[] = [],
  ): PeerVerdict {
    const leaf = asCertificate(certificate);
    if (leaf === null) return refuse('IDENTITY_CERTIFICATE_MALFORMED');
    const known = byThumbprint(thumbprintOf(leaf));
    if (known !== null) return { ok: true, peer: known };
    const verdict = peerFromCertificate(leaf, bundle, clock.nowMs(), lifetimes, above);
    if (!verdict.ok) return verdict;
    remember(verdict.peer);
    return { ok: true, peer: verdict.peer };
  }

  function verifyPem(chainPem: string): PeerVerdict {
    const [leaf, ...above] = readCertificatesPem(chainPem) ?? [];
    return leaf === undefined ? refuse('IDENTITY_CERTIFICATE_MALFORMED') : verify(leaf, above);
  }

  function byThumbprint(thumbprint: string): PeerIdentity | null {
    const peer = remembered.get(thumbprint);
    if (peer === undefined) return null;
    const nowMs = clock.nowMs();
    if (nowMs >= peer.notBeforeMs && nowMs < peer.expiresAtMs) return peer;
    remembered.delete(thumbprint);
    return null;
  }

  function remember(peer: PeerIdentity): void {
    if (remembered.size >= rememberedMax) {
      const [oldest] = remembered.keys();
      if (oldest !== undefined) remembered.delete(oldest);
    }
    remembered.set(peer.thumbprint, peer);
  }

  return { verify, verifyPem, byThumbprint };
}

function asCertificate(certificate: X509Certificate | Uint8Array): X509Certificate | null {
  return certificate instanceof X509Certificate ? certificate : readCertificate(certificate);
}

function isAuthority(authority: X509Certificate): boolean {
  return authority.ca && isSoundAuthorityKey(authority.publicKey);
}

function isLeaf(leaf: X509Certificate): boolean {
  const purposes: readonly string[] = leaf.keyUsage ?? [];
  const usable = purposes.includes(clientAuth) && purposes.includes(serverAuth);
  // X509-SVID, 4.3: signs, and never certificates.
  const usage = keyUsageOf(leaf) ?? 0;
  const signs = (usage & usages.digitalSignature) !== 0 &&
    (usage & (usages.keyCertSign | usages.cRLSign)) === 0;
  return !statesAuthority(leaf) && usable && signs && isSoundKey(leaf.publicKey);
}

function refuse(code: IdentityCode): Refusal {
  return { ok: false, code };
}
