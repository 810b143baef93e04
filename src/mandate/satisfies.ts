// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '../message/json.ts';
import { finding, type Finding } from '../review/verdict.ts';
import type { MandateCode } from './codes.ts';
import { isHolder } from './link.ts';
import { rightKey } from './mandate.ts';
import type { Budget, EffectiveMandate, Limits, RequestRight, Right } from './mandate.ts';
import { intersectRights } from './right.ts';
import { constraintRefusal, type TrustedField } from './value.ts';

/** An action request as its signed envelope proves it. */
export type MandatedRequest = {
  readonly requester: { readonly name: string; readonly spiffeId: string };
  /** Name of the agent whose gate would run the action. */
  readonly executor: string;
  readonly action: string;
  readonly parameters: JsonObject;
  readonly trustedField: TrustedField;
  /** Null when nobody counts: then a right with limits grants nothing. */
  readonly usage: MandateUsage | null;
  readonly nowMs: number;
};

/**
 * What was used so far under a mandate and all that were narrowed from it, reservations included.
 * `right` is a `rightKey`. NaN means that it is not known, and refuses.
 */
export type MandateUsage = {
  /** Uses since a moment, milliseconds since 1970; null counts all. */
  readonly uses: (mandate: string, right: string, sinceMs: number | null) => number;
  readonly total: (mandate: string, right: string, parameter: string) => number;
};

/** What one use adds to one mandate of a chain; charged together, before the action runs. */
export type MandateCharge = {
  readonly mandate: string;
  readonly right: string;
  readonly totals: { readonly [parameter: string]: number };
  /** What the mandate allows over all its uses; whoever charges refuses what exceeds it. */
  readonly limits: Limits;
};

/** The rights to request that several principals share. */
export type SharedRequestRights = {
  readonly rights: readonly RequestRight[];
  readonly notBefore: number;
  readonly expiresAt: number;
  readonly budgets: readonly Budget[];
};

type Grant = Pick<EffectiveMandate, 'rights' | 'notBefore' | 'expiresAt' | 'budgets'>;

/**
 * Whether a request is within a verified mandate: empty when it is. Asking oneself needs the right
 * to `perform`, asking anybody else the right to `request` of that executor. Every finding is kept;
 * none holds a value (G9). What the executor may do is not this mandate's to say.
 */
export function satisfies(mandate: EffectiveMandate, request: MandatedRequest): readonly Finding[] {
  if (!isHolder(mandate.audience, request.requester)) {
    return [refusal('MANDATE_AUDIENCE_MISMATCH', 'mandate/holder')];
  }
  return grantFindings(mandate, request, 'mandate', 'MANDATE_RIGHT_ABSENT');
}

/**
 * The rights to request that every principal holds whose messages are in the causal context: no
 * confused deputy gains what one of them lacks. A principal without a mandate is null and leaves
 * nothing, nor does an empty list, or mandates of different tasks.
 */
export function intersectRequestRights(
  mandates: readonly (EffectiveMandate | null)[],
): SharedRequestRights {
  const [first = null, ...others] = mandates;
  const nothing = { rights: [], notBefore: 0, expiresAt: 0, budgets: [] };
  if (first === null) return nothing;
  let rights = first.rights.filter((right) => right.right === 'request');
  let { notBefore, expiresAt } = first;
  const budgets = new Map(first.budgets.map((budget) => [budget.mandate, budget]));
  for (const other of others) {
    if (other === null || other.task !== first.task) return nothing;
    rights = [...intersectRights(rights, other.rights)];
    notBefore = Math.max(notBefore, other.notBefore);
    expiresAt = Math.min(expiresAt, other.expiresAt);
    for (const budget of other.budgets) budgets.set(budget.mandate, budget);
  }
  return { rights, notBefore, expiresAt, budgets: [...budgets.values()] };
}

/** Whether all principals may make the request; empty when they may. */
export function satisfiesAll(
  shared: SharedRequestRights,
  request: MandatedRequest,
): readonly Finding[] {
  return grantFindings(shared, request, 'principals', 'MANDATE_PRINCIPAL_DENIES');
}

/** What to charge for one use, to every mandate of the chain that sets a limit on the right. */
export function chargesOf(
  grant: Pick<Grant, 'budgets'>,
  request: MandatedRequest,
): readonly MandateCharge[] {
  const key = keyOf(request);
  return limitsOn(grant, key).map(({ mandate, right }) => {
    const totals = Object.keys(right.limits.totals).map(
      (parameter) => [parameter, amountOf(request.parameters, parameter)] as const,
    );
    return { mandate, right: key, totals: Object.fromEntries(totals), limits: right.limits };
  });
}

function grantFindings(
  grant: Grant,
  request: MandatedRequest,
  rule: string,
  absent: MandateCode,
): readonly Finding[] {
  const found: Finding[] = [];
  const { nowMs } = request;
  const key = keyOf(request);
  const right = grant.rights.find((one) => rightKey(one) === key);
  if (right === undefined) return [refusal(absent, `${rule}/right`, '/action')];
  if (!(nowMs < grant.expiresAt)) found.push(refusal('MANDATE_EXPIRED', `${rule}/time`));
  if (!(nowMs >= grant.notBefore)) found.push(refusal('MANDATE_NOT_YET_VALID', `${rule}/time`));
  for (const [parameter, constraint] of Object.entries(right.constraints)) {
    const value = Object.hasOwn(request.parameters, parameter)
      ? request.parameters[parameter]
      : undefined;
    const code = constraintRefusal(constraint, value, request.trustedField);
    if (code !== null) found.push(refusal(code, `${rule}/constraint`, pointerTo(parameter)));
  }
  for (const { mandate, right: limited } of limitsOn(grant, key)) {
    found.push(...limitFindings(mandate, limited, request, rule));
  }
  return found;
}

function limitFindings(
  mandate: string,
  right: Right,
  request: MandatedRequest,
  rule: string,
): readonly Finding[] {
  const { usage, nowMs } = request;
  if (usage === null) return [refusal('MANDATE_USAGE_UNKNOWN', `${rule}/limit`)];
  const { count, totals, rates } = right.limits;
  const key = rightKey(right);
  const found: Finding[] = [];
  const check = (used: number, added: number, most: number, code: MandateCode, path?: string) => {
    if (!(used >= 0)) found.push(refusal('MANDATE_USAGE_UNKNOWN', `${rule}/limit`, path));
    else if (!(used + added <= most)) found.push(refusal(code, `${rule}/limit`, path));
  };
  if (count !== null) check(usage.uses(mandate, key, null), 1, count, 'MANDATE_COUNT_EXCEEDED');
  for (const rate of rates) {
    const used = usage.uses(mandate, key, nowMs - rate.windowMs);
    check(used, 1, rate.count, 'MANDATE_RATE_EXCEEDED');
  }
  for (const [parameter, total] of Object.entries(totals)) {
    const added = amountOf(request.parameters, parameter);
    const used = usage.total(mandate, key, parameter);
    check(used, added, total, 'MANDATE_TOTAL_EXCEEDED', pointerTo(parameter));
  }
  return found;
}

type Limited = { readonly mandate: string; readonly right: Right };

function limitsOn(grant: Pick<Grant, 'budgets'>, key: string): readonly Limited[] {
  return grant.budgets.flatMap(({ mandate, rights }) =>
    rights.filter((right) => rightKey(right) === key).map((right) => ({ mandate, right })));
}

function keyOf({ requester, executor, action }: MandatedRequest): string {
  return requester.name === executor ? `perform ${action}` : `request ${executor} ${action}`;
}

/** What is no number of 0 or more would escape the sum: it exceeds every total. */
function amountOf(parameters: JsonObject, parameter: string): number {
  const value = Object.hasOwn(parameters, parameter) ? parameters[parameter] : undefined;
  return typeof value === 'number' && value >= 0 ? value : Infinity;
}

/** Names of parameters in a mandate hold nothing that a JSON Pointer escapes. */
function pointerTo(parameter: string): string {
  return `/parameters/${parameter}`;
}

function refusal(code: MandateCode, rule: string, path: string | null = null): Finding {
  return finding(code, rule, path);
}
