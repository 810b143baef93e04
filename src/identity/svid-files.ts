// SPDX-License-Identifier: Apache-2.0
import { createPrivateKey } from 'node:crypto';
import { readCertificatesPem } from './certificate.ts';
import type { TrustBundle } from './certification-path.ts';
import type { IdentityCode } from './codes.ts';
import type { Credential } from './credential.ts';
import { credentialFromPem } from './credential-pem.ts';
import { IdentityError } from './identity-error.ts';
import { algorithmOf } from './key-algorithm.ts';
import { peerFromCertificate, readTrustBundle } from './peer.ts';
import type { SvidLifetimes } from './svid-lifetime.ts';

/** Three files as SPIRE's helper writes them: `svid.pem`, `svid_key.pem`, `bundle.pem`. */
export type SvidFiles = {
  readonly chainPem: string;
  readonly keyPem: string;
  readonly bundlePem: string;
};

/** Who the files have to be of. */
export type SvidHolder = {
  readonly trustDomain: string;
  readonly kind: 'agent' | 'node';
  readonly name: string;
  /** The instance that runs already; null at the start, when any of that name will do. */
  readonly spiffeId: string | null;
  readonly lifetimes: SvidLifetimes;
};

export type SvidReading =
  | {
      readonly ok: true;
      readonly credential: Credential;
      readonly bundlePem: string;
      readonly bundle: TrustBundle;
    }
  | { readonly ok: false; readonly code: IdentityCode };

/**
 * Believes the three files only together: key and certificate are one pair, an authority of the
 * bundle signed it or the intermediates that follow it lead to one, it is valid now and for no longer than the mesh grants, and it is of this very
 * holder. What is read while somebody writes fails one of these. Never throws.
 */
export function readSvidFiles(files: SvidFiles, holder: SvidHolder, nowMs: number): SvidReading {
  const [leaf, ...above] = readCertificatesPem(files.chainPem) ?? [];
  if (leaf === undefined) return refuse('IDENTITY_CERTIFICATE_MALFORMED');
  try {
    const bundle = readTrustBundle(files.bundlePem, holder.trustDomain);
    if (algorithmOf(createPrivateKey(files.keyPem)) === null) {
      return refuse('IDENTITY_KEY_UNSUPPORTED');
    }
    const verdict = peerFromCertificate(leaf, bundle, nowMs, holder.lifetimes, above);
    if (!verdict.ok) return verdict;
    const { kind, name, spiffeId, expiresAtMs } = verdict.peer;
    const isOwn = kind === holder.kind && name === holder.name;
    if (!isOwn || (holder.spiffeId !== null && spiffeId !== holder.spiffeId)) {
      return refuse('IDENTITY_CREDENTIAL_FOREIGN');
    }
    // Only what others need to verify it travels with it, and it ends with the first of them.
    const chainPem = [leaf, ...verdict.intermediates].map(String).join('');
    const credential = { ...credentialFromPem(chainPem, files.keyPem), expiresAtMs };
    return { ok: true, credential, bundlePem: files.bundlePem, bundle };
  } catch (failure) {
    // An OpenSSL error may quote the text it failed on: only our own code is told.
    const code = failure instanceof IdentityError ? failure.code : 'IDENTITY_CREDENTIAL_CORRUPT';
    return refuse(code);
  }
}

function refuse(code: IdentityCode): { readonly ok: false; readonly code: IdentityCode } {
  return { ok: false, code };
}
