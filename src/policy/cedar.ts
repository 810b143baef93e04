// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import type * as CedarModule from '@cedar-policy/cedar-wasm/nodejs';
import type { ActionManifest, Agent, Mesh } from '../mesh/mesh.ts';
import { canonicalize } from '../message/canonical-json.ts';
import type { Isolation, Label } from '../message/envelope.ts';
import type { JsonObject } from '../message/json.ts';
import { finding, type Finding } from '../review/verdict.ts';
import { cedarSchema, cedarValue, scalarParameters } from './cedar-schema.ts';
import type { PolicyCode } from './codes.ts';
import { PolicyError, type PolicyFault } from './policy-error.ts';
import { pointerTo } from './parameters.ts';

type Cedar = typeof CedarModule;
type Context = CedarModule.Context;
type Entity = CedarModule.EntityJson;

/**
 * What Cedar decides about: `Agent::"executor"`, `Action::"name"`, `Tool::"tool"` and the facts.
 */
export type CedarRequest = {
  readonly action: ActionManifest;
  readonly executor: Agent;
  readonly requester: Agent | null;
  readonly label: Label;
  readonly hop: number;
  readonly domain: string;
  readonly isolation: Isolation;
  readonly parameters: JsonObject;
};

/**
 * The mesh's Cedar policies, parsed once and cut by action: a request is decided over the policies
 * that name its action and those that name none. Default deny; a policy that cannot be evaluated is
 * a refusal, because Cedar itself would skip it.
 */
export class CedarPolicies {
  /** Cedar's version and a digest of the policies. */
  readonly version: string;
  readonly #cedar: Cedar;
  /** Action -> id of its parsed slice. */
  readonly #slices: ReadonlyMap<string, string>;

  private constructor(cedar: Cedar, version: string, slices: ReadonlyMap<string, string>) {
    this.#cedar = cedar;
    this.version = version;
    this.#slices = slices;
  }

  /**
   * Loads Cedar (about 100 MB of memory) and parses the policies; resolves to null, and loads
   * nothing, when there are none. Rejects with `PolicyError` `POLICY_CEDAR_INVALID` and every
   * fault.
   */
  static async load(mesh: Mesh): Promise<CedarPolicies | null> {
    if (mesh.policies.size === 0) return null;
    const cedar = await importCedar();
    const faults = findFaults(cedar, mesh);
    if (faults.length > 0) {
      throw new PolicyError('POLICY_CEDAR_INVALID', 'Cedar policies are refused.', faults);
    }
    const digest = createHash('sha256')
      .update(canonicalize(Object.fromEntries(mesh.policies))).digest('base64url');
    const slices = new Map<string, string>();
    for (const action of mesh.actions.keys()) {
      const id = `${digest} ${action}`;
      const staticPolicies = Object.fromEntries(slice(cedar, mesh.policies, action));
      const parsed = cedar.preparsePolicySet(id, { staticPolicies });
      if (parsed.type === 'failure') {
        throw new PolicyError('POLICY_CEDAR_INVALID', 'Cedar refused a parsed policy set.');
      }
      slices.set(action, id);
    }
    return new CedarPolicies(cedar, `${cedar.getCedarVersion()}/${digest.slice(0, 12)}`, slices);
  }

  /** Empty when a policy permits and none forbids. */
  review(request: CedarRequest): readonly Finding[] {
    const { action, executor, requester } = request;
    const slice = this.#slices.get(action.name);
    if (slice === undefined || requester === null) return [refuse('POLICY_CEDAR_DENIED', 'none')];
    const context = contextOf(request, requester);
    if (!context.ok) return [finding('POLICY_CEDAR_VALUE', 'cedar/value', context.path)];
    const answer = this.#cedar.statefulIsAuthorized({
      principal: { type: 'Agent', id: executor.name },
      action: { type: 'Action', id: action.name },
      resource: { type: 'Tool', id: action.tool },
      context: context.value,
      preparsedPolicySetId: slice,
      entities: entitiesOf(executor, requester),
    });
    if (answer.type === 'failure') return [refuse('POLICY_CEDAR_ERROR', 'request')];
    const { decision, diagnostics } = answer.response;
    const errors = diagnostics.errors.map((error) => refuse('POLICY_CEDAR_ERROR', error.policyId));
    if (decision === 'allow') return errors;
    const reasons = diagnostics.reason.length === 0 ? ['none'] : diagnostics.reason;
    return [...errors, ...reasons.map((id) => refuse('POLICY_CEDAR_DENIED', id))];
  }
}

async function importCedar(): Promise<Cedar> {
  try {
    return await import('@cedar-policy/cedar-wasm/nodejs');
  } catch (cause) {
    throw new PolicyError('POLICY_CEDAR_UNAVAILABLE', 'Cedar cannot be loaded.', [], { cause });
  }
}

function refuse(code: PolicyCode, policy: string): Finding {
  return finding(code, `cedar/${policy}`);
}

/** Syntax first; what parses is validated strictly against the mesh's own schema. */
function findFaults(cedar: Cedar, mesh: Mesh): readonly PolicyFault[] {
  const faults: PolicyFault[] = [];
  for (const [policy, text] of mesh.policies) {
    const parsed = cedar.checkParsePolicySet({ staticPolicies: { [policy]: text } });
    if (parsed.type === 'success') continue;
    const [error] = parsed.errors;
    const offset = error?.sourceLocations?.[0]?.start;
    faults.push({ policy, offset: characterAt(text, offset), reason: error?.message ?? 'refused' });
  }
  if (faults.length > 0) return faults;
  const answer = cedar.validate({
    schema: cedarSchema(mesh.actions.values()),
    policies: { staticPolicies: Object.fromEntries(mesh.policies) },
    validationSettings: { mode: 'strict' },
  });
  if (answer.type === 'failure') {
    return answer.errors.map(({ message }) => ({ policy: '*', offset: null, reason: message }));
  }
  return answer.validationErrors.map(({ policyId, error }) => ({
    policy: policyId,
    offset: characterAt(mesh.policies.get(policyId) ?? '', error.sourceLocations?.[0]?.start),
    reason: error.message,
  }));
}

/** Cedar counts bytes of UTF-8. */
function characterAt(text: string, byte: number | undefined): number | null {
  if (byte === undefined) return null;
  return Buffer.from(text).subarray(0, byte).toString().length;
}

/** The policies that can speak about an action: those that name it, and those that name none. */
export function slice(
  cedar: Cedar,
  policies: ReadonlyMap<string, string>,
  action: string,
): readonly [string, string][] {
  return [...policies].filter(([, text]) => {
    const answer = cedar.policyToJson(text);
    // What cannot be looked into stays in every slice.
    return answer.type === 'failure' || mayName(answer.json.action, action);
  });
}

function mayName(constraint: CedarModule.ActionConstraint, action: string): boolean {
  if (constraint.op === 'All') return true;
  const entities = 'entities' in constraint ? constraint.entities
    : 'entity' in constraint ? [constraint.entity] : null;
  if (entities === null) return true;
  return entities.some((entity) => {
    const uid = '__entity' in entity ? entity.__entity : entity;
    return uid.type !== 'Action' || uid.id === action;
  });
}

type BuiltContext =
  | { readonly ok: true; readonly value: Context }
  | { readonly ok: false; readonly path: string };

/** Facts are written last, so that no parameter can stand in for one. */
function contextOf(request: CedarRequest, requester: Agent): BuiltContext {
  const { action, parameters } = request;
  const context: Context = {};
  for (const [name, type] of scalarParameters(action)) {
    const given = Object.hasOwn(parameters, name) ? parameters[name] : undefined;
    if (given === undefined) continue;
    const value = cedarValue(given, type);
    if (value === null) return { ok: false, path: pointerTo(name) };
    context[name] = value;
  }
  const value: Context = {
    ...context,
    risk: action.risk,
    reversibility: action.reversibility,
    domain: request.domain,
    integrity: request.label.integrity,
    classification: request.label.classification,
    isolation: request.isolation,
    hop: request.hop,
    requester: { __entity: { type: 'Agent', id: requester.name } },
  };
  return { ok: true, value };
}

function entitiesOf(executor: Agent, requester: Agent): Entity[] {
  return [executor, requester].map(({ name, role, zone }) => ({
    uid: { type: 'Agent', id: name },
    attrs: { role, zone },
    parents: [{ type: 'Zone', id: zone }],
  }));
}
