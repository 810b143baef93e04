// SPDX-License-Identifier: Apache-2.0
import { parseSpiffeId } from '../identity/spiffe-id.ts';
import type { MandateCode } from './codes.ts';
import type { Budget, EffectiveMandate, MandateBlock, Right } from './mandate.ts';
import { intersectRights, rightsWidening } from './right.ts';

export type Linked =
  | { readonly ok: true; readonly mandate: EffectiveMandate }
  | { readonly ok: false; readonly code: MandateCode };

/**
 * Adds a block to the mandate before it: refuses whatever would make it wider, and intersects the
 * rest. `id` is that of the chain up to and with the block. Whether the signer that the block names
 * really signed it is the caller's to know.
 */
export function linkBlock(
  parent: EffectiveMandate | null,
  block: MandateBlock,
  id: string,
): Linked {
  const code = parent === null ? rootRefusal(block) : narrowingRefusal(parent, block);
  if (code !== null) return { ok: false, code };
  const path = parent === null ? [principal(block.issuer)] : parent.path;
  const delegate = principal(block.audience);
  if (path.includes(delegate)) return { ok: false, code: 'MANDATE_CYCLE' };
  const { v: _v, issuer: _issuer, parent: _parent, ...terms } = block;
  const rights = parent === null ? block.rights : intersectRights(parent.rights, block.rights);
  const mandate: EffectiveMandate = {
    ...terms,
    ...(parent === null ? {} : narrowed(parent, block)),
    rights,
    id,
    lineage: [...(parent?.lineage ?? []), id],
    path: [...path, delegate],
    depth: (parent?.depth ?? 0) + 1,
    budgets: [...(parent?.budgets ?? []), ...budgetOf(id, rights)],
  };
  return { ok: true, mandate };
}

/** True when the mandate was given to this agent: by name, or to this very instance. */
export function isHolder(
  audience: string,
  agent: { readonly name: string; readonly spiffeId: string },
): boolean {
  return audience === agent.name || audience === agent.spiffeId;
}

/** `operator:NAME`, `node:NAME` or `agent:NAME`: instances of one agent are one principal. */
export function principal(id: string): string {
  if (id.startsWith('operator:')) return id;
  const spiffe = parseSpiffeId(id);
  return spiffe === null ? `agent:${id}` : `${spiffe.kind}:${spiffe.name}`;
}

function rootRefusal(block: MandateBlock): MandateCode | null {
  return block.parent === null ? null : 'MANDATE_PARENT_UNKNOWN';
}

function narrowingRefusal(parent: EffectiveMandate, block: MandateBlock): MandateCode | null {
  if (block.parent !== parent.id) return 'MANDATE_PARENT_MISMATCH';
  const signer = parseSpiffeId(block.issuer);
  const held = signer?.kind === 'agent' &&
    isHolder(parent.audience, { name: signer.name, spiffeId: block.issuer });
  if (!held) return 'MANDATE_HOLDER_MISMATCH';
  if (block.task !== parent.task) return 'MANDATE_TASK_CHANGED';
  if (block.sponsor !== parent.sponsor) return 'MANDATE_SPONSOR_CHANGED';
  const deeper = !(block.maxDepth <= parent.maxDepth) ||
    (block.approval !== null && block.approval !== parent.approval);
  if (deeper) return 'MANDATE_WIDENS_DEPTH';
  if (!(parent.depth + 1 <= block.maxDepth)) return 'MANDATE_DEPTH_EXCEEDED';
  const within = block.notBefore >= parent.notBefore && block.expiresAt <= parent.expiresAt;
  if (!within) return 'MANDATE_WIDENS_TIME';
  if (parent.output !== null && block.output !== parent.output) return 'MANDATE_WIDENS_OUTPUT';
  return rightsWidening(parent.rights, block.rights);
}

/** Nothing got past the refusals that is wider; the stricter is taken all the same. */
function narrowed(parent: EffectiveMandate, block: MandateBlock) {
  return {
    task: parent.task,
    sponsor: parent.sponsor,
    notBefore: Math.max(parent.notBefore, block.notBefore),
    expiresAt: Math.min(parent.expiresAt, block.expiresAt),
    output: parent.output ?? block.output,
    maxDepth: Math.min(parent.maxDepth, block.maxDepth),
  };
}

function budgetOf(id: string, rights: readonly Right[]): readonly Budget[] {
  const limited = rights.filter(({ limits }) =>
    limits.count !== null || Object.keys(limits.totals).length > 0 || limits.rates.length > 0);
  return limited.length === 0 ? [] : [{ mandate: id, rights: limited }];
}
