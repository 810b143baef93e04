// SPDX-License-Identifier: Apache-2.0
import type { KeyObject } from 'node:crypto';
import { readCertificate } from '../identity/certificate.ts';
import type { PeerIdentity } from '../identity/credential.ts';
import { verifyCompactJws } from '../identity/jws.ts';
import { algorithmOf } from '../identity/key-algorithm.ts';
import { readPublicJwk } from '../identity/operator-key.ts';
import type { PeerVerifier } from '../identity/peer.ts';
import type { RevocationView } from '../identity/revocation.ts';
import type { Mesh } from '../mesh/mesh.ts';
import { ulidTimeMs } from '../message/identifiers.ts';
import type { JsonObject } from '../message/json.ts';
import { mandateId, readBlock, splitChain, type ReceivedBlock } from './block.ts';
import type { MandateCode } from './codes.ts';
import { isHolder, linkBlock, type Linked } from './link.ts';
import { depthDefault, type EffectiveMandate, type MandateBlock } from './mandate.ts';

/** What the control plane has withdrawn, as known here. */
export type RevocationSnapshot = {
  /** Of `mandates` and `tasks`: rises with every change of either and never goes back. */
  readonly version: number;
  /** End of the lease, milliseconds since 1970: later than this, nothing is known. */
  readonly validUntilMs: number;
  readonly identities: RevocationView;
  /** Ids of mandates; each takes all that were narrowed from it along. */
  readonly mandates: Pick<ReadonlySet<string>, 'has'>;
  /** Tasks that have ended: a mandate dies with its task. */
  readonly tasks: Pick<ReadonlySet<string>, 'has'>;
};

/** Who may originate mandates; everybody else can only narrow. */
export type RootAuthority = {
  /** Names of agents that relay a person's words. */
  readonly agents: ReadonlySet<string>;
  /** Names of nodes whose control plane issues mandates. */
  readonly nodes: ReadonlySet<string>;
  /** Public JWK of an operator who may, or null. */
  readonly operatorKey: (operator: string) => JsonObject | null;
};

/** What a delegate's own specification allows. */
export type DelegateTerms = {
  /** Digest of its OISpec in force; null when it has none. */
  readonly oispec: string | null;
  /** Hops that may follow after it; 0 when it may not delegate. */
  readonly hopsMax: number;
};

export type MandateContext = {
  /**
   * The verified peer with this certificate, valid now, or null. The certificate travels with the
   * block, so that it need not have been seen before; see `peersOf`.
   */
  readonly peerByThumbprint: (
    thumbprint: string,
    certificates: readonly Uint8Array[],
  ) => PeerIdentity | null;
  readonly revocations: RevocationSnapshot;
  /** What is done with a snapshot past its lease; privileged actions take `refuse`. */
  readonly staleSnapshot: 'refuse' | 'accept';
  readonly nowMs: number;
  /** How far another host's clock may be ahead; only the beginning of a mandate is given it. */
  readonly clockSkewMs: number;
  /** The task that the request belongs to. */
  readonly task: string;
  /** Who presents the mandate, as its signed envelope proves. */
  readonly audience: { readonly name: string; readonly spiffeId: string };
  readonly rootAuthority: RootAuthority;
  /** Null for an agent that the mesh does not know. */
  readonly delegateTerms: (agent: string) => DelegateTerms | null;
  /**
   * True when a person approved a depth of three under this reference for this task; `root` is the
   * principal that issued the first mandate. An approval is withdrawn by revoking the mandate: the
   * cache does not ask again.
   */
  readonly isDepthApproved: (reference: string, task: string, root: string) => boolean;
  /** Version of the mesh file and OISpecs behind the three ports above, for the cache. */
  readonly policyVersion: string;
  /** Verified chains; bounded here, owned by the caller. Null verifies every time. */
  readonly cache: Map<string, EffectiveMandate> | null;
};

/** How long after the start of its task a mandate that an operator signed can last. */
export const operatorMandateMsMax = 7 * 24 * 3_600_000;

/** Chains that a cache holds; the oldest makes room. */
export const cachedMandatesMax = 4_096;

/**
 * Believes a mandate only when every block was signed by the holder of the one before it, none is
 * wider, the first comes from somebody who may originate mandates, nothing in it is revoked or
 * expired, and it is presented by its holder under its task (G4). The attacker controls every
 * character of `chain`; no payload is parsed before its signature holds. No round trip. Never
 * throws unless a port of the context does. Codes `MANDATE_*`.
 */
export function verifyMandate(chain: string, context: MandateContext): Linked {
  const { nowMs, revocations, cache } = context;
  if (!(nowMs >= 0 && nowMs < Infinity)) return refuse('MANDATE_CLOCK_INVALID');
  const fresh = context.staleSnapshot === 'accept' || nowMs < revocations.validUntilMs;
  if (!fresh) return refuse('MANDATE_SNAPSHOT_STALE');
  const key = cache === null ? '' : cacheKey(chain, context);
  const known = cache?.get(key);
  const verified: Linked =
    known === undefined ? verifyBlocks(chain, context) : { ok: true, mandate: known };
  if (!verified.ok) return verified;
  if (cache !== null && known === undefined) remember(cache, key, verified.mandate);
  const code = presentationRefusal(verified.mandate, context);
  return code === null ? verified : refuse(code);
}

/** Looks among the peers met before, then at the certificates that came with the block. */
export function peersOf(
  verifier: Pick<PeerVerifier, 'byThumbprint' | 'verify'>,
): MandateContext['peerByThumbprint'] {
  return (thumbprint, [leaf, ...rest]) => {
    const above = rest.map(readCertificate).filter((one) => one !== null);
    if (leaf === undefined || above.length < rest.length) return null;
    const known = verifier.byThumbprint(thumbprint);
    if (known !== null) return known;
    const verdict = verifier.verify(leaf, above);
    return verdict.ok && verdict.peer.thumbprint === thumbprint ? verdict.peer : null;
  };
}

/** Originators and operators of the mesh file may issue mandates; nodes only where named. */
export function rootAuthorityOf(mesh: Mesh, nodes: readonly string[] = []): RootAuthority {
  const originators = [...mesh.agents.values()].filter((agent) => agent.originator);
  return {
    agents: new Set(originators.map((agent) => agent.name)),
    nodes: new Set(nodes),
    operatorKey: (operator) => mesh.operators.get(operator)?.publicKey ?? null,
  };
}

/** What the OISpecs of a mesh say of their agents as delegates. */
export function delegateTermsOf(mesh: Mesh): MandateContext['delegateTerms'] {
  return (name) => {
    const agent = mesh.agents.get(name);
    if (agent === undefined) return null;
    const { oispec } = agent;
    if (oispec === null) return { oispec: null, hopsMax: 0 };
    return {
      oispec: oispec.digest,
      hopsMax: oispec.canDelegate ? oispec.maxDelegationDepth : 0,
    };
  };
}

type Verified = { readonly code: MandateCode } | { readonly block: MandateBlock };

function verifyBlocks(chain: string, context: MandateContext): Linked {
  const received = splitChain(chain);
  if (!received.ok) return received;
  let mandate: EffectiveMandate | null = null;
  for (const one of received.blocks) {
    const verified = verifyBlock(one, context);
    if ('code' in verified) return refuse(verified.code);
    const linked: Linked = linkBlock(mandate, verified.block, one.id);
    if (!linked.ok) return linked;
    mandate = linked.mandate;
    const code = delegateRefusal(mandate, verified.block, context);
    if (code !== null) return refuse(code);
  }
  if (mandate === null) return refuse('MANDATE_MALFORMED');
  const code = chainRefusal(mandate, context);
  return code === null ? { ok: true, mandate } : refuse(code);
}

function verifyBlock(received: ReceivedBlock, context: MandateContext): Verified {
  const signer = signerOf(received, context);
  if (signer === null) return { code: 'MANDATE_SIGNER_UNKNOWN' };
  const { algorithm } = received.signer;
  // The key decides: a header that names another algorithm is none of this signer.
  if (algorithm !== algorithmOf(signer.key)) return { code: 'MANDATE_HEADER_REFUSED' };
  if (!verifyCompactJws(received.jws, algorithm, signer.key)) {
    return { code: 'MANDATE_SIGNATURE_INVALID' };
  }
  if (signer.isRevoked) return { code: 'MANDATE_SIGNER_REVOKED' };
  const block = readBlock(received);
  if (block === null) return { code: 'MANDATE_TERMS_INVALID' };
  if (block.issuer !== signer.id) return { code: 'MANDATE_ISSUER_MISMATCH' };
  if (received.parent === null && block.parent === null && !signer.isRoot) {
    return { code: 'MANDATE_ROOT_UNTRUSTED' };
  }
  const untilMs = signer.expiresAtMs ?? operatorsUntilMs(block.task);
  if (!(block.expiresAt <= untilMs)) return { code: 'MANDATE_OUTLIVES_SIGNER' };
  return { block };
}

type Signer = {
  readonly key: KeyObject;
  /** What a block of this signer must name as its issuer. */
  readonly id: string;
  readonly isRevoked: boolean;
  readonly isRoot: boolean;
  /** Of its certificate; null for an operator, who has none. */
  readonly expiresAtMs: number | null;
};

function signerOf({ signer }: ReceivedBlock, context: MandateContext): Signer | null {
  const { rootAuthority, revocations } = context;
  if (signer.kind === 'operator') {
    const jwk = rootAuthority.operatorKey(signer.name);
    const key = jwk === null ? null : readPublicJwk(jwk);
    if (key === null) return null;
    const id = `operator:${signer.name}`;
    return { key, id, isRevoked: false, isRoot: true, expiresAtMs: null };
  }
  const peer = context.peerByThumbprint(signer.thumbprint, signer.certificates);
  if (peer === null || peer.thumbprint !== signer.thumbprint) return null;
  return {
    key: peer.publicKey,
    id: peer.spiffeId,
    isRevoked: revocations.identities.isRevoked(peer),
    isRoot: (peer.kind === 'agent' ? rootAuthority.agents : rootAuthority.nodes).has(peer.name),
    expiresAtMs: peer.expiresAtMs,
  };
}

/**
 * No certificate bounds an operator's mandate, so the task does: what is revoked is remembered for
 * longer than any mandate of the task can last, and may be forgotten after that.
 */
function operatorsUntilMs(task: string): number {
  const startedMs = ulidTimeMs(task);
  return startedMs === null ? 0 : startedMs + operatorMandateMsMax;
}

/** Both specifications must consent: the delegate's to receive, each delegator's to give. */
function delegateRefusal(
  mandate: EffectiveMandate,
  block: MandateBlock,
  context: MandateContext,
): MandateCode | null {
  const delegates = mandate.path.slice(1).map((agent) => agent.slice('agent:'.length));
  const terms = delegates.map((agent) => context.delegateTerms(agent));
  const last = terms.at(-1) ?? null;
  if (last === null) return 'MANDATE_DELEGATE_UNKNOWN';
  if (last.oispec !== block.oispec) return 'MANDATE_OISPEC_MISMATCH';
  const far = terms.some((one, index) => !((one?.hopsMax ?? 0) >= terms.length - 1 - index));
  return far ? 'MANDATE_DELEGATION_FORBIDDEN' : null;
}

/** What holds of the chain for as long as the snapshot and the policy are the same. */
function chainRefusal(mandate: EffectiveMandate, context: MandateContext): MandateCode | null {
  const { revocations } = context;
  if (mandate.lineage.some((id) => revocations.mandates.has(id))) return 'MANDATE_REVOKED';
  if (revocations.tasks.has(mandate.task)) return 'MANDATE_TASK_ENDED';
  if (mandate.depth <= depthDefault) return null;
  const approved = mandate.approval !== null &&
    context.isDepthApproved(mandate.approval, mandate.task, mandate.path[0] ?? '');
  return approved ? null : 'MANDATE_DEPTH_UNAPPROVED';
}

/** What depends on the moment and on who presents the mandate: never taken from the cache. */
function presentationRefusal(
  mandate: EffectiveMandate,
  context: MandateContext,
): MandateCode | null {
  const { audience, nowMs, revocations } = context;
  if (!(nowMs < mandate.expiresAt)) return 'MANDATE_EXPIRED';
  if (!(nowMs + context.clockSkewMs >= mandate.notBefore)) return 'MANDATE_NOT_YET_VALID';
  if (mandate.task !== context.task) return 'MANDATE_TASK_MISMATCH';
  if (!isHolder(mandate.audience, audience)) return 'MANDATE_AUDIENCE_MISMATCH';
  const gone = revocations.identities.isSenderRevoked(audience.name, audience.spiffeId);
  return gone ? 'MANDATE_HOLDER_REVOKED' : null;
}

function cacheKey(chain: string, { revocations, policyVersion }: MandateContext): string {
  const { version, identities } = revocations;
  return `${mandateId(chain)} ${version} ${identities.version} ${policyVersion}`;
}

function remember(
  cache: Map<string, EffectiveMandate>,
  key: string,
  mandate: EffectiveMandate,
): void {
  if (cache.size >= cachedMandatesMax) {
    const [oldest] = cache.keys();
    if (oldest !== undefined) cache.delete(oldest);
  }
  cache.set(key, mandate);
}

function refuse(code: MandateCode): { readonly ok: false; readonly code: MandateCode } {
  return { ok: false, code };
}
