// SPDX-License-Identifier: Apache-2.0
import { compileJsonSchema, type SchemaCheck } from '../mesh/json-schema.ts';
import type { ActionManifest, SensitiveParameter } from '../mesh/mesh.ts';
import { canonicalize } from '../message/canonical-json.ts';
import type { JsonObject, JsonValue } from '../message/json.ts';
import { finding, type Finding } from '../review/verdict.ts';
import type { PolicyCode } from './codes.ts';

/** Where the values of one request come from, as sidecars vouch for it. */
export type Sourcing = {
  /** True when no third party could have chosen anything that the requester has read. */
  readonly trustedContext: boolean;
  /** Stamped by the requester's sidecar; null when that sidecar cannot be believed. */
  readonly stamps: { readonly [pointer: string]: readonly string[] } | null;
  /** Canonical JSON of the values that the executor's own tool vouches for now. */
  readonly trustedValues: (source: string) => ReadonlySet<string> | null;
};

/** Compiled once per action; the manifests live as long as their mesh. */
const compiled = new WeakMap<ActionManifest, SchemaCheck | 'broken'>();

/** The parameters against the action's schema; at most the first breach is reported. */
export function schemaFindings(action: ActionManifest, parameters: JsonObject): readonly Finding[] {
  let check = compiled.get(action);
  if (check === undefined) {
    const result = compileJsonSchema(action.parameters);
    check = result.ok ? result.check : 'broken';
    compiled.set(action, check);
  }
  if (check === 'broken') return [refusal('POLICY_SCHEMA_BROKEN', 'schema', null)];
  const breach = check(parameters);
  if (breach === null) return [];
  const path = `/parameters${breach.path}`;
  return [refusal('POLICY_PARAMETERS_INVALID', `schema/${breach.keyword}`, path)];
}

/**
 * G5: tainted data introduces no value. Bounds hold always. A value must come from a source that
 * the manifest lists, unless the whole context is trusted, or the manifest bounds it without
 * naming sources; for what cannot be undone neither exception holds.
 */
export function sensitiveFindings(
  action: ActionManifest,
  parameters: JsonObject,
  sourcing: Sourcing,
): readonly Finding[] {
  const found: Finding[] = [];
  for (const [name, rule] of action.sensitive) {
    const value = Object.hasOwn(parameters, name) ? parameters[name] : undefined;
    // An absent value introduces nothing; whether it may be absent is for the schema to say.
    if (value === undefined) continue;
    const pointer = pointerTo(name);
    if (rule.atMost !== null && !isWithin(value, rule.atMost)) {
      found.push(refusal('POLICY_BOUND_EXCEEDED', 'g5/at_most', pointer));
    }
    if (rule.oneOf !== null && !rule.oneOf.some((listed) => listed === value)) {
      found.push(refusal('POLICY_VALUE_UNLISTED', 'g5/one_of', pointer));
    }
    const exempt = action.reversibility !== 'irreversible' &&
      (sourcing.trustedContext || (rule.from.length === 0 && isBounded(rule)));
    if (!exempt && !hasListedSource(rule, value, pointer, sourcing)) {
      found.push(refusal('POLICY_SOURCE_UNTRUSTED', 'g5/source', pointer));
    }
  }
  return found;
}

/** Sums of the last hour. An amount that is no number of 0 or more would escape the sum. */
export function capFindings(
  action: ActionManifest,
  parameters: JsonObject,
  capUsed: (action: string, parameter: string) => number,
): readonly Finding[] {
  const found: Finding[] = [];
  for (const [name, cap] of action.caps) {
    const value = Object.hasOwn(parameters, name) ? parameters[name] : undefined;
    const used = capUsed(action.name, name);
    const fits = typeof value === 'number' && value >= 0 && used >= 0 &&
      used + value <= cap.perHour;
    if (!fits) found.push(refusal('POLICY_CAP_EXCEEDED', 'cap/per_hour', pointerTo(name)));
  }
  return found;
}

function hasListedSource(
  rule: SensitiveParameter,
  value: JsonValue,
  pointer: string,
  sourcing: Sourcing,
): boolean {
  const { stamps, trustedValues } = sourcing;
  const stamped = stamps !== null && Object.hasOwn(stamps, pointer) ? (stamps[pointer] ?? []) : [];
  if (rule.from.some((source) => stamped.includes(source))) return true;
  const whole = canonicalize(value);
  return rule.from.some((source) =>
    // No tool answers for what the person said: `prompt` is only ever stamped.
    source !== 'prompt' && trustedValues(source)?.has(whole) === true);
}

/** Written so that NaN, text and negative amounts are outside. */
function isWithin(value: JsonValue, atMost: number): boolean {
  return typeof value === 'number' && value >= 0 && value <= atMost;
}

function isBounded(rule: SensitiveParameter): boolean {
  return rule.atMost !== null || rule.oneOf !== null;
}

/** JSON Pointer (RFC 6901) of a parameter in the request's payload. */
export function pointerTo(name: string): string {
  return `/parameters/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

function refusal(code: PolicyCode, rule: string, path: string | null): Finding {
  return finding(code, rule, path);
}
