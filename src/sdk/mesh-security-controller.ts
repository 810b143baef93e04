// SPDX-License-Identifier: Apache-2.0
import { readMeshOrThrow } from '../adapters/mesh-files.ts';
import type { AgentRole, AuditLevel, ProtectionTier } from '../mesh/mesh.ts';
import type { ProtectionCode } from '../protection/codes.ts';
import { exchangeRefusal } from '../protection/exchange.ts';
import { maskMetadata } from '../protection/mask-metadata.ts';
import { plaintextProtection } from '../protection/protection.ts';

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
};

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

  constructor(auditSink: AuditSink, options: ControllerOptions = {}) {
    this.#auditSink = auditSink;
    this.#nowMs = options.nowMs ?? Date.now;
    this.#attested = options.attested ?? (() => false);
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
    const policy = this.#policies.get(domain);
    const { source } = request;
    const exchange = {
      credential: {
        issuedAtMs: source.credentialIssuedAt ?? null,
        expiresAtMs: source.credentialExpiry,
      },
      roles: [source.role],
      attested: () => this.#attested(source),
    };
    const refusal = exchangeRefusal(policy, exchange, this.#nowMs(), plaintextProtection);
    if (policy === undefined || refusal !== null) {
      const code = refusal?.code ?? 'BUS_DOMAIN_UNKNOWN';
      await this.#audit(domain, request, policy, {}, code);
      throw new SecurityError(code, 'The exchange is refused.');
    }
    const metadata = maskMetadata(policy, request.metadata);
    const { payload } = request;
    const audited = policy.auditLevel === 'FULL_MESH' ? metadata : {};
    await this.#audit(domain, request, policy, audited, null);
    return { payload, metadata: { ...metadata }, status: 'AUTHORIZED' };
  }

  async #audit(
    domain: string,
    { source, target, timestamp }: ExchangeRequest,
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
