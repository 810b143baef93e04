// SPDX-License-Identifier: Apache-2.0
import type { ActionManifest, AutonomyTier } from '../mesh/mesh.ts';
import type { StandingApproval } from '../mesh/oversight.ts';
import type { JsonObject } from '../message/json.ts';
import { finding, type Finding } from '../review/verdict.ts';
import type { PolicyCode } from './codes.ts';

/** A person's release whose signature the caller has verified, and the request it is bound to. */
export type GrantedApproval = { readonly operator: string; readonly digest: string };

/** What decides whether an action waits for people. */
export type Oversight = {
  readonly autonomyTier: AutonomyTier;
  readonly supervised: boolean;
  readonly approvals: readonly GrantedApproval[];
  /** Digest of this request; null when the caller releases holds itself. */
  readonly requestDigest: string | null;
  /** A standing approval that covers this request; it answers the manifest's question only. */
  readonly standing?: string | null;
};

/**
 * Why the action waits for people (DESIGN 6.1): empty when it does not, or when enough different
 * people released exactly this request. HIGH at tier 2 and 3 is not held by itself: a control or
 * the manifest has to ask for it.
 */
export function peopleFindings(action: ActionManifest, oversight: Oversight): readonly Finding[] {
  const reasons: PolicyCode[] = [];
  if (action.risk === 'CRITICAL') reasons.push('POLICY_TWO_PEOPLE_REQUIRED');
  const { standing = null } = oversight;
  if (action.approval === 'required' && (standing === null || action.risk === 'CRITICAL')) reasons.push('POLICY_APPROVAL_REQUIRED');
  if (action.write && oversight.autonomyTier === 1) reasons.push('POLICY_TIER_SUPERVISED');
  if (action.write && oversight.supervised) reasons.push('POLICY_PACE_SUPERVISED');
  if (reasons.length === 0) return [];
  const needed = action.risk === 'CRITICAL' ? 2 : 1;
  const released = countReleases(oversight) >= needed;
  return released ? [] : reasons.map((code) => finding(code, 'people'));
}

/** One person counts once, whatever they signed twice. */
function countReleases(oversight: Oversight): number {
  const { approvals, requestDigest } = oversight;
  if (requestDigest === null || requestDigest === '') return 0;
  const bound = approvals.filter((approval) => approval.digest === requestDigest);
  return new Set(bound.map((approval) => approval.operator)).size;
}

/** The standing approval that covers a request whole; null when none does, or it has ended. */
export function standingApprovalOf(
  request: { readonly action: string; readonly parameters: JsonObject },
  requester: string,
  approvals: readonly StandingApproval[],
  nowMs: number,
): StandingApproval | null {
  return approvals.find((given) =>
    given.action === request.action && given.requester === requester && nowMs < given.until &&
    covers(given, request.parameters)) ?? null;
}

/** A parameter that the approval does not name is not covered by it. */
function covers({ where }: StandingApproval, parameters: JsonObject): boolean {
  const names = Object.keys(parameters);
  return where.size > 0 && names.every((name) => where.has(name)) &&
    [...where].every(([name, rule]) => {
      const value = Object.hasOwn(parameters, name) ? parameters[name] : undefined;
      if ('atMost' in rule) return typeof value === 'number' && value >= 0 && value <= rule.atMost;
      return rule.oneOf.some((one) => one === value);
    });
}
