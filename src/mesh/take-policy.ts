// SPDX-License-Identifier: Apache-2.0
import { keysWith } from './operator-roles.ts';
import type { IdentityCode } from '../identity/codes.ts';
import { verifyPolicy, type PolicyStatement } from '../identity/policy-statement.ts';
import { loadBundle } from './bundle.ts';
import type { MeshCode } from './codes.ts';
import type { Mesh, Operator } from './mesh.ts';
import type { PolicyVersion } from './policy-version.ts';
import { changeWorkflow, widens } from './workflow-change.ts';

/** What is in force where a new version arrives. */
export type HeldPolicy = {
  readonly version: number;
  readonly mesh: Mesh;
  /** Whose signatures count for the next version: those of the version in force. */
  readonly operators: ReadonlyMap<string, Operator>;
  /** True where no operator is named, and the node's word is all there is. */
  readonly believesNode: boolean;
};

export type TakenPolicy =
  | { readonly ok: true; readonly mesh: Mesh; readonly statement: PolicyStatement | null }
  | { readonly ok: false; readonly code: MeshCode | IdentityCode };

/**
 * Whether a version may follow the one that is held, and what it says. Node and sidecars ask this
 * each for themselves: the signature has to be one of an operator of the version *before*, over
 * exactly these texts, for exactly this place in the order. At tier 3 a workflow may be narrowed without. Never throws. Cedar policies are not
 * looked into here.
 */
export function takePolicy(offered: PolicyVersion, held: HeldPolicy): TakenPolicy {
  if (!(offered.version > held.version)) return { ok: false, code: 'MESH_POLICY_VERSION' };
  const word = wordOf(offered, held);
  if (!word.ok) return word;
  const loaded = loadBundle(offered.bundle, held.mesh.directory);
  if (!loaded.ok) return { ok: false, code: 'MESH_POLICY_REFUSED' };
  const { mesh } = loaded;
  if (mesh.digest !== offered.digest) return { ok: false, code: 'MESH_POLICY_DIGEST' };
  return { ok: true, mesh, statement: word.statement };
}

/**
 * What nobody signed is believed where it only closes edges that the version held lets a workflow
 * close, at tier 3, and comes to exactly the texts offered. A node that made it up could as well carry
 * nothing over those edges.
 */
function wordOfChange({ change, digest }: PolicyVersion, { mesh }: HeldPolicy): Word {
  const unsigned = { ok: false, code: 'MESH_POLICY_UNSIGNED' } as const;
  if (change === null || change === undefined || widens(change) || mesh.autonomyTier !== 3) return unsigned;
  const changed = changeWorkflow(mesh, change);
  if (!changed.ok) return changed;
  return changed.mesh.digest === digest
    ? { ok: true, statement: null }
    : { ok: false, code: 'MESH_POLICY_DIGEST' };
}

type Word =
  | { readonly ok: true; readonly statement: PolicyStatement | null }
  | { readonly ok: false; readonly code: MeshCode | IdentityCode };

function wordOf(offered: PolicyVersion, held: HeldPolicy): Word {
  if (held.believesNode) return { ok: true, statement: null };
  if (offered.signed === null) return wordOfChange(offered, held);
  const verified = verifyPolicy(offered.signed, keysWith(held.operators, 'policy'));
  if (!verified.ok) return verified;
  const { statement } = verified;
  if (statement.version !== offered.version || statement.previous !== held.mesh.digest) {
    return { ok: false, code: 'MESH_POLICY_VERSION' };
  }
  if (statement.digest !== offered.digest) return { ok: false, code: 'MESH_POLICY_DIGEST' };
  return { ok: true, statement };
}
