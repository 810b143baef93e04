// SPDX-License-Identifier: Apache-2.0
import { edgesBetween } from '../mesh/edge-index.ts';
import type { ActionManifest, Agent, Mesh } from '../mesh/mesh.ts';
import type { ActionRequest } from '../message/action-request.ts';
import type { Epistemic, Isolation, Label } from '../message/envelope.ts';
import type { JsonValue } from '../message/json.ts';
import { finding, type Finding, type Outcome, type Verdict } from '../review/verdict.ts';
import type { CedarPolicies } from './cedar.ts';
import type { PolicyCode } from './codes.ts';
import { assuranceFindings } from './assurance.ts';
import { oispecFindings } from './oispec.ts';
import { capFindings, schemaFindings, sensitiveFindings } from './parameters.ts';
import { peopleFindings, standingApprovalOf, type GrantedApproval } from './people.ts';
import { timeFindings } from './time-box.ts';

/** Who asks, as the requester's sidecar signed it. Nothing here is the requester's own word. */
export type Requester = {
  readonly agent: string;
  readonly label: Label;
  /** JSON Pointer into the request -> declared sources whose whole value stands there. */
  readonly sources: { readonly [pointer: string]: readonly string[] };
  readonly hop: number;
  readonly isolation: Isolation;
  /** How sure what it was told in the task is; absent or null where nobody said. */
  readonly told?: Epistemic | null;
};

/** One action request at its executor, with what the executor's sidecar knows about it. */
export type ComplianceRequest = {
  readonly request: ActionRequest;
  readonly executor: Agent;
  readonly requester: Requester;
  readonly domain: string;
  /** ULID of the task; its time box is counted from the id. */
  readonly task: string;
  readonly paceClamp: {
    readonly phase: string;
    readonly allows: 'all' | 'read-only' | 'supervised' | 'nothing';
  };
  /** How the executor really runs, not how the mesh file says it should. */
  readonly isolation: Isolation;
  /** Canonical JSON of the values that an executor-side source gives; null when it gives none. */
  readonly trustedValues: (source: string) => ReadonlySet<string> | null;
  /** What is known to be used of a cap; the sum's owner is asked before the tool runs. */
  readonly capUsed: (action: string, parameter: string) => number;
  readonly approvals: readonly GrantedApproval[];
  /** What approvals are bound to; absent or null when the caller releases holds itself. */
  readonly requestDigest?: string | null;
  /** Values that people endorsed for this requester and task; absent means none. */
  readonly endorsed?: (pointer: string, value: JsonValue) => boolean;
  /** Values that an operator put in the place of what was asked for; absent means none. */
  readonly supplied?: (pointer: string) => boolean;
  readonly nowMs: number;
};

export type ComplianceInput = ComplianceRequest & {
  readonly mesh: Mesh;
  /** Null when the mesh configures no policies. */
  readonly cedar: CedarPolicies | null;
};

/** The check bound to one mesh. */
export type Compliance = { readonly review: (request: ComplianceRequest) => Verdict };

export function createCompliance(mesh: Mesh, cedar: CedarPolicies | null): Compliance {
  return { review: (request) => comply({ ...request, mesh, cedar }) };
}

/**
 * The policy compliance check, run by the executor's sidecar on every action request before the
 * tool (seed 000 section 3, EC-2.1). It does not reason about merit: it tells whether the request
 * is one that the executor is structurally permitted to fulfil. Every check runs and every finding
 * is kept; NO-GO wins over ESCALATE, and no approval turns a NO-GO. Never throws. Codes
 * `POLICY_*`.
 */
export function comply(input: ComplianceInput): Verdict {
  const startedUs = performance.now() * 1000;
  const { refusals, holds } = check(input);
  const findings = [...refusals, ...holds];
  const outcome: Outcome =
    refusals.length > 0 ? 'NO-GO' : holds.length > 0 ? 'ESCALATE' : 'GO';
  return {
    outcome,
    control: 'policy-compliance',
    version: versionOf(input),
    tookUs: Math.max(0, Math.round(performance.now() * 1000 - startedUs)),
    findings,
  };
}

type Checked = { readonly refusals: readonly Finding[]; readonly holds: readonly Finding[] };

function check(input: ComplianceInput): Checked {
  try {
    const { mesh, request } = input;
    const action = mesh.actions.get(request.action);
    const standing = standingFindings(input);
    if (action === undefined) {
      const unknown = refusal('POLICY_ACTION_UNKNOWN', 'action', '/action');
      return { refusals: [unknown, ...standing], holds: [] };
    }
    const sensitive = sensitiveFindings(action, request.parameters, sourcingOf(input));
    const refusals = [
      ...standing,
      ...authorityFindings(input, action),
      ...oispecFindings(input.executor, action, input.domain),
      ...schemaFindings(action, request.parameters),
      ...sensitive.refusals,
      ...capFindings(action, request.parameters, input.capUsed),
      ...cedarFindings(input, action),
      ...paceFindings(input, action),
      ...assuranceFindings(action, isBelieved(input) ? (input.requester.told ?? null) : null),
    ];
    return { refusals, holds: [...holdFindings(input, action), ...sensitive.endorsements] };
  } catch {
    // A lookup or a library failed: nothing vouches for the request, so it is refused.
    return { refusals: [refusal('POLICY_FAILED', 'comply')], holds: [] };
  }
}

/** What does not depend on the action: where the request stands and how the executor runs. */
function standingFindings(input: ComplianceInput): Finding[] {
  const { mesh, executor, requester } = input;
  const found: Finding[] = [];
  if (!(input.nowMs >= 0)) found.push(refusal('POLICY_CLOCK_INVALID', 'clock'));
  const hopsMax = mesh.limits.requestHopsMax ?? requestHopsMaxDefault;
  if (!(Number.isInteger(requester.hop) && requester.hop >= 0 && requester.hop <= hopsMax)) {
    found.push(refusal('POLICY_HOPS_EXCEEDED', 'hops'));
  }
  const weak = isolationRank[input.isolation] < isolationRank[executor.isolation] ||
    !(isolationRank[input.isolation] > 0);
  if (weak && mesh.development !== true) found.push(refusal('POLICY_ISOLATION_WEAK', 'isolation'));
  const parties = [executor, mesh.agents.get(requester.agent)];
  found.push(...timeFindings(mesh, parties, input.task, input.nowMs));
  const domain = mesh.domains.get(input.domain);
  if (domain === undefined) found.push(refusal('POLICY_DOMAIN_UNKNOWN', 'domain'));
  else {
    const roles = parties.map((agent) => agent?.role);
    const allowed = roles.every((role) => role !== undefined && domain.allowedRoles.includes(role));
    if (!allowed) found.push(refusal('POLICY_ROLE_DENIED', `domain/${domain.name}`));
  }
  return found;
}

const requestHopsMaxDefault = 8;

const isolationRank: { readonly [isolation in Isolation]: number } = {
  none: 0,
  uid: 1,
  container: 2,
};

/** The right to request is the edge's; the right to perform is the executor's. */
function authorityFindings(input: ComplianceInput, action: ActionManifest): Finding[] {
  const { mesh, executor, requester } = input;
  const found: Finding[] = [];
  const isAllowed = edgesBetween(mesh, requester.agent, executor.name).some((edge) =>
    edge.domain === input.domain &&
    edge.mayRequest.includes(action.name));
  if (!isAllowed) found.push(refusal('POLICY_EDGE_DENIED', 'edge/may_request', '/action'));
  if (executor.role !== 'EXECUTOR' || !executor.tools.includes(action.tool)) {
    found.push(refusal('POLICY_NOT_EXECUTOR', 'executor'));
  }
  return found;
}

/**
 * A requester whose sidecar runs inside the agent could have stamped anything: its label and its
 * sources are not believed, and only what the executor's own tools vouch for counts.
 */
function sourcingOf(input: ComplianceInput): Parameters<typeof sensitiveFindings>[2] {
  const { requester, trustedValues } = input;
  const believed = isBelieved(input);
  return {
    trustedContext: believed && requester.label.integrity === 'trusted',
    stamps: believed ? requester.sources : null,
    trustedValues,
    endorsed: input.endorsed ?? (() => false),
    supplied: input.supplied ?? (() => false),
  };
}

function isBelieved({ requester, mesh }: ComplianceInput): boolean {
  return requester.isolation !== 'none' || mesh.development === true;
}

function cedarFindings(input: ComplianceInput, action: ActionManifest): readonly Finding[] {
  const { mesh, cedar } = input;
  if (mesh.policies.size === 0) return [];
  if (cedar === null) return [refusal('POLICY_CEDAR_UNAVAILABLE', 'cedar')];
  return cedar.review({
    action,
    executor: input.executor,
    requester: mesh.agents.get(input.requester.agent) ?? null,
    label: input.requester.label,
    hop: input.requester.hop,
    domain: input.domain,
    isolation: input.isolation,
    parameters: input.request.parameters,
  });
}

function paceFindings(input: ComplianceInput, action: ActionManifest): Finding[] {
  const { allows } = input.paceClamp;
  switch (allows) {
    case 'all':
    case 'supervised':
      return [];
    case 'read-only':
      return action.write ? [refusal('POLICY_PACE_READ_ONLY', 'pace')] : [];
    case 'nothing':
      return [refusal('POLICY_PACE_STOPPED', 'pace')];
    default:
      allows satisfies never;
      return [refusal('POLICY_PACE_STOPPED', 'pace')];
  }
}

function holdFindings(input: ComplianceInput, action: ActionManifest): readonly Finding[] {
  return peopleFindings(action, {
    autonomyTier: input.mesh.autonomyTier,
    supervised: input.paceClamp.allows === 'supervised',
    approvals: input.approvals,
    requestDigest: input.requestDigest ?? null,
    standing: standingApprovalOf(
      input.request, input.requester.agent, input.mesh.oversight?.standing ?? [], input.nowMs,
    )?.id ?? null,
  });
}

/** Which rules spoke; "none" says that no Cedar policy is configured. */
function versionOf(input: ComplianceInput): string {
  const cedar = input.mesh.policies.size === 0 ? 'none' : (input.cedar?.version ?? 'unavailable');
  return `mesh:${input.mesh.digest.slice(0, 12)} cedar:${cedar}`;
}

function refusal(code: PolicyCode, rule: string, path: string | null = null): Finding {
  return finding(code, rule, path);
}
