// SPDX-License-Identifier: Apache-2.0
import type { X509Certificate } from 'node:crypto';
import {
  extensionsOf,
  keyUsageOf,
  oids,
  usages,
  type CertificateExtension,
} from './certificate-extensions.ts';
import { isSignedSoundly, statesAuthority } from './certificate.ts';
import type { IdentityCode } from './codes.ts';
import { readDer, readDerAll } from './der.ts';
import { isSoundAuthorityKey } from './key-algorithm.ts';

/** The authorities whose signature makes a peer, and the one trust domain they speak for. */
export type TrustBundle = {
  readonly trustDomain: string;
  readonly authorities: readonly X509Certificate[];
};

/** Between an SVID and an authority of the bundle; nested SPIRE below a company's root needs two. */
export const intermediatesMax = 3;

/** The way from an SVID up to an authority of the bundle. */
export type CertificationPath =
  | {
      readonly ok: true;
      /** Those that were needed, in order. */
      readonly intermediates: readonly X509Certificate[];
      /** When all of them, leaf and authority included, are valid; milliseconds since 1970. */
      readonly fromMs: number;
      readonly untilMs: number;
    }
  | { readonly ok: false; readonly code: IdentityCode };

/** What is understood here; any other critical extension could forbid what is about to be believed. */
const understood: ReadonlySet<string> = new Set([
  oids.basicConstraints, oids.keyUsage, oids.subjectAltName, oids.extendedKeyUsage,
]);
const anyPurpose = '2.5.29.37.0';
const bothEnds = ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2'];
const integerTag = 0x02;

/**
 * Follows `above`, which stands in order, from the leaf to the first authority of the bundle. Each
 * signs the one before it and is fit to (RFC 5280, 6.1; X509-SVID, 4 and 5.1): an authority that may
 * sign certificates, with a sound key, within its path length, for TLS if it says what for, without
 * constraints on names and without critical extensions that are not understood here. A name in it is
 * the trust domain's own, and the one that signs the SVID has that name: a company's root in the
 * bundle vouches for many authorities, and only those of this domain may speak for it. The attacker
 * chooses all of `above`; at most `intermediatesMax` of it are looked at. Times are told, not judged.
 */
export function certificationPath(
  leaf: X509Certificate,
  above: readonly X509Certificate[],
  bundle: TrustBundle,
): CertificationPath {
  const intermediates: X509Certificate[] = [];
  let lowest = leaf;
  for (;;) {
    const signed = lowest;
    const authority = bundle.authorities.find((candidate) => isIssuer(candidate, signed));
    if (authority !== undefined) {
      const code = signingRefusal(authority, intermediates.length);
      return code === null ? pathOf([leaf, ...intermediates, authority]) : { ok: false, code };
    }
    const next = above[intermediates.length];
    if (next === undefined) return { ok: false, code: 'IDENTITY_CERTIFICATE_UNTRUSTED' };
    if (intermediates.length >= intermediatesMax) {
      return { ok: false, code: 'IDENTITY_CHAIN_TOO_LONG' };
    }
    const code = linkRefusal(next, signed, intermediates.length, bundle.trustDomain);
    if (code !== null) return { ok: false, code };
    intermediates.push(next);
    lowest = next;
  }
}

function pathOf(whole: readonly X509Certificate[]): CertificationPath {
  return {
    ok: true,
    intermediates: whole.slice(1, -1),
    fromMs: Math.max(...whole.map(({ validFromDate }) => validFromDate.getTime())),
    untilMs: Math.min(...whole.map(({ validToDate }) => validToDate.getTime())),
  };
}

/** The subject alone proves nothing: an impostor can bear it, so the signature decides. */
function isIssuer(issuer: X509Certificate, signed: X509Certificate): boolean {
  return isSignedBy(issuer, signed) && signed.checkIssued(issuer);
}

function isSignedBy(issuer: X509Certificate, signed: X509Certificate): boolean {
  try {
    const named = signed.issuer === issuer.subject && isSignedSoundly(signed);
    return named && signed.verify(issuer.publicKey);
  } catch {
    // A signature algorithm that the issuer's key cannot have made.
    return false;
  }
}

/** Why an intermediate may not stand right above what it signed; null when it may. */
function linkRefusal(
  issuer: X509Certificate,
  signed: X509Certificate,
  below: number,
  trustDomain: string,
): IdentityCode | null {
  if (!isSignedBy(issuer, signed)) return 'IDENTITY_CERTIFICATE_UNTRUSTED';
  const signs = ((keyUsageOf(issuer) ?? 0) & usages.keyCertSign) !== 0;
  const sound = signs && statesAuthority(issuer);
  if (!sound || !isSoundAuthorityKey(issuer.publicKey)) return 'IDENTITY_ISSUER_REFUSED';
  return nameRefusal(issuer, below === 0, trustDomain) ?? signingRefusal(issuer, below);
}

/** What holds for authorities of the bundle, too; `below` counts the intermediates under it. */
function signingRefusal(issuer: X509Certificate, below: number): IdentityCode | null {
  const extensions = extensionsOf(issuer.raw);
  if (extensions === null || !issuer.ca) return 'IDENTITY_ISSUER_REFUSED';
  const foreign = extensions.some((one) => isOf(one, oids.nameConstraints) ||
    (one.critical && !understood.has(one.oid.toString('hex'))));
  const twice = new Set(extensions.map(({ oid }) => oid.toString('hex'))).size < extensions.length;
  if (foreign || twice || !isForTls(issuer)) return 'IDENTITY_ISSUER_REFUSED';
  const constraints = extensions.find((one) => isOf(one, oids.basicConstraints));
  const most = constraints === undefined ? null : pathLengthOf(constraints);
  return most === null || below <= most ? null : 'IDENTITY_PATH_LENGTH_EXCEEDED';
}

/** `URI:` of Node's text form; a name with a comma or a quote is quoted there, and refused here. */
function nameRefusal(
  issuer: X509Certificate,
  signsSvid: boolean,
  trustDomain: string,
): IdentityCode | null {
  const names = (issuer.subjectAltName ?? '').split(', ').filter((name) => name.includes('URI:'));
  const [name, ...more] = names;
  if (name === undefined) return signsSvid ? 'IDENTITY_ISSUER_REFUSED' : null;
  if (more.length > 0) return 'IDENTITY_ISSUER_REFUSED';
  if (name === `URI:spiffe://${trustDomain}`) return null;
  const other = /^URI:spiffe:\/\/[a-z0-9._-]{1,255}$/.test(name);
  return other ? 'IDENTITY_TRUST_DOMAIN_FOREIGN' : 'IDENTITY_ISSUER_REFUSED';
}

/** An authority that says what its certificates are for has to say both ends of TLS. */
function isForTls(issuer: X509Certificate): boolean {
  const purposes: readonly string[] = issuer.keyUsage ?? [];
  if (purposes.length === 0 || purposes.includes(anyPurpose)) return true;
  return bothEnds.every((purpose) => purposes.includes(purpose));
}

/** How many intermediates may stand below; null for any number, 0 for what cannot be read. */
function pathLengthOf(constraints: CertificateExtension): number | null {
  const outer = readDer(constraints.value);
  const members = outer === null ? null : readDerAll(outer.content);
  if (members === null) return 0;
  const length = members.find(({ tag }) => tag === integerTag);
  if (length === undefined) return null;
  const [first = 0x80] = length.content;
  if (first >= 0x80) return 0;
  return length.content.length === 1 ? first : intermediatesMax;
}

function isOf(extension: CertificateExtension, oid: string): boolean {
  return extension.oid.toString('hex') === oid;
}
