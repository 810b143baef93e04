// SPDX-License-Identifier: Apache-2.0
import { X509Certificate } from 'node:crypto';
import type { Clock } from '../message/clock.ts';
import {
  readCertificate,
  readCertificatesPem,
  isSignedSoundly,
  spiffeIdOf,
  statesAuthority,
  thumbprintOf,
} from './certificate.ts';
import type { IdentityCode } from './codes.ts';
import type { PeerIdentity } from './credential.ts';
import { IdentityError } from './identity-error.ts';
import { isSoundAuthorityKey, isSoundKey } from './key-algorithm.ts';
import { statementOf } from './svid-statement.ts';
import { anySvidLifetime, isWithinLifetime, type SvidLifetimes } from './svid-lifetime.ts';

/** The authorities whose signature makes a peer, and the one trust domain they speak for. */
export type TrustBundle = {
  readonly trustDomain: string;
  readonly authorities: readonly X509Certificate[];
};

export type PeerVerdict =
  | { readonly ok: true; readonly peer: PeerIdentity }
  | { readonly ok: false; readonly code: IdentityCode };

/** Verifies certificates against one bundle and remembers the peers that it verified. */
export type PeerVerifier = {
  /** Verifies a certificate as it came from TLS or the wire. */
  readonly verify: (certificate: X509Certificate | Uint8Array) => PeerVerdict;
  /** Verifies the leaf of a PEM chain. */
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
 * Who a certificate says its holder is: signed directly by an authority of the bundle, valid at
 * `nowMs` (milliseconds since 1970), no authority itself, with a key that the mesh signs with, for TLS
 * client and server use, with exactly one SPIFFE id of the trust domain (X509-SVID), for no longer than `lifetimes` grants
 * that identity, whoever issued it. Intermediates are not followed.
 */
export function peerFromCertificate(
  certificate: X509Certificate | Uint8Array,
  bundle: TrustBundle,
  nowMs: number,
  lifetimes: SvidLifetimes = anySvidLifetime,
): PeerVerdict {
  const leaf = asCertificate(certificate);
  if (leaf === null) return refuse('IDENTITY_CERTIFICATE_MALFORMED');
  const authority = bundle.authorities.find((candidate) => isIssuer(candidate, leaf));
  if (authority === undefined) return refuse('IDENTITY_CERTIFICATE_UNTRUSTED');
  const notBeforeMs = leaf.validFromDate.getTime();
  const from = Math.max(notBeforeMs, authority.validFromDate.getTime());
  const expiresAtMs = Math.min(leaf.validToDate.getTime(), authority.validToDate.getTime());
  if (!(nowMs >= from)) return refuse('IDENTITY_CERTIFICATE_NOT_YET_VALID');
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
  return { ok: true, peer };
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

  function verify(certificate: X509Certificate | Uint8Array): PeerVerdict {
    const leaf = asCertificate(certificate);
    if (leaf === null) return refuse('IDENTITY_CERTIFICATE_MALFORMED');
    const known = byThumbprint(thumbprintOf(leaf));
    if (known !== null) return { ok: true, peer: known };
    const verdict = peerFromCertificate(leaf, bundle, clock.nowMs(), lifetimes);
    if (verdict.ok) remember(verdict.peer);
    return verdict;
  }

  function verifyPem(chainPem: string): PeerVerdict {
    const chain = readCertificatesPem(chainPem);
    return chain === null ? refuse('IDENTITY_CERTIFICATE_MALFORMED') : verify(chain[0]);
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

/** The subject alone proves nothing: an impostor can bear it, so the signature decides. */
function isIssuer(authority: X509Certificate, leaf: X509Certificate): boolean {
  try {
    const issued = leaf.checkIssued(authority) && isSignedSoundly(leaf);
    return issued && leaf.verify(authority.publicKey);
  } catch {
    // A signature algorithm that the authority's key cannot have made.
    return false;
  }
}

function isLeaf(leaf: X509Certificate): boolean {
  const usages: readonly string[] = leaf.keyUsage ?? [];
  const usable = usages.includes(clientAuth) && usages.includes(serverAuth);
  return !statesAuthority(leaf) && usable && isSoundKey(leaf.publicKey);
}

function refuse(code: IdentityCode): { readonly ok: false; readonly code: IdentityCode } {
  return { ok: false, code };
}
