// SPDX-License-Identifier: Apache-2.0
import { thumbprintOf, readCertificatesPem } from '../identity/certificate.ts';
import type { Authority, PeerIdentity } from '../identity/credential.ts';
import { joinSecretDigest, parseJoinToken, type JoinTokenStore } from '../identity/join-token.ts';
import type { RevocationView } from '../identity/revocation.ts';
import { agentSpiffeId } from '../identity/spiffe-id.ts';
import type { Lineage } from '../identity/svid-statement.ts';
import { isResident } from '../mesh/spawn.ts';
import { credentialLifetimeMs } from '../mesh/credential-lifetime.ts';
import type { Mesh } from '../mesh/mesh.ts';
import type { Clock, Random } from '../message/clock.ts';
import { mintUlid } from '../message/identifiers.ts';
import type { EntryDraft, Recorder } from '../recorder/entry.ts';

/** As much of a spawned agent as its certificates hold, and how long its parent's are valid. */
export type ChildGrant = {
  readonly instance: string;
  readonly spiffeId: string;
  readonly lineage: Lineage;
  /** Milliseconds since 1970; no certificate of the child is valid longer. */
  readonly parentExpiresAt: number;
};

export type EnrolmentContext = {
  readonly mesh: Mesh;
  readonly authority: Authority;
  readonly tokens: JoinTokenStore;
  readonly revocations: RevocationView;
  readonly recorder: Recorder;
  readonly clock: Clock;
  readonly random: Random;
  /** Remembers what was issued, so that recipients can be shown a sender's chain. */
  /** The spawned agent that lives under this name; null when none does. */
  readonly childOf: (agent: string) => ChildGrant | null;
  readonly issued: (thumbprint: string, chain: string, expiresAtMs: number) => Promise<void>;
};

export type Enrolled =
  | { readonly ok: true; readonly chainPem: string; readonly bundlePem: string }
  | { readonly ok: false; readonly code: string };

/**
 * Issues the first identity of an agent instance against a join token: used once, for the agent it
 * was made for. The issue is on record before the certificate leaves (IA-2.1, IA-2.2).
 */
export async function enrol(
  joinToken: string,
  csrPem: string,
  context: EnrolmentContext,
): Promise<Enrolled> {
  const reading = parseJoinToken(joinToken);
  if (!reading.ok) return refuse(reading.code, null, context);
  const { agent } = reading.claims;
  const use = await context.tokens.consume(
    joinSecretDigest(reading.secret),
    agent,
    context.clock.nowMs(),
  );
  if (use !== 'ACCEPTED') return refuse(use, agent, context);
  if (!context.mesh.agents.has(agent)) return refuse('CONTROL_ENROLMENT_REFUSED', agent, context);
  if (context.revocations.isNameRevoked(agent)) return refuse('IDENTITY_REVOKED', agent, context);
  const child = context.childOf(agent);
  const manifest = context.mesh.agents.get(agent);
  const runs = manifest !== undefined && (isResident(manifest) || child !== null);
  if (!runs) return refuse('CONTROL_CHILD_UNKNOWN', agent, context);
  const instance = child?.instance ?? mintUlid(context.clock, context.random);
  const spiffeId = agentSpiffeId(context.mesh.trustDomain, agent, instance);
  const enrolled = await issue(agent, spiffeId, csrPem, context);
  // Revoked while the certificate was made: nobody gets it.
  if (context.revocations.isNameRevoked(agent)) return refuse('IDENTITY_REVOKED', agent, context);
  return enrolled;
}

/** A new certificate for the same instance, asked for over its present one. */
export async function renew(
  peer: PeerIdentity,
  csrPem: string,
  context: EnrolmentContext,
): Promise<Enrolled> {
  const known = peer.kind === 'agent' && context.mesh.agents.has(peer.name);
  if (!known || !(context.clock.nowMs() < peer.expiresAtMs)) {
    return refuse('CONTROL_RENEWAL_REFUSED', peer.name, context);
  }
  if (context.revocations.isRevoked(peer)) return refuse('IDENTITY_REVOKED', peer.name, context);
  const isChild = (peer.lineage ?? null) !== null;
  if (isChild && context.childOf(peer.name)?.spiffeId !== peer.spiffeId) {
    return refuse('CONTROL_CHILD_UNKNOWN', peer.name, context);
  }
  const renewed = await issue(peer.name, peer.spiffeId, csrPem, context);
  // Revoked while the certificate was made, it may be by the very one that asked for it.
  if (context.revocations.isRevoked(peer)) return refuse('IDENTITY_REVOKED', peer.name, context);
  return renewed;
}

async function issue(
  agent: string,
  spiffeId: string,
  csrPem: string,
  context: EnrolmentContext,
): Promise<Enrolled> {
  const manifest = context.mesh.agents.get(agent);
  if (manifest === undefined) return refuse('CONTROL_ENROLMENT_REFUSED', agent, context);
  const child = context.childOf(agent);
  const nowMs = context.clock.nowMs();
  const endsAt = Math.min(child?.lineage.endsAt ?? Infinity, child?.parentExpiresAt ?? Infinity);
  const lifetimeMs = Math.min(credentialLifetimeMs(context.mesh, manifest), endsAt - nowMs);
  const statement = {
    role: manifest.role,
    scope: manifest.oispec?.digest ?? null,
    sponsor: manifest.sponsor ?? null,
    lineage: child?.lineage ?? null,
  };
  let svid;
  try {
    svid = await context.authority.issue({ csrPem, spiffeId, lifetimeMs, statement });
  } catch {
    // The authority refused the request or cannot sign; either way nothing was issued.
    return refuse('CONTROL_ENROLMENT_REFUSED', agent, context);
  }
  const [leaf] = readCertificatesPem(svid.chainPem) ?? [];
  if (leaf === undefined) return refuse('CONTROL_ENROLMENT_REFUSED', agent, context);
  await context.issued(thumbprintOf(leaf), svid.chainPem, svid.expiresAtMs);
  await context.recorder.record(
    [
      entry('identity.issued', svid.serial, agent, null, context, {
        spiffeId,
        role: manifest.role,
        sponsor: manifest.sponsor ?? null,
        ancestors: [...(child?.lineage.ancestors ?? [])],
        serial: svid.serial,
        expiresAt: svid.expiresAtMs,
      }),
    ],
    { privileged: true },
  );
  return { ok: true, chainPem: svid.chainPem, bundlePem: context.authority.bundlePem() };
}

async function refuse(
  code: string,
  agent: string | null,
  context: EnrolmentContext,
): Promise<Enrolled> {
  const id = mintUlid(context.clock, context.random);
  await context.recorder.record([entry('identity.refused', id, agent, code, context, {})]);
  return { ok: false, code };
}

function entry(
  kind: 'identity.issued' | 'identity.refused',
  id: string,
  agent: string | null,
  code: string | null,
  context: EnrolmentContext,
  detail: EntryDraft['detail'],
): EntryDraft {
  return {
    kind,
    id: `${kind}.${id}`,
    at: context.clock.nowMs(),
    actor: 'node',
    task: null,
    message: null,
    causedBy: [],
    outcome: kind === 'identity.issued' ? 'GO' : 'NO-GO',
    code,
    verdicts: [],
    tookUs: null,
    detail: { ...(agent === null ? {} : { agent }), ...detail },
  };
}
