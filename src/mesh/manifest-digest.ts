// SPDX-License-Identifier: Apache-2.0
import { canonicalize } from '../message/canonical-json.ts';
import { plain } from './change-effect.ts';
import { sha256 } from './loading.ts';
import type { ActionManifest } from './mesh.ts';

const known = new WeakMap<ActionManifest, string>();

/** SHA-256 (base64url) over all that a manifest says; equal for equal manifests of two versions. */
export function manifestDigest(manifest: ActionManifest): string {
  const digest = known.get(manifest) ?? sha256(canonicalize(plain(manifest)));
  known.set(manifest, digest);
  return digest;
}
