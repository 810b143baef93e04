// SPDX-License-Identifier: Apache-2.0
import type { ActionOutcome, ActionRequest } from './action-request.ts';
import type { ParseRefusal } from './envelope-parse.ts';
import { isName, isUlid } from './identifiers.ts';
import type { JsonValue } from './json.ts';
import { isJsonObject } from './json.ts';
import { anything, both, exactly, oneOf, text, texts, when } from './member-check.ts';

export type ActionRequestParseResult =
  | { readonly ok: true; readonly request: ActionRequest }
  | ParseRefusal;

export type ActionOutcomeParseResult =
  | { readonly ok: true; readonly outcome: ActionOutcome }
  | ParseRefusal;

export const evidenceMax = 32;

/** The closed set of codes that an agent may see; the same as `AgentCode` in `src/review/`. */
export const actionOutcomeCodes = [
  'REFUSED',
  'INVALID',
  'HELD',
  'UNAVAILABLE',
  'RATE_LIMITED',
  'IN_DOUBT',
  'SESSION_ENDED',
] as const;

/** No white space: the key reaches the executor, which reads no prose (G3). */
const idempotencyKeyPattern = /^[A-Za-z0-9._:-]{1,64}$/;

const requestCheck = exactly({
  action: text(isName),
  parameters: when(isJsonObject),
  idempotencyKey: text(isIdempotencyKey),
  evidence: both(texts(evidenceMax, isUlid), when(hasNoRepeats)),
});

const outcomeCheck = exactly({
  action: text(isName),
  idempotencyKey: text(isIdempotencyKey),
  status: oneOf(['DONE', 'REFUSED', 'HELD', 'IN-DOUBT', 'FAILED']),
  code: oneOf([null, ...actionOutcomeCodes]),
  result: anything,
});

/**
 * Reads the payload of an action request. Whether the action exists, and whether its parameters fit
 * the manifest, is for the gate to say. Never throws.
 */
export function parseActionRequest(value: JsonValue): ActionRequestParseResult {
  if (!isJsonObject(value)) return { ok: false, code: 'MESSAGE_NOT_OBJECT', path: '' };
  const fault = requestCheck(value);
  if (fault !== null) return { ok: false, code: fault.code, path: fault.path };
  return { ok: true, request: value as unknown as ActionRequest };
}

/**
 * Reads the payload that answers an action request: a code when, and only when, it is not DONE, and
 * a result only when it is. Never throws.
 */
export function parseActionOutcome(value: JsonValue): ActionOutcomeParseResult {
  if (!isJsonObject(value)) return { ok: false, code: 'MESSAGE_NOT_OBJECT', path: '' };
  const fault = outcomeCheck(value);
  if (fault !== null) return { ok: false, code: fault.code, path: fault.path };
  const outcome = value as unknown as ActionOutcome;
  const done = outcome.status === 'DONE';
  if (done !== (outcome.code === null)) {
    return { ok: false, code: 'MESSAGE_MEMBER_INVALID', path: '/code' };
  }
  if (!done && outcome.result !== null) {
    return { ok: false, code: 'MESSAGE_MEMBER_INVALID', path: '/result' };
  }
  return { ok: true, outcome };
}

export function isIdempotencyKey(key: string): boolean {
  return idempotencyKeyPattern.test(key);
}

function hasNoRepeats(items: JsonValue): boolean {
  return Array.isArray(items) && new Set(items).size === items.length;
}
