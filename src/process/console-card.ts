// SPDX-License-Identifier: Apache-2.0
import type { Viewer } from '../console/console-api.ts';
import type { ActionManifest, Mesh, Operator } from '../mesh/mesh.ts';
import { mayDecide, type OperatorRole } from '../mesh/operator-roles.ts';
import type { JsonObject, JsonValue } from '../message/json.ts';
import { questionOf, rulingOf, type Approval } from '../oversight/approvals.ts';
import { mayReleaseTogether } from '../oversight/equals.ts';
import { shownApproval } from '../oversight/probe.ts';
import { codeEntry } from './codes.ts';

export type CardContext = {
  readonly viewer: Viewer;
  readonly mesh: Mesh;
  readonly operators: ReadonlyMap<string, Operator>;
  readonly approversOf: (action: string) => readonly OperatorRole[];
  readonly nowMs: number;
  /** Others that wait and are equal to a question in all that a person decides on. */
  readonly equals: (approval: Approval) => readonly Approval[];
};

/**
 * A held action as its card shows it: what would be done, who asks, why it waits, and whether the
 * viewer may decide. Parameters, and what agents said, only for those whose role decides.
 */
export function shownCard(given: Approval, context: CardContext): JsonObject {
  const approval = shownApproval(given);
  const { id, state, heldAt, hold, decisions, modifications = [], probe } = approval;
  const manifest = context.mesh.actions.get(hold.action) ?? null;
  const ruling = rulingOf(approval);
  return {
    id, state, heldAt,
    action: hold.action,
    risk: hold.risk,
    reversibility: hold.reversibility,
    requester: hold.requester,
    executor: hold.executor,
    rootOrigin: hold.rootOrigin,
    task: hold.task,
    message: hold.message,
    digest: hold.digest,
    parameters: context.viewer.may('decide') ? hold.parameters : null,
    endorse: (hold.endorse ?? []).map(({ pointer, sources, origins }) =>
      ({ pointer, sources: [...sources], origins: [...origins] })),
    told: hold.told === undefined ? null : {
      confidence: hold.told.confidence,
      unknowns: context.viewer.may('decide') ? [...hold.told.unknowns] : [],
      unknown: hold.told.unknowns.length,
    },
    reasons: hold.reasons.map((code) => ({ code, means: codeEntry(code)?.means ?? null })),
    changes: manifest === null ? null : effectOf(manifest, hold.parameters, context.viewer),
    approvalsNeeded: hold.approvalsNeeded,
    approvedBy: [...ruling.approvedBy],
    level: ruling.level,
    expiresAt: hold.expiresAt,
    said: [...modifications, ...decisions].map(({ operator, decision = 'approve', at = null }) =>
      ({ operator, decision, at })),
    modifiedBy: [...(hold.modifiedBy ?? [])],
    mayNot: mayNot(approval, context),
    probe: probe === true,
    equals: context.equals(given).map((other) =>
      ({ id: other.id, digest: other.hold.digest, expiresAt: other.hold.expiresAt })),
    together: mayReleaseTogether(given),
  };
}

/** What the action does to the world, by its manifest. */
function effectOf(manifest: ActionManifest, parameters: JsonObject, viewer: Viewer): JsonObject {
  const impacts = [...manifest.impact].map(([impact, of]): [string, JsonValue] => {
    const value = typeof of === 'number' ? of : parameters[of];
    return [impact, viewer.may('decide') || typeof of === 'number' ? (value ?? null) : null];
  });
  return {
    tool: `${manifest.tool}.${manifest.operation}`,
    write: manifest.write,
    impact: Object.fromEntries(impacts),
    sensitive: [...manifest.sensitive].map(([name, { from, atMost }]) =>
      ({ name, from: [...from], atMost })),
  };
}

/** Why this viewer cannot release it; null when they can. */
function mayNot(approval: Approval, context: CardContext): string | null {
  const { viewer, operators } = context;
  const question = questionOf(approval, context);
  const ruling = rulingOf(approval);
  if (approval.state !== 'pending') return 'OVERSIGHT_APPROVAL_CLOSED';
  if (!(context.nowMs < approval.hold.expiresAt)) return 'OVERSIGHT_APPROVAL_EXPIRED';
  if (!mayDecide(operators.get(viewer.operator), ruling.level, question.approvers)) {
    return 'OVERSIGHT_ROLE_REFUSED';
  }
  if (question.causedBy.includes(viewer.operator)) return 'OVERSIGHT_APPROVAL_OWN_CAUSE';
  return ruling.approvedBy.includes(viewer.operator) ? 'OVERSIGHT_APPROVAL_SAME_PERSON' : null;
}
