// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { hasRight } from '../mesh/operator-roles.ts';
import type { ActionManifest } from '../mesh/mesh.ts';
import { parseActionRequest } from '../message/action-request-parse.ts';
import type { ActionRequest } from '../message/action-request.ts';
import { canonicalize } from '../message/canonical-json.ts';
import { mintUlid } from '../message/identifiers.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../message/json.ts';
import { authoritiesFor } from '../pace/order.ts';
import { authoritiesOf, paceRulesOf } from '../pace/rules.ts';
import { verifyPaceOrder } from '../pace/statement.ts';
import { covers } from '../pace/unit.ts';
import type { EntryDraft } from '../recorder/entry.ts';
import { ClosedSchemas } from '../tool/compiled-schema.ts';
import type { Intent } from '../tool/intent-store.ts';
import type { NodeFrame, SidecarFrame } from '../wire/frame.ts';
import type { SidecarContext } from './context.ts';
import { leaseRefusal, ownRefusal } from './standing.ts';

type UndoFrame = Extract<NodeFrame, { kind: 'undo-call' }>;
type Undone = Extract<SidecarFrame, { kind: 'call-undone' }>;

/** A kill undoes what was done in the day before it, and nothing that came later. */
export const undoneMsMax = 24 * 3_600_000;

const schemas = new ClosedSchemas();

/**
 * Undoes one call of this executor, because an operator killed whoever asked for it, or the executor's
 * own unit. The node names the call and brings the order; nothing else of its word counts. The order's
 * signature, scope and authority are verified here against this sidecar's own version of the policy, and
 * the call against the gate's own memory; what undoes it, and with which parameters, stands in the mesh
 * file. It goes through the gate like every call, once for each undone call, and under a review of its own. It
 * is charged to no cap: the call that it undoes was. Never rejects. Controls EC-3.5, ENV-24.
 */
export async function undoCall(frame: UndoFrame, context: SidecarContext): Promise<Undone> {
  const { call, incident } = frame;
  const ended = (status: Undone['status'], code: string | null): Undone =>
    ({ kind: 'call-undone', call, incident, status, code });
  try {
    const found = findCall(frame, context);
    if (!found.ok) return ended('REFUSED', found.code);
    const standing = ownRefusal(context) ?? leaseRefusal(found.by.risk, context);
    if (!mayAct(context) || standing !== null) return ended('REFUSED', 'SIDECAR_UNDO_WAITS');
    const id = mintUlid(context.clock, context.random);
    const reviewed = reviewedEntry(id, frame, found, context);
    const privileged = found.by.risk === 'HIGH' || found.by.risk === 'CRITICAL';
    await context.recorder.record([reviewed], { privileged });
    const { status, code } = await context.gate.call(admitted(id, call, found, privileged, context));
    return ended(status, code);
  } catch (failure) {
    // Nothing was called: what can fail after the gate has the call, the gate answers itself.
    context.report(failure);
    return ended('REFUSED', 'SIDECAR_RECORD_UNAVAILABLE');
  }
}

type Found = {
  readonly ok: true;
  readonly intent: Intent;
  readonly by: ActionManifest;
  readonly parameters: JsonObject;
};
type NotFound = { readonly ok: false; readonly code: string };

/** The call as this sidecar knows it, and what undoes it. */
function findCall({ call, incident, signed }: UndoFrame, context: SidecarContext): Found | NotFound {
  const { store, gate, mesh } = context;
  const message = store.message(call);
  const parsed = message === null ? null : parseActionRequest(message.body.payload);
  if (message === null || parsed === null || !parsed.ok) return refused('SIDECAR_UNDO_UNKNOWN');
  const { from: requester } = message.body;
  const { request } = parsed;
  if (!isOrdered(incident, signed, requester, message.body.issuedAt, context)) return refused('SIDECAR_UNDO_FORGED');
  const { undo } = mesh.actions.get(request.action) ?? {};
  const by = undo === undefined ? undefined : mesh.actions.get(undo.action);
  if (undo === undefined || by === undefined) return refused('SIDECAR_UNDO_UNDECLARED');
  const { idempotencyKey } = request;
  const end = gate.endOf({ requester, idempotencyKey, requestId: call });
  const isKnown = end?.decision.status === 'DONE' && end.intent?.argumentsDigest === digestOf(request);
  // What people changed before it ran, or what is in doubt, is for people to undo.
  if (!isKnown || end.intent === null) return refused('SIDECAR_UNDO_UNKNOWN');
  // Asked for before the kill is not enough: what ran after it is not what the order was about.
  if (!isOrdered(incident, signed, requester, end.intent.at, context)) return refused('SIDECAR_UNDO_FORGED');
  const parameters = parametersOf(undo.parameters, request.parameters, end.decision.result);
  if (parameters === null || !schemas.check(by.parameters)(parameters)) return refused('SIDECAR_UNDO_INVALID');
  // Somebody asked for the very same since: undoing it twice would be another harm, so people look.
  if (gate.isFollowedBy(end.intent, by.name, digestOf({ parameters }))) return refused('SIDECAR_UNDO_UNKNOWN');
  return { ok: true, intent: end.intent, by, parameters };
}

/**
 * An operator who may kill signed this kill; it is of a unit that the requester or this agent belongs to,
 * and came after the call, within a day. An old order does not undo what was done since.
 */
function isOrdered(
  incident: string,
  signed: string,
  requester: string,
  calledAt: number,
  { agent, mesh, operators }: SidecarContext,
): boolean {
  const known = operators();
  const verified = verifyPaceOrder(signed, (name) => known.get(name)?.publicKey ?? null);
  if (!verified.ok) return false;
  const { id, order, operator, at } = verified.statement;
  if (id !== incident || order.op !== 'kill' || !hasRight(known.get(operator), 'stop')) return false;
  const rules = paceRulesOf(mesh);
  const held = authoritiesOf(operator, rules);
  if (!authoritiesFor(order, 'PRIMARY').some((one) => held.has(one))) return false;
  const concerns = [requester, agent.name].some((name) => {
    const place = rules.places.get(name);
    return place !== undefined && covers(order.unit, place);
  });
  const sinceMs = at - calledAt;
  return concerns && sinceMs >= -mesh.limits.clockSkewMs && sinceMs <= undoneMsMax;
}

/** A supervised agent writes with a person, and a person signed this. */
function mayAct({ pace, agent }: SidecarContext): boolean {
  const { allows } = pace.clamp(agent.name);
  return allows === 'all' || allows === 'supervised';
}

/** Null where one of them is not there. */
function parametersOf(
  sources: ReadonlyMap<string, string>,
  asked: JsonObject,
  result: JsonValue,
): JsonObject | null {
  const taken: [string, JsonValue][] = [];
  for (const [name, source] of sources) {
    const [from = '', member = ''] = source.split('.');
    const values = from === 'request' ? asked : result;
    if (!isJsonObject(values) || !Object.hasOwn(values, member)) return null;
    taken.push([name, values[member] ?? null]);
  }
  return Object.fromEntries(taken);
}

function admitted(
  id: string,
  call: string,
  { intent, by, parameters }: Found,
  privileged: boolean,
  context: SidecarContext,
): Parameters<SidecarContext['gate']['call']>[0] {
  const standing = (): string | null => ownRefusal(context) ?? leaseRefusal(by.risk, context) ??
    (mayAct(context) ? null : 'SIDECAR_UNDO_WAITS');
  return context.admission.admit({
    id,
    executor: context.agent.name,
    requester: context.agent.name,
    action: by.name,
    tool: by.tool,
    operation: by.operation,
    arguments: parameters,
    // One call is undone once, whoever asks for it again.
    idempotencyKey: `undo.${call}`,
    risk: by.risk,
    write: true,
    outputSchema: by.output,
    keep: by.keep ?? null,
    timeoutMs: by.timeoutMs,
    task: intent.task,
    mandate: intent.mandate,
    beginBeforeMs: context.clock.nowMs() + by.timeoutMs,
    standing,
    privileged,
  });
}

/** Whose word it runs on, and what it undoes: the log has no call without its review. */
function reviewedEntry(
  id: string,
  { call, incident }: UndoFrame,
  { intent, by }: Found,
  { agent, clock, mesh, isolation }: SidecarContext,
): EntryDraft {
  return {
    kind: 'request.reviewed',
    id: `${id}.reviewed.undo`,
    at: clock.nowMs(),
    actor: `sidecar:${agent.name}`,
    task: intent.task,
    message: id,
    causedBy: [],
    outcome: 'GO',
    code: null,
    verdicts: [{
      outcome: 'GO', control: 'pace', version: mesh.digest.slice(0, 12), tookUs: 0, findings: [],
    }],
    tookUs: null,
    detail: {
      action: by.name,
      risk: by.risk,
      requester: agent.name,
      ...(intent.mandate === null ? {} : { mandate: intent.mandate }),
      undoes: call,
      incident,
      isolation,
    },
  };
}

function digestOf({ parameters }: Pick<ActionRequest, 'parameters'>): string {
  return createHash('sha256').update(canonicalize(parameters)).digest('base64url');
}

function refused(code: string): NotFound {
  return { ok: false, code };
}
