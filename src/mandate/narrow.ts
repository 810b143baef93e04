// SPDX-License-Identifier: Apache-2.0
import type { Credential } from '../identity/credential.ts';
import { canonicalize } from '../message/canonical-json.ts';
import { isJsonObject, type JsonValue } from '../message/json.ts';
import { appendBlock, issuerOf, readBlock, splitChain } from './block.ts';
import type { MandateSigner } from './block.ts';
import type { MandateCode } from './codes.ts';
import { linkBlock, type Linked } from './link.ts';
import { depthMax, rightKey } from './mandate.ts';
import type { Constraint, EffectiveMandate, MandateBlock, MandateTerms, Right } from './mandate.ts';
import { parseBlock } from './parse-block.ts';

/** What a holder passes on. What is left out stays as it is in the mandate that is narrowed. */
export type Narrowing = Pick<MandateTerms, 'audience' | 'oispec'> &
  Partial<Pick<MandateTerms, 'rights' | 'notBefore' | 'expiresAt' | 'output' | 'maxDepth'>>;

export type IssuedMandate =
  | { readonly ok: true; readonly chain: string; readonly mandate: EffectiveMandate }
  | {
      readonly ok: false;
      readonly code: MandateCode;
      /** JSON Pointer into the terms, without any text of them; null when no one place is wrong. */
      readonly path: string | null;
    };

/**
 * Issues the first mandate of a chain. Lists may come in any order. Refuses with
 * MANDATE_TERMS_INVALID, MANDATE_OUTLIVES_SIGNER, MANDATE_CYCLE or MANDATE_TOO_LARGE. Whether the
 * signer may originate mandates is for the verifier to say. Throws `IdentityError` when the key is
 * not Ed25519.
 */
export function issueMandate(terms: MandateTerms, signer: MandateSigner): IssuedMandate {
  return add(null, null, { ...terms, v: 1, issuer: issuerOf(signer), parent: null }, signer);
}

/**
 * Narrows a mandate offline, as its holder. Refuses every widening with the code that the verifier
 * would give (MANDATE_WIDENS_*, MANDATE_DEPTH_EXCEEDED, MANDATE_CYCLE), and whoever is not the
 * holder with MANDATE_HOLDER_MISMATCH. A time left out ends with the mandate or with the signer's
 * certificate, whichever is earlier. The signatures of `chain` are not checked here: a forged
 * chain stays forged.
 */
export function narrow(
  chain: string,
  narrowing: Narrowing,
  credential: Credential,
): IssuedMandate {
  const held = readUnverified(chain);
  if (!held.ok) return { ok: false, code: held.code, path: null };
  const { mandate } = held;
  const maxDepth = narrowing.maxDepth ?? mandate.maxDepth;
  const block: MandateBlock = {
    v: 1,
    issuer: credential.spiffeId,
    parent: mandate.id,
    audience: narrowing.audience,
    task: mandate.task,
    sponsor: mandate.sponsor,
    rights: narrowing.rights ?? mandate.rights,
    notBefore: narrowing.notBefore ?? mandate.notBefore,
    expiresAt: narrowing.expiresAt ?? Math.min(mandate.expiresAt, credential.expiresAtMs),
    output: narrowing.output ?? mandate.output,
    maxDepth,
    approval: maxDepth === depthMax ? mandate.approval : null,
    oispec: narrowing.oispec,
  };
  return add(chain, mandate, block, { kind: 'nhi', credential });
}

/** What a chain says it grants. Nothing of it is proven: for display, and for narrowing it. */
export function readUnverified(chain: string): Linked {
  const received = splitChain(chain);
  if (!received.ok) return received;
  let mandate: EffectiveMandate | null = null;
  for (const one of received.blocks) {
    const block = readBlock(one);
    if (block === null) return { ok: false, code: 'MANDATE_TERMS_INVALID' };
    const linked: Linked = linkBlock(mandate, block, one.id);
    if (!linked.ok) return linked;
    mandate = linked.mandate;
  }
  return mandate === null ? { ok: false, code: 'MANDATE_MALFORMED' } : { ok: true, mandate };
}

function add(
  chain: string | null,
  parent: EffectiveMandate | null,
  stated: MandateBlock,
  signer: MandateSigner,
): IssuedMandate {
  const block = canonicalBlock(stated);
  const parsed = parseBlock(block as unknown as JsonValue);
  if (!parsed.ok) return { ok: false, code: 'MANDATE_TERMS_INVALID', path: parsed.path };
  const linked = linkBlock(parent, parsed.block, '');
  if (!linked.ok) return { ok: false, code: linked.code, path: null };
  const outlives = signer.kind === 'nhi' && block.expiresAt > signer.credential.expiresAtMs;
  if (outlives) return { ok: false, code: 'MANDATE_OUTLIVES_SIGNER', path: '/expiresAt' };
  const signed = appendBlock(chain, parsed.block, signer);
  // Read back as anyone else will: what does not fit the bounds is never handed out.
  const read = readUnverified(signed);
  if (!read.ok) return { ok: false, code: read.code, path: null };
  return { ok: true, chain: signed, mandate: read.mandate };
}

/** The same terms with every list in canonical order; what is no list stays for the parser. */
function canonicalBlock(block: MandateBlock): MandateBlock {
  if (!Array.isArray(block.rights)) return block;
  const rights = block.rights.map(canonicalRight);
  return { ...block, rights: rights.sort((a, b) => (orderOf(a) < orderOf(b) ? -1 : 1)) };
}

function canonicalRight(right: Right): Right {
  const { constraints, limits } = right ?? {};
  if (!isJsonObject(constraints) || !isJsonObject(limits) || !Array.isArray(limits.rates)) {
    return right;
  }
  const ordered = Object.entries(constraints).map(
    ([parameter, constraint]) => [parameter, canonicalConstraint(constraint)] as const,
  );
  const rates = limits.rates.toSorted((a, b) => a.windowMs - b.windowMs || a.count - b.count);
  return { ...right, constraints: Object.fromEntries(ordered), limits: { ...limits, rates } };
}

function canonicalConstraint(constraint: Constraint): Constraint {
  const { oneOf, formats, equalTo, ...bounds } = constraint;
  return {
    ...bounds,
    ...(oneOf === undefined ? {} : { oneOf: sorted(oneOf) }),
    ...(formats === undefined ? {} : { formats: sorted(formats) }),
    ...(equalTo === undefined ? {} : { equalTo: sorted(equalTo) }),
  };
}

function sorted<Item extends JsonValue>(items: readonly Item[]): readonly Item[] {
  if (!Array.isArray(items)) return items;
  try {
    const byText = items.map((item) => [canonicalize(item), item] as const);
    return byText.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, item]) => item);
  } catch {
    // Not JSON: left as it is, for the parser to refuse.
    return items;
  }
}

function orderOf(right: Right): string {
  return isJsonObject(right) ? rightKey(right) : '';
}
