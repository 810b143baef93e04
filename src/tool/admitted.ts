// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import type { RiskClass } from '../mesh/mesh.ts';
import { canonicalize } from '../message/canonical-json.ts';
import { isJsonObject } from '../message/json.ts';
import type { JsonObject, JsonValue } from '../message/json.ts';
import type { Verdict } from '../review/verdict.ts';
import { ToolError } from './tool-error.ts';

/** What `sidecar/inbound` decided may be called: every member was checked before it is admitted. */
export type AdmissionFields = {
  /** Message id of the action request, or the id of a local call. */
  readonly id: string;
  readonly executor: string;
  /** Who asked; the executor itself for a local call. */
  readonly requester: string;
  /** Null for a local call by an agent that holds the tool. */
  readonly action: string | null;
  readonly tool: string;
  readonly operation: string;
  readonly arguments: JsonObject;
  /** 1 to 64 characters. */
  readonly idempotencyKey: string;
  readonly risk: RiskClass;
  readonly write: boolean;
  /**
   * The action's output schema; for an executor never null. Kept by reference: it is configuration.
   */
  readonly outputSchema: JsonObject | null;
  /** Members of an object result that go on; null or absent: the whole result does. */
  readonly keep?: readonly string[] | null;
  /** 1 to 3,600,000. */
  readonly timeoutMs: number;
  readonly task: string | null;
  /** Id of the mandate under which it is done; absent or null for an agent's own read. */
  readonly mandate?: string | null;
  /**
   * The call begins no later, milliseconds since 1970: what it was allotted counts from then.
   */
  readonly beginBeforeMs: number;
  /**
   * What stands against the call at the moment it is asked: a revocation, a lease that ended, a mandate
   * that is over. A code, or null. Asked right before the tool is handed the call.
   */
  readonly standing: () => string | null;
  /** What the controls said of an agent's own read; recorded with its beginning. */
  readonly verdicts?: readonly Verdict[];
  /** The intent is recorded durably before the call; always true for HIGH and CRITICAL. */
  readonly privileged: boolean;
};

const mint: unique symbol = Symbol('admission');
const timeoutMsMax = 3_600_000;

/**
 * An admitted tool call (G2). Only an `Admission` makes one: the class is not exported as a value,
 * its state is in private fields that no object literal or cast can supply, and the gate also asks
 * the very admission that made it. Arguments are a frozen copy, so nobody changes them after they
 * were checked.
 */
class AdmittedRequestValue {
  readonly #fields: AdmissionFields;
  readonly #argumentsDigest: string;

  constructor(key: typeof mint, fields: AdmissionFields) {
    if (key !== mint) throw new ToolError('TOOL_NOT_ADMITTED', 'Only an admission makes one.');
    this.#fields = Object.freeze({ ...fields, arguments: frozenCopy(fields.arguments) });
    const text = canonicalize(this.#fields.arguments);
    this.#argumentsDigest = createHash('sha256').update(text).digest('base64url');
  }

  get fields(): AdmissionFields {
    return this.#fields;
  }

  /**
   * SHA-256 (base64url) of the canonical arguments. Never recorded: short values could be guessed.
   */
  get argumentsDigest(): string {
    return this.#argumentsDigest;
  }
}

export type AdmittedRequest = AdmittedRequestValue;

/** The right to admit; wiring hands it to `sidecar/inbound` and its checking half to the gate. */
export type Admission = {
  /** Throws `ToolError` with `TOOL_ADMISSION_INVALID` when a member is outside its bounds. */
  admit(fields: AdmissionFields): AdmittedRequest;
  /** True for a request that this admission made and nobody has spent. */
  isAdmitted(candidate: unknown): candidate is AdmittedRequest;
  /** True once per admitted request. */
  spend(candidate: unknown): candidate is AdmittedRequest;
};

export function createAdmission(): Admission {
  const open = new WeakSet();
  const isAdmitted = (candidate: unknown): candidate is AdmittedRequest =>
    typeof candidate === 'object' && candidate !== null && open.has(candidate);
  return Object.freeze({
    admit: (fields: AdmissionFields) => {
      checkFields(fields);
      const request = new AdmittedRequestValue(mint, fields);
      Object.freeze(request);
      open.add(request);
      return request;
    },
    isAdmitted,
    spend: (candidate: unknown): candidate is AdmittedRequest =>
      isAdmitted(candidate) && open.delete(candidate),
  });
}

function checkFields(fields: AdmissionFields): void {
  const names = [fields.id, fields.executor, fields.requester, fields.tool, fields.operation];
  const sound =
    names.every((name) => typeof name === 'string' && name.length >= 1 && name.length <= 256) &&
    typeof fields.idempotencyKey === 'string' &&
    fields.idempotencyKey.length >= 1 &&
    fields.idempotencyKey.length <= 64 &&
    fields.beginBeforeMs >= 0 &&
    typeof fields.standing === 'function' &&
    fields.timeoutMs >= 1 &&
    fields.timeoutMs <= timeoutMsMax &&
    isJsonObject(fields.arguments) &&
    typeof fields.write === 'boolean' &&
    typeof fields.privileged === 'boolean' &&
    riskMatchesPrivilege(fields);
  if (!sound) throw new ToolError('TOOL_ADMISSION_INVALID', 'A member is outside its bounds.');
}

function riskMatchesPrivilege(fields: AdmissionFields): boolean {
  switch (fields.risk) {
    case 'LOW':
    case 'MEDIUM':
      return true;
    case 'HIGH':
    case 'CRITICAL':
      return fields.privileged;
    default:
      fields.risk satisfies never;
      return false;
  }
}

/**
 * The canonical form refuses what is not JSON, cycles and hostile depth before anything is copied.
 */
function frozenCopy(value: JsonObject): JsonObject {
  let text: string;
  try {
    text = canonicalize(value);
  } catch (cause) {
    throw new ToolError('TOOL_ADMISSION_INVALID', 'The arguments are not JSON.', { cause });
  }
  const copy: JsonObject = JSON.parse(text);
  deepFreeze(copy);
  return copy;
}

function deepFreeze(value: JsonValue): void {
  if (typeof value !== 'object' || value === null) return;
  Object.freeze(value);
  for (const member of Object.values(value)) deepFreeze(member);
}
