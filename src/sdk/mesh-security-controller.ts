// SPDX-License-Identifier: Apache-2.0
import { readMeshOrThrow } from '../adapters/mesh-files.ts';
import { systemRandom } from '../adapters/random-system.ts';
import type { Kms } from '../identity/credential.ts';
import { IdentityError } from '../identity/identity-error.ts';
import type { AgentRole, AuditLevel, ProtectionTier } from '../mesh/mesh.ts';
import type { ProtectionCode } from '../protection/codes.ts';
import { exchangeRefusal } from '../protection/exchange.ts';
import { maskMetadata } from '../protection/mask-metadata.ts';
import { plaintextProtection, providedTierRefusal } from '../protection/protection.ts';
import {
  openExchange, rolesOfSealed, sealExchange, type OpenedExchange,
} from '../protection/sealed-exchange.ts';

/** Seed 003, and PLAINTEXT for its "Dev/Test Sandboxes". */
export type SecurityTier = ProtectionTier;

/** Seed 003; `attestationRequired` is the `attestation_required` of its configuration. */
export interface SecurityPolicy {
  readonly tier: SecurityTier;
  readonly allowedRoles: readonly AgentRole[];
  readonly metadataMasking: boolean;
  readonly maxTokenAgeMs: number;
  readonly auditLevel: AuditLevel;
  readonly attestationRequired?: boolean;
}

/** Seed 003. `credentialExpiry` is in milliseconds since 1970. */
export interface AgentIdentity {
  readonly agentId: string;
  readonly role: AgentRole;
  readonly credentialExpiry: number;
  readonly attestationHash: string;
  /** Milliseconds since 1970; without it a credential may not live longer than it may be old. */
  readonly credentialIssuedAt?: number;
}

/** Seed 003. `timestamp` is in milliseconds since 1970. */
export interface ExchangeRequest {
  readonly source: AgentIdentity;
  readonly target: string;
  readonly payload: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly timestamp: number;
}

export interface SecureExchangeResult {
  readonly payload: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly status: 'AUTHORIZED';
}

/** Seed 003, and how the exchange ended: a refused one is on record too. */
export interface AuditRecord {
  readonly domain: string;
  readonly source: string;
  readonly target: string;
  /** Null where the domain has no policy. */
  readonly tier: SecurityTier | null;
  /** As the policy masks it; empty with OUTPUT_ONLY and for a refused exchange. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly timestamp: number;
  readonly outcome: 'AUTHORIZED' | 'REFUSED';
  readonly code: ProtectionCode | null;
}

/** Resolves once the record is kept; an exchange whose record it does not keep is refused. */
export interface AuditSink {
  record(record: AuditRecord): void | Promise<void>;
}

/** An exchange, or a policy, was refused. The message holds no value of either. */
export class SecurityError extends Error {
  override readonly name = 'SecurityError';
  readonly code: ProtectionCode;

  constructor(code: ProtectionCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export type ControllerOptions = {
  /** Milliseconds since 1970; the system's clock by default. */
  readonly nowMs?: () => number;
  /** Whether the runtime of a source is proven; nobody's by default. */
  readonly attested?: (source: AgentIdentity) => boolean;
  /** Wraps the data keys of RETRIEVAL domains; without it they refuse every exchange. */
  readonly kms?: Kms;
};

/** What `validateExchange` gave for a RETRIEVAL domain, as its recipient asks to read it. */
export interface OpenRequest {
  readonly recipient: AgentIdentity;
  /** `agentId` of the source that it is said to come from. */
  readonly source: string;
  readonly payload: string;
  readonly timestamp: number;
}

const tiers: readonly string[] = ['PLAINTEXT', 'RETRIEVAL', 'COMPUTATION', 'FHE'];
const roles: readonly string[] = ['ORCHESTRATOR', 'RETRIEVER', 'EXECUTOR', 'ANALYST'];
const auditLevels: readonly string[] = ['OUTPUT_ONLY', 'FULL_MESH'];

/**
 * The policy enforcement point of seed 003 for programs that bring their own transport. It decides
 * with the code that the bus runs on every message (`src/protection/exchange.ts`). What the caller
 * says of the source is believed here; in a mesh the bus takes it from the certificate.
 */
export class MeshSecurityController {
  readonly #policies = new Map<string, Required<SecurityPolicy>>();
  readonly #auditSink: AuditSink;
  readonly #nowMs: () => number;
  readonly #attested: (source: AgentIdentity) => boolean;
  readonly #kms: Kms | null;

  constructor(auditSink: AuditSink, options: ControllerOptions = {}) {
    this.#auditSink = auditSink;
    this.#nowMs = options.nowMs ?? Date.now;
    this.#attested = options.attested ?? (() => false);
    this.#kms = options.kms ?? null;
  }

  /**
   * Puts a policy in force, as a whole, from the next exchange on. Throws PROTECTION_POLICY_INVALID
   * for one that is incomplete; then the one before stays.
   */
  registerPolicy(domain: string, policy: SecurityPolicy): void {
    this.#policies.set(domain, acceptPolicy(policy));
  }

  /**
   * Registers the policy of every domain of a mesh file, also one that has nothing but domains.
   * Reads no other key of it. Rejects what `maso check` refuses; then nothing is registered.
   */
  registerFile(file: string): void {
    const accepted = [...readMeshOrThrow(file).domains].map(
      ([name, domain]) => [name, acceptPolicy(domain)] as const,
    );
    for (const [name, policy] of accepted) this.#policies.set(name, policy);
  }

  /** Takes a domain out of force: every exchange in it is refused from now on. */
  removePolicy(domain: string): void {
    this.#policies.delete(domain);
  }

  /**
   * Decides on one exchange: policy, identity and expiry, role, masking, tier, audit. Resolves with
   * what may be handed on; rejects with `SecurityError`, whose code docs/errors.md explains.
   */
  async validateExchange(
    domain: string,
    request: ExchangeRequest,
  ): Promise<SecureExchangeResult> {
    const policy = await this.#decide(domain, request.source, request);
    const metadata = maskMetadata(policy, request.metadata);
    const payload = await this.#protect(domain, policy, request);
    const audited = policy.auditLevel === 'FULL_MESH' ? metadata : {};
    await this.#audit(domain, request, policy, audited, null);
    return { payload, metadata: { ...metadata }, status: 'AUTHORIZED' };
  }

  /**
   * What a recipient may read of an exchange in a RETRIEVAL domain: decided anew, by the policy of
   * now, with the recipient's identity. Rejects with `SecurityError`.
   */
  async openExchange(domain: string, request: OpenRequest): Promise<string> {
    const { recipient, source, payload, timestamp } = request;
    const ends = { domain, source, target: recipient.agentId };
    const asked = { source: recipient, target: recipient.agentId, timestamp };
    const policy = await this.#decide(domain, recipient, asked);
    if (policy.tier !== 'RETRIEVAL' || this.#kms === null) return payload;
    const roles = rolesOfSealed(payload);
    if (roles === null) return this.#refuse(domain, asked, policy, 'PROTECTION_SEAL_MISSING');
    if (!roles.includes(recipient.role)) {
      return this.#refuse(domain, asked, policy, 'PROTECTION_RELEASE_DENIED');
    }
    let opened: OpenedExchange;
    try {
      opened = await openExchange(payload, ends, this.#kms);
    } catch (failure) {
      return this.#refuse(domain, asked, policy, codeOf(failure), failure);
    }
    if (!opened.ok) return this.#refuse(domain, asked, policy, 'PROTECTION_SEAL_BROKEN');
    await this.#audit(domain, asked, policy, {}, null);
    return opened.text;
  }

  /** The policy that lets it pass; rejects, on record, where none does. */
  async #decide(
    domain: string,
    who: AgentIdentity,
    request: Audited,
  ): Promise<Required<SecurityPolicy>> {
    const policy = this.#policies.get(domain);
    const exchange = {
      credential: {
        issuedAtMs: who.credentialIssuedAt ?? null,
        expiresAtMs: who.credentialExpiry,
      },
      roles: [who.role],
      attested: () => this.#attested(who),
    };
    const provided = this.#kms === null ? plaintextProtection : { refusal: providedTierRefusal };
    const refusal = exchangeRefusal(policy, exchange, this.#nowMs(), provided);
    if (policy !== undefined && refusal === null) return policy;
    return this.#refuse(domain, request, policy, refusal?.code ?? 'BUS_DOMAIN_UNKNOWN');
  }

  async #protect(
    domain: string,
    policy: Required<SecurityPolicy>,
    request: ExchangeRequest,
  ): Promise<string> {
    if (policy.tier !== 'RETRIEVAL' || this.#kms === null) return request.payload;
    const { source, target, payload } = request;
    const binding = { domain, roles: policy.allowedRoles, source: source.agentId, target };
    try {
      return await sealExchange(payload, binding, this.#kms, systemRandom);
    } catch (failure) {
      return this.#refuse(domain, request, policy, 'PROTECTION_UNAVAILABLE', failure);
    }
  }

  async #refuse(
    domain: string,
    request: Audited,
    policy: SecurityPolicy | undefined,
    code: ProtectionCode,
    cause?: unknown,
  ): Promise<never> {
    await this.#audit(domain, request, policy, {}, code);
    throw new SecurityError(code, 'The exchange is refused.', { cause });
  }

  async #audit(
    domain: string,
    { source, target, timestamp }: Audited,
    policy: SecurityPolicy | undefined,
    metadata: Readonly<Record<string, string>>,
    code: ProtectionCode | null,
  ): Promise<void> {
    const record: AuditRecord = {
      domain,
      source: source.agentId,
      target,
      tier: policy?.tier ?? null,
      metadata,
      timestamp,
      outcome: code === null ? 'AUTHORIZED' : 'REFUSED',
      code,
    };
    try {
      await this.#auditSink.record(record);
    } catch (failure) {
      // Either way nothing is exchanged; that it is not on record is the graver word.
      throw new SecurityError('PROTECTION_AUDIT_UNAVAILABLE', 'The exchange is not on record.', {
        cause: failure,
      });
    }
  }
}

type Audited = Pick<ExchangeRequest, 'source' | 'target' | 'timestamp'>;

/** A secret that does not open is of another binding or changed; else the KMS is not there. */
function codeOf(failure: unknown): ProtectionCode {
  const isForeign = failure instanceof IdentityError && failure.code === 'KMS_UNWRAP_FAILED';
  return isForeign ? 'PROTECTION_KEY_FOREIGN' : 'PROTECTION_UNAVAILABLE';
}

/** A copy, so that nobody changes a policy in force by changing what they handed over. */
function acceptPolicy(policy: SecurityPolicy): Required<SecurityPolicy> {
  const { tier, allowedRoles, metadataMasking, maxTokenAgeMs, auditLevel } = policy;
  const attestationRequired = policy.attestationRequired ?? false;
  const isWhole =
    tiers.includes(tier) &&
    Array.isArray(allowedRoles) &&
    allowedRoles.every((role) => roles.includes(role)) &&
    typeof metadataMasking === 'boolean' &&
    typeof attestationRequired === 'boolean' &&
    auditLevels.includes(auditLevel) &&
    Number.isFinite(maxTokenAgeMs) &&
    maxTokenAgeMs > 0;
  if (!isWhole) throw new SecurityError('PROTECTION_POLICY_INVALID', 'The policy is refused.');
  return {
    tier, metadataMasking, maxTokenAgeMs, auditLevel, attestationRequired,
    allowedRoles: [...allowedRoles],
  };
}
