// SPDX-License-Identifier: Apache-2.0
import { canonicalize } from '../message/canonical-json.ts';
import { asJsonObject, sha256 } from './loading.ts';

/** SHA-256 (base64url) of the canonical specification without its own hash. */
export function oispecDigest(specification: unknown): string {
  const { oisspec_hash: _, ...hashed } = asJsonObject(specification) ?? {};
  return sha256(canonicalize(hashed));
}

/** Whether what a specification states of itself, base64url or hex, is its digest. */
export function isStatedDigest(stated: string, digest: string): boolean {
  return stated === digest || stated === Buffer.from(digest, 'base64url').toString('hex');
}
