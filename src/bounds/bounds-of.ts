// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { edgesBetween } from '../mesh/edge-index.ts';
import type { ActionManifest, BoundWindow, Impact, Mesh } from '../mesh/mesh.ts';
import { impacts } from '../mesh/mesh.ts';
import { canonicalize } from '../message/canonical-json.ts';
import { ulidTimeMs } from '../message/identifiers.ts';
import type { JsonObject } from '../message/json.ts';
import type { Asking, BreakerUse, Retry } from './allot.ts';
import { actionValidMs, readsMax, readValidMs, type AllotmentAsk } from './ask.ts';
import type { Charge } from './charge.ts';
import { judgeAskingOf, judgeOperation } from './judge-budget.ts';

/** Rates shorter than this are throttles: beyond half of one nobody is asked. */
const escalatingWindowMsMin = 3_600_000;

/**
 * What a call is bounded by, from the mesh file alone (EC-2.3): the caps of its action, whoever
 * serves it; the bounds of the agent that asks and of the one that performs, and of all whom these
 * work for; and the task's. Null for an ask that the mesh file gives no reason for: no honest sidecar
 * makes one. `handedBy` lists who handed the requester the task, and who handed it to those.
 */
export function askingOf(
  executor: string,
  ask: AllotmentAsk,
  handedBy: readonly string[],
  mesh: Mesh,
): Asking | null {
  if (ask.operation === judgeOperation) return judgeAskingOf(executor, ask, mesh);
  const { action: name, requester, task } = ask;
  const action = name === null ? null : (mesh.actions.get(name) ?? null);
  const startedMs = ulidTimeMs(task);
  if (startedMs === null || !mayAsk(executor, ask, action, mesh)) return null;
  const untilMs = startedMs + mesh.bounds.taskDurationMs + keptAfterTaskMs;
  const moved = movedBy(ask, action);
  const parties = new Set([requester, executor]);
  const superiors = new Set([...parties, ...handedBy]);
  const escalateAt = action === null ? 1 : escalateAtOf(action, mesh);
  const charges: Charge[] = [...ask.charges];
  const charge = (key: string, amount: number, { windowMs, most }: BoundWindow): void => {
    const asks = escalateAt < 1 && windowMs >= escalatingWindowMsMin;
    charges.push({
      key, amount, most, windowMs, untilMs,
      escalateAt: asks ? most * escalateAt : null,
      code: 'BOUNDS_EXCEEDED',
    });
  };
  for (const [parameter, { windows }] of action?.caps ?? []) {
    const amount = amountOf(ask, parameter);
    for (const window of windows) charge(`action/${name}/${parameter}`, amount, window);
  }
  for (const impact of impacts) {
    const amount = moved(impact);
    for (const party of parties) {
      const windows = mesh.agents.get(party)?.bounds.own.get(impact) ?? [];
      for (const window of windows) charge(`agent/${party}/${impact}`, amount, window);
    }
    for (const superior of superiors) {
      const windows = mesh.agents.get(superior)?.bounds.subtree.get(impact) ?? [];
      for (const window of windows) charge(`subtree/${superior}/${impact}`, amount, window);
    }
    if (action !== null) charges.push(...workflowCharges(ask, impact, amount, parties, untilMs, mesh));
    const most = mesh.bounds.task.get(impact);
    if (most === undefined) continue;
    charges.push({
      key: `task/${task}/${impact}`, amount, most, windowMs: null, untilMs,
      escalateAt: escalateAt < 1 ? most * escalateAt : null,
      code: 'BOUNDS_EXCEEDED',
    });
  }
  return {
    id: idOf(executor, ask, action?.write === true),
    executor,
    holder: ask.holder,
    charges,
    breakers: breakersOf(ask, mesh),
    retry: retryOf(ask, untilMs, mesh),
    validMs: action === null ? readValidMs : actionValidMs,
    released: ask.released,
  };
}

/** Each action keeps to its own bounds; together they keep to what their workflow is for (OI-2.3). */
function workflowCharges(
  { task, action }: AllotmentAsk,
  impact: Impact,
  amount: number,
  parties: ReadonlySet<string>,
  untilMs: number,
  mesh: Mesh,
): readonly Charge[] {
  return [...(mesh.workflows?.values() ?? [])]
    .filter(({ agents }) => agents.some((one) => parties.has(one)))
    .flatMap(({ name, sums }) => sums
      .filter(({ of, actions }) => of === impact && (actions.length === 0 || actions.includes(action ?? '')))
      .map(({ id, most }) => ({
        key: `workflow/${task}/${name}/${id}`, amount, most, windowMs: null, untilMs,
        escalateAt: null, code: 'INTENT_SUM_EXCEEDED',
      })));
}

/**
 * What the mesh file bounds is this owner's own to charge. Of mandates an executor charges the right to
 * the very action that it was asked for, and no right that another executor serves: one that is taken
 * over uses up nobody's but its own.
 */
function isOwnRight(key: string, executor: string, action: string | null): boolean {
  const [, right] = mandateKeyForm.exec(key) ?? [];
  return action !== null && (right === `request ${executor} ${action}` || right === `perform ${action}`);
}

/** Keys of sums that a sidecar may name: those of the mandates that it has verified. */
export const mandateKeys = 'mandate/';
const mandateKeyForm = /^mandate\/[^/]{1,64}\/([^/]{1,256})\/(?:uses|total\/[^/]{1,128})$/;

/** A task's sums outlive its time box by more than any clock may be ahead. */
const keptAfterTaskMs = 3_600_000;

/** Only what the requester may request of this executor, or the reads of an agent's own tools. */
function mayAsk(
  executor: string,
  { action: name, requester, operation, calls, charges }: AllotmentAsk,
  action: ActionManifest | null,
  mesh: Mesh,
): boolean {
  if (!(Number.isInteger(calls) && calls >= 1)) return false;
  if (!charges.every(({ key }) => isOwnRight(key, executor, name))) return false;
  if (name !== null) {
    const isOffered = edgesBetween(mesh, requester, executor)
      .some(({ mayRequest }) => mayRequest.includes(name));
    return isOffered && calls === 1 && action !== null &&
      operation === `${action.tool}.${action.operation}`;
  }
  const [tool = ''] = operation.split('.');
  const declared = mesh.tools.get(tool)?.operations.get(operation.slice(tool.length + 1));
  const holds = mesh.agents.get(executor)?.tools.includes(tool) === true;
  return requester === executor && holds && declared?.write === false && calls <= readsMax;
}

/** How much of each impact the call moves; NaN, which refuses, where the ask does not say. */
function movedBy(ask: AllotmentAsk, action: ActionManifest | null): (impact: Impact) => number {
  return (impact) => {
    if (impact === 'calls') return ask.calls;
    const declared = action?.impact.get(impact) ?? 0;
    return typeof declared === 'number' ? declared : amountOf(ask, declared);
  };
}

function amountOf({ amounts }: AllotmentAsk, parameter: string): number {
  return Object.hasOwn(amounts, parameter) ? (amounts[parameter] ?? Number.NaN) : Number.NaN;
}

/** Parameters of an action that a sum counts; see `AllotmentAsk.amounts`. */
export function countedParameters(action: ActionManifest): ReadonlySet<string> {
  const named = [...action.impact.values()].filter((value) => typeof value === 'string');
  return new Set([...action.caps.keys(), ...named]);
}

/** Of a list its length, of a number itself; NaN for anything else. */
export function countedAmount(parameters: JsonObject, name: string): number {
  const value = Object.hasOwn(parameters, name) ? parameters[name] : undefined;
  if (Array.isArray(value)) return value.length;
  return typeof value === 'number' ? value : Number.NaN;
}

/**
 * At tier 3, autonomous, nobody is asked before a cap is reached, which still stops at the cap. What
 * is CRITICAL is asked for at every tier.
 */
function escalateAtOf({ risk }: ActionManifest, { autonomyTier, bounds }: Mesh): number {
  return autonomyTier === 3 && risk !== 'CRITICAL' ? 1 : bounds.escalateAt;
}

function breakersOf({ operation, requester }: AllotmentAsk, mesh: Mesh): readonly BreakerUse[] {
  const { agentFailures, ...settings } = mesh.bounds.breaker;
  return [
    { key: `operation/${operation}`, settings, code: 'BOUNDS_BREAKER_OPEN' },
    {
      key: `agent/${requester}`,
      settings: { ...settings, failures: agentFailures },
      code: 'BOUNDS_AGENT_PAUSED',
    },
  ];
}

/** Reads are not tried again by themselves; an agent that reads what is not there may go on. */
function retryOf({ action, task }: AllotmentAsk, untilMs: number, mesh: Mesh): Retry | null {
  if (action === null) return null;
  return { key: `retry/${task}/${action}`, most: mesh.bounds.retries, untilMs };
}

/**
 * A write runs once for its key, whichever request brings it. Nobody remembers a read that has
 * ended, so each request that brings its key runs it again, and is charged by itself.
 */
function idOf(executor: string, ask: AllotmentAsk, isWrite: boolean): string {
  const { requester, holder, idempotencyKey, task, action, operation, calls, amounts } = ask;
  const once = isWrite ? idempotencyKey : holder;
  const charges = ask.charges.map(({ key, windowMs, amount }) => [key, windowMs, amount]);
  const text = canonicalize([
    executor, requester, once, task, action, operation, calls, { ...amounts }, charges,
  ]);
  return createHash('sha256').update(text).digest('base64url');
}

/** True when some call of this mesh adds to a sum of everybody who handed the task on. */
export function boundsSubtrees(mesh: Mesh): boolean {
  return [...mesh.agents.values()].some(({ bounds }) => bounds.subtree.size > 0);
}
