// SPDX-License-Identifier: Apache-2.0
import { compileJsonSchema, type SchemaCheck } from '../mesh/json-schema.ts';
import type { ActionManifest, SensitiveParameter } from '../mesh/mesh.ts';
import { isPromptSource } from '../mesh/source-field.ts';
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
  /** True when a person has endorsed this value for this parameter, action, agent and task. */
  readonly endorsed: (pointer: string, value: JsonValue) => boolean;
  /** True for a value that an operator supplied: another one endorses it, whatever its rule says. */
  readonly supplied?: (pointer: string) => boolean;
};

/** The part of an action, or of a read, that says where its values may come from. */
export type Sourced = Pick<ActionManifest, 'sensitive' | 'reversibility'>;

/** Endorsements are holds: a person decides. Everything else is refused. */
export type SensitiveFindings = {
  readonly refusals: readonly Finding[];
  readonly endorsements: readonly Finding[];
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
 * G5: tainted data introduces no value. Bounds hold always. Every scalar under a sensitive
 * parameter must come from a source that the manifest lists, be one that the mesh file itself
 * lists, or have a person's endorsement, unless the whole context is trusted, or the manifest
 * bounds the parameter without naming sources; for what cannot be undone neither exception holds,
 * and an endorsement is for one request.
 */
export function sensitiveFindings(
  sourced: Sourced,
  parameters: JsonObject,
  sourcing: Sourcing,
): SensitiveFindings {
  const refusals: Finding[] = [];
  const endorsements: Finding[] = [];
  const isFinal = sourced.reversibility === 'irreversible';
  for (const [name, rule] of sourced.sensitive) {
    for (const { value, pointer } of scalarsUnder(parameters, name)) {
      if (rule.atMost !== null && !isWithin(value, rule.atMost)) {
        refusals.push(refusal('POLICY_BOUND_EXCEEDED', 'g5/at_most', pointer));
      }
      if (rule.oneOf !== null && !rule.oneOf.some((listed) => listed === value)) {
        refusals.push(refusal('POLICY_VALUE_UNLISTED', 'g5/one_of', pointer));
      }
      const bounded = rule.from.length === 0 && isBounded(rule);
      const exempt = !isFinal &&
        (sourcing.trustedContext || bounded);
      if (exempt || isVouched(rule, value, pointer, parameters, sourcing)) continue;
      if (rule.endorsable !== true && sourcing.supplied?.(pointer) !== true) {
        refusals.push(refusal('POLICY_SOURCE_UNTRUSTED', 'g5/source', pointer));
      } else if (isFinal || !sourcing.endorsed(pointer, value)) {
        endorsements.push(refusal('POLICY_ENDORSEMENT_REQUIRED', 'g5/endorsement', pointer));
      }
    }
  }
  return { refusals, endorsements };
}

type Placed = { readonly value: JsonValue; readonly pointer: string };

/**
 * The scalars under a dotted path of the parameters, `*` for the items of a list. An absent value
 * introduces nothing; whether it may be absent is for the schema to say, and so is null.
 */
function scalarsUnder(parameters: JsonObject, path: string): readonly Placed[] {
  let places: readonly Placed[] = [{ value: parameters, pointer: '/parameters' }];
  // A parameter whose own name has a dot is a path of one step.
  const steps = Object.hasOwn(parameters, path) ? [path] : path.split('.');
  for (const step of steps) {
    places = places.flatMap((place) =>
      membersOf(place).filter(({ pointer, inList }) =>
        inList ? step === '*' : pointer.endsWith(`/${escaped(step)}`)));
  }
  const found: Placed[] = [];
  const pending = [...places];
  for (let place = pending.pop(); place !== undefined; place = pending.pop()) {
    const members = membersOf(place);
    if (typeof place.value === 'object' && place.value !== null) pending.push(...members);
    else if (place.value !== null) found.push(place);
  }
  return found;
}

function membersOf({ value, pointer }: Placed): readonly (Placed & { readonly inList: boolean })[] {
  if (typeof value !== 'object' || value === null) return [];
  const inList = Array.isArray(value);
  return Object.entries(value).map(([name, member]: [string, JsonValue]) => ({
    value: member,
    pointer: `${pointer}/${escaped(name)}`,
    inList,
  }));
}

/**
 * Whether the amount fits with what `capUsed` says was used in every window; the sum itself has an
 * owner, which is asked before the tool runs. An amount that is no number of 0 or more would escape
 * every sum.
 */
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
      cap.windows.every(({ most }) => used + value <= most);
    if (!fits) found.push(refusal('POLICY_CAP_EXCEEDED', 'cap/window', pointerTo(name)));
  }
  return found;
}

function isVouched(
  rule: SensitiveParameter,
  value: JsonValue,
  pointer: string,
  parameters: JsonObject,
  sourcing: Sourcing,
): boolean {
  const listed = typeof value === 'string' || typeof value === 'number';
  if (listed && rule.always?.has(value) === true) return true;
  if (hasListedSource(rule.from, value, pointer, sourcing)) return true;
  const { ownWords = null } = rule;
  if (ownWords === null) return false;
  const own = ownWords.texts.every((text) => isOwnWords(text, parameters, sourcing));
  return own && hasListedSource(ownWords.from, value, pointer, sourcing);
}

/** An absent text says nothing; any other must be made of the person's words. */
function isOwnWords(text: string, parameters: JsonObject, sourcing: Sourcing): boolean {
  if (!Object.hasOwn(parameters, text)) return true;
  const sources = stampedAt(pointerTo(text), sourcing);
  return ownWordSources.some((source) => sources.includes(source));
}

const ownWordSources = ['prompt', 'prompt.words', 'prompt.composed'];

function stampedAt(pointer: string, { stamps }: Sourcing): readonly string[] {
  return stamps !== null && Object.hasOwn(stamps, pointer) ? (stamps[pointer] ?? []) : [];
}

function hasListedSource(
  from: readonly string[],
  value: JsonValue,
  pointer: string,
  sourcing: Sourcing,
): boolean {
  const stamped = stampedAt(pointer, sourcing);
  if (from.some((source) => stamped.includes(source))) return true;
  const whole = canonicalize(value);
  return from.some((source) =>
    // No tool answers for what the person said: `prompt` is only ever stamped.
    !isPromptSource(source) && sourcing.trustedValues(source)?.has(whole) === true);
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
  return `/parameters/${escaped(name)}`;
}

function escaped(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}

function refusal(code: PolicyCode, rule: string, path: string | null): Finding {
  return finding(code, rule, path);
}
