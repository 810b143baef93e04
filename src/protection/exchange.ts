// SPDX-License-Identifier: Apache-2.0
import type { AgentRole, Domain } from '../mesh/mesh.ts';
import type { ProtectionCode } from './codes.ts';
import type { Protection } from './protection.ts';

/** What a data domain demands of every exchange in it (seed 003, `SecurityPolicy`). */
export type ExchangePolicy = Pick<
  Domain,
  'tier' | 'allowedRoles' | 'metadataMasking' | 'maxTokenAgeMs' | 'auditLevel' | 'attestationRequired'
>;

/** One exchange as the policy of its domain looks at it; nothing here is the agent's own word. */
export type Exchange = {
  readonly credential: {
    /** Milliseconds since 1970; null where nobody says since when the credential is in use. */
    readonly issuedAtMs: number | null;
    readonly expiresAtMs: number;
  };
  /** Of the sender, and of the recipient where it is known. */
  readonly roles: readonly AgentRole[];
  /** Whether the sender's runtime was proven; asked only where the policy demands it. */
  readonly attested: () => boolean;
};

export type ExchangeRefusal = { readonly code: ProtectionCode; readonly drop: false };

/**
 * The one decision on an exchange in a data domain, in the seed's order: a policy, identity and
 * expiry, role (then the attestation that its table asks for), protection tier. Null lets it pass.
 * The bus runs it on every message and `MeshSecurityController` on every request. Whatever is
 * absent or no number refuses.
 */
export function exchangeRefusal(
  policy: ExchangePolicy | undefined,
  { credential, roles, attested }: Exchange,
  nowMs: number,
  protection: Pick<Protection, 'refusal'>,
): ExchangeRefusal | null {
  if (policy === undefined) return refusal('BUS_DOMAIN_UNKNOWN');
  if (!(nowMs < credential.expiresAtMs)) return refusal('BUS_CREDENTIAL_EXPIRED');
  if (!isYoung(credential, policy.maxTokenAgeMs, nowMs)) return refusal('BUS_CREDENTIAL_TOO_OLD');
  const rolesAllowed = roles.length > 0 && roles.every((role) => policy.allowedRoles.includes(role));
  if (!rolesAllowed) return refusal('BUS_ROLE_DENIED');
  if (policy.attestationRequired && !attested()) return refusal('BUS_NOT_ATTESTED');
  return protection.refusal(policy.tier);
}

/**
 * A credential whose beginning nobody says may not live on for longer than one may be old: else it
 * would be static in all but name.
 */
function isYoung(
  { issuedAtMs, expiresAtMs }: Exchange['credential'],
  maxTokenAgeMs: number,
  nowMs: number,
): boolean {
  if (issuedAtMs === null) return expiresAtMs - nowMs <= maxTokenAgeMs;
  return nowMs - issuedAtMs <= maxTokenAgeMs;
}

function refusal(code: ProtectionCode): ExchangeRefusal {
  return { code, drop: false };
}
